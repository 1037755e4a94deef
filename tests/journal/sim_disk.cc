#include "tests/journal/sim_disk.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::journal::testing {
namespace {

absl::Status Crashed() { return absl::UnavailableError("the disk is gone"); }

}  // namespace

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::shared_ptr<SimDisk::Inode> inode)
      : disk_(disk), inode_(std::move(inode)) {}

  absl::StatusOr<std::size_t> WriteAt(std::span<const iovec> pieces,
                                      std::uint64_t offset) override {
    const std::lock_guard lock(disk_.mutex_);
    return disk_.Write(*inode_, pieces, offset);
  }
  absl::StatusOr<std::size_t> ReadAt(std::span<char> into, std::uint64_t offset) const override {
    const std::lock_guard lock(disk_.mutex_);
    if (offset >= inode_->now.size()) {
      return std::size_t{0};
    }
    const std::size_t size = std::min(into.size(), inode_->now.size() - offset);
    std::memcpy(into.data(), inode_->now.data() + offset, size);
    return size;
  }
  absl::Status SyncData() override {
    const std::lock_guard lock(disk_.mutex_);
    return disk_.Sync(*inode_);
  }
  absl::Status Truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    const absl::Status status = disk_.Operation();
    if (status.ok()) {
      disk_.Resize(*inode_, size);
    }
    return status;
  }
  absl::StatusOr<std::uint64_t> Size() const override {
    const std::lock_guard lock(disk_.mutex_);
    return inode_->now.size();
  }

 private:
  SimDisk& disk_;
  const std::shared_ptr<SimDisk::Inode> inode_;
};

namespace {

class SimLock final : public DirectoryLock {
 public:
  explicit SimLock(std::function<void()> release) : release_(std::move(release)) {}
  ~SimLock() override { release_(); }

 private:
  std::function<void()> release_;
};

}  // namespace

absl::Status SimDisk::Operation() {
  return operations_++ >= fail_from_ ? Crashed() : absl::OkStatus();
}

bool SimDisk::Chance(double probability) {
  return probability > 0 && std::uniform_real_distribution<>()(random_) < probability;
}

std::uint64_t SimDisk::UsedLocked() const {
  std::set<const Inode*> seen;
  std::uint64_t used = 0;
  for (const auto& [path, inode] : names_) {
    used += seen.insert(inode.get()).second ? inode->now.size() : 0;
  }
  return used;
}

void SimDisk::Changed() { history_.push_back(names_); }

void SimDisk::Resize(Inode& inode, std::uint64_t size) {
  const std::size_t from = std::min<std::size_t>(inode.now.size(), size);
  const std::size_t to = std::max<std::size_t>(inode.now.size(), size);
  inode.now.resize(size);
  for (std::size_t page = from / kPageBytes; page * kPageBytes < to; ++page) {
    inode.dirty.insert(page);
  }
}

absl::StatusOr<std::size_t> SimDisk::Write(Inode& inode, std::span<const iovec> pieces,
                                           std::uint64_t offset) {
  std::string bytes;
  for (const iovec& piece : pieces) {
    bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  absl::Status status = Operation();
  // The operation that the crash falls into may get part of its way.
  const bool crashing = !status.ok() && operations_ == fail_from_ + 1;
  std::size_t size = bytes.size();
  const auto cut = [&] { size = std::uniform_int_distribution<std::size_t>(0, size)(random_); };
  if (!status.ok() && !crashing) {
    return status;
  }
  if (crashing) {
    cut();
  } else if (Chance(failing_writes_)) {
    cut();
    status = absl::UnavailableError("input/output error");
  } else if (Chance(short_writes_)) {
    cut();
    size = std::max<std::size_t>(size, 1);
  }
  const std::uint64_t growth =
      offset + size > inode.now.size() ? offset + size - inode.now.size() : 0;
  const std::uint64_t used = capacity_ == kUnlimited ? 0 : UsedLocked();
  if (growth > 0 && capacity_ != kUnlimited && used + growth > capacity_) {
    const std::uint64_t over = used + growth - capacity_;
    size -= std::min<std::uint64_t>(size, over);
    if (size == 0) {
      return absl::ResourceExhaustedError("no space left on device");
    }
  }
  if (size > 0) {
    if (offset + size > inode.now.size()) {
      Resize(inode, offset + size);
    }
    std::memcpy(inode.now.data() + offset, bytes.data(), size);
    for (std::size_t page = offset / kPageBytes; page * kPageBytes < offset + size; ++page) {
      inode.dirty.insert(page);
    }
  }
  if (!status.ok()) {
    return status;
  }
  return size;
}

absl::Status SimDisk::Sync(Inode& inode) {
  if (const absl::Status status = Operation(); !status.ok()) {
    return status;
  }
  ++syncs_;
  if (!Chance(failing_syncs_)) {
    inode.durable.resize(inode.now.size());
    for (const std::size_t page : inode.dirty) {
      const std::size_t at = page * kPageBytes;
      if (at < inode.now.size()) {
        const std::size_t size = std::min(kPageBytes, inode.now.size() - at);
        inode.durable.replace(at, size, inode.now, at, size);
      }
    }
    inode.dirty.clear();
    return absl::OkStatus();
  }
  // Some pages reached the disk; the others are clean now, and gone: read back as they were, or as
  // long as they stay cached as they should be.
  for (const std::size_t page : inode.dirty) {
    const std::size_t at = page * kPageBytes;
    if (at >= inode.now.size()) {
      continue;
    }
    const std::size_t size = std::min(kPageBytes, inode.now.size() - at);
    if (Chance(0.3)) {
      inode.durable.resize(std::max(inode.durable.size(), at + size));
      inode.durable.replace(at, size, inode.now, at, size);
    } else if (Chance(0.5)) {
      std::string old(size, '\0');
      if (at < inode.durable.size()) {
        old.replace(0, std::min(size, inode.durable.size() - at), inode.durable, at, size);
        old.resize(size);
      }
      inode.now.replace(at, size, old);
    }
  }
  inode.dirty.clear();
  return absl::UnavailableError("input/output error");
}

absl::StatusOr<std::unique_ptr<File>> SimDisk::Open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  if (mode == OpenMode::kRead || (mode == OpenMode::kReadWrite && found != names_.end())) {
    if (operations_ >= fail_from_) {
      return Crashed();
    }
    if (found == names_.end()) {
      return absl::NotFoundError(path);
    }
    return std::make_unique<SimFile>(*this, found->second);
  }
  if (const absl::Status status = Operation(); !status.ok()) {
    return status;
  }
  if (found != names_.end()) {
    return absl::AlreadyExistsError(path);
  }
  auto inode = std::make_shared<Inode>();
  names_[path] = inode;
  Changed();
  return std::make_unique<SimFile>(*this, std::move(inode));
}

absl::Status SimDisk::Rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (const absl::Status status = Operation(); !status.ok()) {
    return status;
  }
  auto node = names_.extract(from);
  if (node.empty()) {
    return absl::NotFoundError(from);
  }
  names_[to] = node.mapped();
  Changed();
  return absl::OkStatus();
}

absl::Status SimDisk::Link(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (const absl::Status status = Operation(); !status.ok()) {
    return status;
  }
  const auto found = names_.find(from);
  if (found == names_.end()) {
    return absl::NotFoundError(from);
  }
  if (!names_.emplace(to, found->second).second) {
    return absl::AlreadyExistsError(to);
  }
  Changed();
  return absl::OkStatus();
}

absl::Status SimDisk::Unlink(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (const absl::Status status = Operation(); !status.ok()) {
    return status;
  }
  if (names_.erase(path) == 0) {
    return absl::NotFoundError(path);
  }
  Changed();
  return absl::OkStatus();
}

absl::Status SimDisk::MakeDirectory(const std::string&) {
  const std::lock_guard lock(mutex_);
  return Operation();
}

absl::Status SimDisk::SyncDirectory(const std::string&) {
  const std::lock_guard lock(mutex_);
  if (const absl::Status status = Operation(); !status.ok()) {
    return status;
  }
  history_ = {names_};
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> SimDisk::List(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  if (operations_ >= fail_from_) {
    return Crashed();
  }
  std::vector<std::string> names;
  for (const auto& [path, inode] : names_) {
    if (path.starts_with(directory + "/") &&
        path.find('/', directory.size() + 1) == std::string::npos) {
      names.push_back(path.substr(directory.size() + 1));
    }
  }
  return names;
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> SimDisk::Lock(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!locked_.insert(path).second) {
    return absl::FailedPreconditionError(path + " is locked");
  }
  return std::make_unique<SimLock>([this, path, generation = generation_] {
    const std::lock_guard release(mutex_);
    if (generation == generation_) {
      locked_.erase(path);
    }
  });
}

void SimDisk::FailAfter(std::uint64_t operations) {
  const std::lock_guard lock(mutex_);
  fail_from_ = operations_ + operations;
}

void SimDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void SimDisk::set_short_writes(double probability) {
  const std::lock_guard lock(mutex_);
  short_writes_ = probability;
}

void SimDisk::set_failing_writes(double probability) {
  const std::lock_guard lock(mutex_);
  failing_writes_ = probability;
}

void SimDisk::set_failing_syncs(double probability) {
  const std::lock_guard lock(mutex_);
  failing_syncs_ = probability;
}

void SimDisk::PowerLoss() {
  const std::lock_guard lock(mutex_);
  // Names change in order, contents do not.
  names_ = history_[std::uniform_int_distribution<std::size_t>(0, history_.size() - 1)(random_)];
  history_ = {names_};
  std::set<Inode*> seen;
  for (auto& [path, inode] : names_) {
    if (!seen.insert(inode.get()).second) {
      continue;
    }
    std::string after = inode->durable;
    if (!inode->dirty.empty() && Chance(0.7)) {
      after.resize(inode->now.size());
    }
    for (const std::size_t page : inode->dirty) {
      const std::size_t at = page * kPageBytes;
      if (Chance(0.5) && at < after.size() && at < inode->now.size()) {
        const std::size_t size = std::min({kPageBytes, after.size() - at, inode->now.size() - at});
        after.replace(at, size, inode->now, at, size);
      }
    }
    inode->now = after;
    inode->durable = std::move(after);
    inode->dirty.clear();
  }
  fail_from_ = kUnlimited;
  locked_.clear();
  ++generation_;
}

void SimDisk::Killed() {
  const std::lock_guard lock(mutex_);
  fail_from_ = kUnlimited;
  locked_.clear();
  ++generation_;
}

bool SimDisk::failing() const {
  const std::lock_guard lock(mutex_);
  return operations_ >= fail_from_;
}

std::uint64_t SimDisk::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

std::uint64_t SimDisk::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

std::uint64_t SimDisk::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return UsedLocked();
}

std::vector<std::string> SimDisk::Paths() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, inode] : names_) {
    paths.push_back(path);
  }
  return paths;
}

std::string SimDisk::Content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  return found == names_.end() ? std::string() : found->second->now;
}

void SimDisk::SetContent(const std::string& path, std::string content) {
  const std::lock_guard lock(mutex_);
  auto inode = std::make_shared<Inode>();
  inode->now = content;
  inode->durable = std::move(content);
  names_[path] = std::move(inode);
  history_ = {names_};
}

}  // namespace weir::journal::testing

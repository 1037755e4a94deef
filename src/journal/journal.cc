#include "journal/journal.h"

#include <algorithm>
#include <utility>

#include "journal/file_io.h"
#include "journal/journal_impl.h"
#include "weir/base/check.h"
#include "weir/base/status.h"

namespace weir::journal {

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(Options options, Disk& disk,
                                                       std::vector<std::string> readers) {
  for (std::size_t i = 0; i < readers.size(); ++i) {
    WEIR_CHECK(!readers[i].empty());
    WEIR_CHECK(std::count(readers.begin(), readers.end(), readers[i]) == 1);
  }
  auto journal = std::make_unique<JournalImpl>(std::move(options), disk, std::move(readers));
  WEIR_RETURN_IF_ERROR(journal->Recover());
  return journal;
}

JournalImpl::JournalImpl(Options options, Disk& disk, std::vector<std::string> readers)
    : options_(std::move(options)), disk_(disk), names_(std::move(readers)) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    readers_.push_back(std::make_unique<ReaderImpl>(*this, i, names_[i]));
  }
}

JournalImpl::~JournalImpl() { Close().IgnoreError(); }

std::string JournalImpl::PathOf(std::uint64_t segment) const {
  return JoinPath(options_.directory, SegmentName(segment));
}

void JournalImpl::Append(Record record, ReaderMask live, AppendDone done) {
  WEIR_DCHECK(names_.size() == kReadersMax || ((record.destinations | live) >> names_.size()) == 0);
  if (const absl::Status size = CheckRecordSize(record); !size.ok()) {
    done(size, 0);
    return;
  }
  Pending pending{.live = live, .done = std::move(done), .bytes = RecordBytes(record)};
  // Here, where the bytes are still in this core's cache, and beside the other producers.
  for (const Part& part : record.parts) {
    pending.payload_crc = Crc32c(part.bytes.view(), pending.payload_crc);
  }
  pending.record = std::move(record);
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) {
      waiting_.push_back(std::move(pending));
      if (waiting_.size() == 1) {
        wake_.notify_one();
      }
      return;
    }
  }
  pending.done(absl::UnavailableError("the journal is closed"), 0);
}

void JournalImpl::Run() {
  std::vector<Pending> taken;
  std::optional<Committer::Time> next;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto ready = [this] {
      return !waiting_.empty() || acknowledged_ || closing_ ||
             checkpoints_asked_ != checkpoints_done_;
    };
    if (next.has_value()) {
      wake_.wait_until(lock, *next, ready);
    } else {
      wake_.wait(lock, ready);
    }
    if (closing_ && waiting_.empty()) {
      return;
    }
    taken.swap(waiting_);
    acknowledged_ = false;
    const std::uint64_t asked = checkpoints_asked_;
    const bool checkpoint = asked != checkpoints_done_;
    lock.unlock();
    committer_->Commit(taken);
    const absl::Status status = checkpoint ? committer_->Checkpoint() : absl::OkStatus();
    next = committer_->Tick(options_.clock());
    lock.lock();
    if (checkpoint) {
      checkpoints_done_ = asked;
      checkpoint_status_ = status;
      checkpoint_done_.notify_all();
    }
  }
}

void JournalImpl::Commit() {
  WEIR_CHECK(!options_.own_thread);
  std::vector<Pending> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(waiting_);
  }
  committer_->Commit(taken);
  committer_->Tick(options_.clock());
}

absl::Status JournalImpl::Checkpoint() {
  if (!options_.own_thread) {
    return committer_->Checkpoint();
  }
  std::unique_lock lock(mutex_);
  if (closing_) {
    return absl::UnavailableError("the journal is closed");
  }
  const std::uint64_t number = ++checkpoints_asked_;
  wake_.notify_one();
  checkpoint_done_.wait(lock, [this, number] { return checkpoints_done_ >= number || closed_; });
  return checkpoint_status_;
}

absl::Status JournalImpl::Close() {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) {
      return absl::OkStatus();
    }
    closing_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  absl::Status status;
  if (committer_ != nullptr) {
    std::vector<Pending> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(waiting_);
    }
    committer_->Commit(taken);
    status = committer_->Close();
  }
  lock_.reset();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  checkpoint_status_ = status;
  checkpoint_done_.notify_all();
  return status;
}

absl::Status JournalImpl::Forget(std::string_view name) {
  WEIR_RETURN_IF_ERROR(catalog_.Forget(name));
  options_.logger.Info("A reader of the journal is forgotten", {{"reader", name}});
  NoteAcknowledged();
  return absl::OkStatus();
}

std::map<std::string, Backlog> JournalImpl::absent_backlogs() const {
  return catalog_.AbsentBacklogs();
}

Damage JournalImpl::damage() const {
  const std::lock_guard lock(mutex_);
  return damage_;
}

void JournalImpl::NoteAcknowledged() {
  if (!committer_->NoteAcknowledged()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  acknowledged_ = true;
  wake_.notify_one();
}

void JournalImpl::KeepAside(std::uint64_t segment) {
  {
    const std::lock_guard lock(mutex_);
    if (!kept_aside_.insert(segment).second) {
      return;
    }
    ++damage_.segments_damaged;
  }
  const std::string directory = JoinPath(options_.directory, kQuarantineName);
  absl::Status status = disk_.MakeDirectory(directory);
  if (status.ok()) {
    status = disk_.Link(PathOf(segment), JoinPath(directory, SegmentName(segment)));
  }
  // It is there already when an earlier run found the same damage.
  if (!status.ok() && status.code() != absl::StatusCode::kAlreadyExists) {
    options_.logger.Error("A damaged journal segment could not be kept aside",
                          {{"segment", segment}, {"error", std::string(status.message())}});
  }
}

bool JournalImpl::Lost(const Place& place, const absl::Status& why) {
  if (!catalog_.MarkLost(place)) {
    return false;
  }
  KeepAside(place.segment);
  {
    const std::lock_guard lock(mutex_);
    ++damage_.records;
  }
  options_.logger.Error("A record of the journal is damaged and lost; its segment is kept aside",
                        {{"segment", place.segment},
                         {"sequence", place.sequence},
                         {"items", place.entry.items},
                         {"error", std::string(why.message())}});
  NoteAcknowledged();
  return true;
}

}  // namespace weir::journal

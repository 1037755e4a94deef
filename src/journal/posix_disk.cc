#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "journal/disk.h"
#include "weir/base/status.h"

namespace weir::journal {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;

// FromErrno with the codes that disk.h promises.
template <typename... Args>
absl::Status DiskError(int error, fmt::format_string<Args...> format, Args&&... args) {
  absl::Status status = FromErrno(error, format, std::forward<Args>(args)...);
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
      return status;
    default:
      return {absl::StatusCode::kUnavailable, status.message()};
  }
}

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixFile() override { ::close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  absl::StatusOr<std::size_t> WriteAt(std::span<const iovec> pieces,
                                      std::uint64_t offset) override {
    for (;;) {
      const ssize_t written = ::pwritev(fd_, pieces.data(), static_cast<int>(pieces.size()),
                                        static_cast<off_t>(offset));
      if (written > 0) {
        return static_cast<std::size_t>(written);
      }
      if (written == 0 || errno != EINTR) {
        return DiskError(written == 0 ? ENOSPC : errno, "write {}", path_);
      }
    }
  }

  absl::StatusOr<std::size_t> ReadAt(std::span<char> into, std::uint64_t offset) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got =
          ::pread(fd_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (got == 0) {
        break;
      }
      if (got > 0) {
        done += static_cast<std::size_t>(got);
      } else if (errno != EINTR) {
        return DiskError(errno, "read {}", path_);
      }
    }
    return done;
  }

  absl::Status SyncData() override {
    return ::fdatasync(fd_) == 0 ? absl::OkStatus() : DiskError(errno, "sync {}", path_);
  }

  absl::Status Truncate(std::uint64_t size) override {
    return ::ftruncate(fd_, static_cast<off_t>(size)) == 0 ? absl::OkStatus()
                                                           : DiskError(errno, "cut {}", path_);
  }

  absl::StatusOr<std::uint64_t> Size() const override {
    struct stat found {};
    if (::fstat(fd_, &found) != 0) {
      return DiskError(errno, "look at {}", path_);
    }
    return static_cast<std::uint64_t>(found.st_size);
  }

 private:
  const int fd_;
  const std::string path_;
};

// Released when the file is closed, by the kernel too when the process dies.
class PosixLock final : public DirectoryLock {
 public:
  explicit PosixLock(int fd) : fd_(fd) {}
  ~PosixLock() override { ::close(fd_); }
  PosixLock(const PosixLock&) = delete;
  PosixLock& operator=(const PosixLock&) = delete;

 private:
  const int fd_;
};

class Posix final : public Disk {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead:
        flags |= O_RDONLY;
        break;
      case OpenMode::kReadWrite:
        flags |= O_RDWR | O_CREAT;
        break;
      case OpenMode::kCreate:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    const int fd = ::open(path.c_str(), flags, kFileMode);
    if (fd < 0) {
      return DiskError(errno, "open {}", path);
    }
    return std::make_unique<PosixFile>(fd, path);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                                   : DiskError(errno, "rename {} to {}", from, to);
  }

  absl::Status Link(const std::string& from, const std::string& to) override {
    return ::link(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                                 : DiskError(errno, "link {} to {}", from, to);
  }

  absl::Status Unlink(const std::string& path) override {
    return ::unlink(path.c_str()) == 0 ? absl::OkStatus() : DiskError(errno, "delete {}", path);
  }

  absl::Status MakeDirectory(const std::string& path) override {
    return ::mkdir(path.c_str(), kDirectoryMode) == 0 || errno == EEXIST
               ? absl::OkStatus()
               : DiskError(errno, "make {}", path);
  }

  absl::Status SyncDirectory(const std::string& directory) override {
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
      return DiskError(errno, "open {}", directory);
    }
    const int result = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    return result == 0 ? absl::OkStatus() : DiskError(error, "sync {}", directory);
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    DIR* const stream = ::opendir(directory.c_str());
    if (stream == nullptr) {
      return DiskError(errno, "list {}", directory);
    }
    std::vector<std::string> names;
    // readdir is safe here: the stream is this call's own.
    while (const dirent* const entry = ::readdir(stream)) {
      if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN) {
        names.emplace_back(entry->d_name);
      }
    }
    ::closedir(stream);
    return names;
  }

  absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
    if (fd < 0) {
      return DiskError(errno, "open {}", path);
    }
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      ::close(fd);
      if (error == EWOULDBLOCK) {
        return absl::FailedPreconditionError(
            fmt::format("{} is locked: another process uses the directory", path));
      }
      return DiskError(error, "lock {}", path);
    }
    return std::make_unique<PosixLock>(fd);
  }
};

}  // namespace

Disk& PosixDisk() {
  static Posix disk;
  return disk;
}

}  // namespace weir::journal

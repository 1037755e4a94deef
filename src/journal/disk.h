// Disk is the journal's one seam to the operating system: files and names.
//
// Threads: a Disk may be used from any thread. One File is written by one thread at a time; reading
// beside that is fine.
// Ownership: a File closes itself. A DirectoryLock holds its lock until it is destroyed.
// Invariants: an error is a Status whose code says what to do: ResourceExhausted (no space: try
// again when there is some), NotFound, FailedPrecondition (locked by another process), Unavailable
// (everything else, such as EIO).

#ifndef WEIR_JOURNAL_DISK_H_
#define WEIR_JOURNAL_DISK_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir::journal {

class File {
 public:
  virtual ~File() = default;

  // Bytes written from `offset` on: all, or fewer (never none without an error), as the kernel has
  // it. REQUIRES: at most IOV_MAX pieces.
  virtual absl::StatusOr<std::size_t> WriteAt(std::span<const iovec> pieces,
                                              std::uint64_t offset) = 0;
  // Bytes read; fewer than asked for only at the end of the file.
  virtual absl::StatusOr<std::size_t> ReadAt(std::span<char> into, std::uint64_t offset) const = 0;
  // After an error nothing that was written since the last success may be relied on, and trying
  // again proves nothing: the kernel may have dropped the pages and forgotten the error.
  virtual absl::Status SyncData() = 0;
  virtual absl::Status Truncate(std::uint64_t size) = 0;
  virtual absl::StatusOr<std::uint64_t> Size() const = 0;
};

class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

enum class OpenMode : std::uint8_t {
  kRead,
  kReadWrite,  // Made where it is missing.
  kCreate,     // An error where it exists.
};

class Disk {
 public:
  virtual ~Disk() = default;

  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Link(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Unlink(const std::string& path) = 0;
  // OK where it exists.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  // Makes what was created, renamed and unlinked in `directory` survive a loss of power.
  virtual absl::Status SyncDirectory(const std::string& directory) = 0;
  // Names of the plain files in `directory`, in no order.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) = 0;
  // FailedPrecondition while another process (or another Journal) has it.
  virtual absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(const std::string& path) = 0;
};

// The real one.
Disk& PosixDisk();

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_DISK_H_

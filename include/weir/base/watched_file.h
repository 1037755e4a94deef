// WatchedFile keeps the text of a small file (a token, a password) current while it changes on
// disk, as secrets mounted into a container do.
//
//   WEIR_ASSIGN_OR_RETURN(file_, WatchedFile::Open(path));
//   std::shared_ptr<const std::string> token = file_->text();
//
// The file is looked at once a second by a thread of its own, by its identity, size and time of
// change, so that a symbolic link that is switched over and a file that is replaced are seen as
// well. A file that can't be read for a while keeps its last text.
//
// Threads: text() is for any thread. Open and the destructor belong to the owner.

#ifndef WEIR_BASE_WATCHED_FILE_H_
#define WEIR_BASE_WATCHED_FILE_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/base/event_loop.h"

namespace weir {

class WatchedFile {
 public:
  static constexpr std::size_t kBytesMax = 1 << 20;

  // Told the text, by Open first and by the watching thread after each change; or why it could not
  // be read, with the last text.
  using OnChange = std::function<void(const absl::Status& status, std::string_view text)>;

  static absl::StatusOr<std::unique_ptr<WatchedFile>> Open(
      std::string path, OnChange on_change = nullptr,
      std::chrono::nanoseconds period = std::chrono::seconds(1));
  ~WatchedFile();
  WatchedFile(const WatchedFile&) = delete;
  WatchedFile& operator=(const WatchedFile&) = delete;

  // Never null.
  std::shared_ptr<const std::string> text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  struct Version;

  WatchedFile(std::string path, OnChange on_change, std::chrono::nanoseconds period);
  absl::Status Read();
  void Look();

  const std::string path_;
  const OnChange on_change_;
  const std::chrono::nanoseconds period_;

  // The owner's until the watch begins, then the watching thread's.
  std::unique_ptr<Version> version_;
  bool failed_ = false;

  mutable std::mutex mutex_;  // Guards text_.
  std::shared_ptr<const std::string> text_;

  std::unique_ptr<LoopThread> thread_;  // Last: stops before what it touches goes away.
};

// The whole of a file of at most `bytes_max` bytes. NotFound, or another error that names the path.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, std::size_t bytes_max);

// Without spaces and line ends around it.
std::string_view TrimSpace(std::string_view text);

}  // namespace weir

#endif  // WEIR_BASE_WATCHED_FILE_H_

#include "weir/base/watched_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "weir/base/status.h"

namespace weir {

struct WatchedFile::Version {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;

  static Version Of(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
      return {};
    }
    return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
  }
  bool operator==(const Version&) const = default;
};

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, std::size_t bytes_max) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return FromErrno(errno, "can't open {}", path);
  }
  std::string text;
  std::string buffer(4096, '\0');
  absl::Status status;
  for (;;) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      status = FromErrno(errno, "can't read {}", path);
    } else if (text.size() + static_cast<std::size_t>(count) > bytes_max) {
      status = InvalidArgument("{} is larger than {} bytes", path, bytes_max);
    }
    if (count <= 0 || !status.ok()) {
      break;
    }
    text.append(buffer, 0, static_cast<std::size_t>(count));
  }
  close(fd);
  if (!status.ok()) {
    return status;
  }
  return text;
}

std::string_view TrimSpace(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

WatchedFile::WatchedFile(std::string path, OnChange on_change, std::chrono::nanoseconds period)
    : path_(std::move(path)),
      on_change_(std::move(on_change)),
      period_(period),
      version_(std::make_unique<Version>()) {}

WatchedFile::~WatchedFile() = default;

absl::StatusOr<std::unique_ptr<WatchedFile>> WatchedFile::Open(std::string path, OnChange on_change,
                                                               std::chrono::nanoseconds period) {
  // tidy-allow(new): the constructor is private.
  std::unique_ptr<WatchedFile> file(new WatchedFile(std::move(path), std::move(on_change), period));
  WEIR_RETURN_IF_ERROR(file->Read());
  if (file->on_change_) {
    file->on_change_(absl::OkStatus(), *file->text());
  }
  file->thread_ = std::make_unique<LoopThread>("file-watch");
  WatchedFile* const watched = file.get();
  file->thread_->loop().Post([watched] { watched->Look(); });
  return file;
}

absl::Status WatchedFile::Read() {
  // Taken before the text: a change in between is seen as one more change.
  *version_ = Version::Of(path_);
  WEIR_ASSIGN_OR_RETURN(std::string text, ReadSmallFile(path_, kBytesMax));
  auto shared = std::make_shared<const std::string>(std::move(text));
  const std::lock_guard lock(mutex_);
  text_ = std::move(shared);
  return absl::OkStatus();
}

void WatchedFile::Look() {
  if (Version::Of(path_) != *version_) {
    const absl::Status status = Read();
    // Told once when it goes bad, and again when it is good.
    if (on_change_ && (status.ok() || !failed_)) {
      on_change_(status, *text());
    }
    failed_ = !status.ok();
  }
  thread_->loop().ScheduleAfter(period_, [this] { Look(); });
}

}  // namespace weir

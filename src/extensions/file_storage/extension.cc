#include "extensions/file_storage/extension.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "weir/base/status.h"

namespace weir::extensions::file_storage {

namespace {

// mkdir -p: folders on the way get the same permissions.
absl::Status MakeDirectories(const std::string& path, mode_t permissions) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), permissions) != 0 && errno != EEXIST) {
      return FromErrno(errno, "directory: can't make {}", part);
    }
    if (end == std::string::npos) {
      return absl::OkStatus();
    }
  }
}

}  // namespace

FileStorage::FileStorage(Config config, const ComponentContext& context)
    : config_(std::move(config)), logger_(context.logger) {}

FileStorage::~FileStorage() { static_cast<void>(Shutdown({})); }

absl::Status FileStorage::EnsureDirectory() const {
  if (config_.create_directory) {
    WEIR_RETURN_IF_ERROR(
        MakeDirectories(config_.directory, *ParsePermissions(config_.directory_permissions)));
  }
  struct stat info {};
  if (stat(config_.directory.c_str(), &info) != 0) {
    const int error = errno;
    return FromErrno(error, "directory: {}{}", config_.directory,
                     error == ENOENT ? " is missing and `create_directory` is off" : "");
  }
  if (!S_ISDIR(info.st_mode)) {
    return InvalidArgument("directory: {} is no folder", config_.directory);
  }
  return absl::OkStatus();
}

absl::Status FileStorage::Lock() {
  const std::string path = config_.directory + "/.weir.lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) {
    return FromErrno(errno, "directory: can't write to {}", config_.directory);
  }
  // An old process may be about to end: try again until `timeout`.
  const TimePoint deadline = std::chrono::steady_clock::now() + config_.timeout;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error != EINTR && std::chrono::steady_clock::now() >= deadline) {
      close(fd);
      return FromErrno(error, "directory: {} is in use by another process", config_.directory);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  lock_fd_ = fd;
  return absl::OkStatus();
}

absl::Status FileStorage::Start() {
  WEIR_RETURN_IF_ERROR(EnsureDirectory());
  WEIR_RETURN_IF_ERROR(Lock());
  return absl::OkStatus();
}

StorageSettings FileStorage::settings() const {
  return {.directory = config_.directory,
          .fsync = config_.fsync,
          .fsync_interval = config_.fsync_interval,
          .max_size_bytes = config_.max_size};
}

absl::Status FileStorage::Shutdown(TimePoint) {
  if (lock_fd_ >= 0) {
    close(std::exchange(lock_fd_, -1));  // Gives up the lock.
  }
  return absl::OkStatus();
}

}  // namespace weir::extensions::file_storage

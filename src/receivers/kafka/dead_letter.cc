#include "receivers/kafka/dead_letter.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "weir/base/status.h"

namespace weir::receivers::kafka {

absl::StatusOr<std::unique_ptr<DeadLetterFile>> DeadLetterFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) {
    return FromErrno(errno, "cannot open {}", path);
  }
  return std::make_unique<DeadLetterFile>(fd);
}

DeadLetterFile::~DeadLetterFile() { close(fd_); }

absl::Status DeadLetterFile::Append(std::string_view message) {
  const auto size = static_cast<std::uint32_t>(message.size());
  std::array<unsigned char, 4> prefix = {
      static_cast<unsigned char>(size >> 24), static_cast<unsigned char>(size >> 16),
      static_cast<unsigned char>(size >> 8), static_cast<unsigned char>(size)};
  const off_t end = lseek(fd_, 0, SEEK_END);
  const std::array<iovec, 2> pieces = {
      iovec{prefix.data(), prefix.size()},
      iovec{const_cast<char*>(message.data()), message.size()}};  // writev does not write to it.
  const ssize_t wrote = writev(fd_, pieces.data(), static_cast<int>(pieces.size()));
  if (wrote == static_cast<ssize_t>(prefix.size() + message.size())) {
    return absl::OkStatus();
  }
  const int error = wrote < 0 ? errno : ENOSPC;
  if (end >= 0 && ftruncate(fd_, end) != 0) {
    return FromErrno(error, "cannot write, nor cut what was written");
  }
  return FromErrno(error, "cannot write");
}

}  // namespace weir::receivers::kafka

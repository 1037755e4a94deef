#include "journal/file_io.h"

#include <algorithm>
#include <climits>

#include "weir/base/status.h"

namespace weir::journal {

absl::Status WriteExactly(File& file, std::vector<iovec>& pieces, std::uint64_t offset) {
  std::span<iovec> left(pieces);
  while (!left.empty()) {
    if (left.front().iov_len == 0) {
      left = left.subspan(1);
      continue;
    }
    const std::span<iovec> now = left.first(std::min<std::size_t>(left.size(), IOV_MAX));
    WEIR_ASSIGN_OR_RETURN(std::size_t written, file.WriteAt(now, offset));
    offset += written;
    while (written > 0 && written >= left.front().iov_len) {
      written -= left.front().iov_len;
      left = left.subspan(1);
    }
    if (written > 0) {
      left.front().iov_base = static_cast<char*>(left.front().iov_base) + written;
      left.front().iov_len -= written;
    }
  }
  return absl::OkStatus();
}

absl::Status WriteExactly(File& file, std::string_view bytes, std::uint64_t offset) {
  std::vector<iovec> pieces = {{const_cast<char*>(bytes.data()), bytes.size()}};
  return WriteExactly(file, pieces, offset);
}

absl::Status ReadExactly(const File& file, std::span<char> into, std::uint64_t offset) {
  WEIR_ASSIGN_OR_RETURN(const std::size_t got, file.ReadAt(into, offset));
  return got == into.size() ? absl::OkStatus()
                            : absl::OutOfRangeError("the file ends before what was to be read");
}

}  // namespace weir::journal

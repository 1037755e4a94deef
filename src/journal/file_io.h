// Whole reads and writes over File, which may do less than it is asked.
//
// Threads: as File.

#ifndef WEIR_JOURNAL_FILE_IO_H_
#define WEIR_JOURNAL_FILE_IO_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "journal/disk.h"

namespace weir::journal {

inline std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  path += '/';
  path += name;
  return path;
}

// Writes all pieces from `offset` on; `pieces` is used up. On error some may have been written.
absl::Status WriteExactly(File& file, std::vector<iovec>& pieces, std::uint64_t offset);
absl::Status WriteExactly(File& file, std::string_view bytes, std::uint64_t offset);

// OutOfRange where the file ends before.
absl::Status ReadExactly(const File& file, std::span<char> into, std::uint64_t offset);

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_FILE_IO_H_

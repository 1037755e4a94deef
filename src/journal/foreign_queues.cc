#include <algorithm>

#include "journal/bytes.h"
#include "journal/file_io.h"
#include "journal/journal.h"

namespace weir::journal {

std::vector<std::string> FindForeignQueues(Disk& disk, const std::string& directory) {
  // A bbolt database: its first page is a header of 16 bytes and this number.
  constexpr std::size_t kMagicAt = 16;
  constexpr std::uint32_t kMagic = 0xED0CDAED;
  std::vector<std::string> queues;
  const auto names = disk.List(directory);
  if (!names.ok()) {
    return queues;
  }
  for (const std::string& name : *names) {
    // Receivers keep their checkpoints in such files, too.
    if (!name.starts_with("exporter_")) {
      continue;
    }
    const auto file = disk.Open(JoinPath(directory, name), OpenMode::kRead);
    std::string head(kMagicAt + sizeof(kMagic), '\0');
    if (file.ok() && ReadExactly(**file, head, 0).ok() &&
        GetAt<std::uint32_t>(head, kMagicAt) == kMagic) {
      queues.push_back(name);
    }
  }
  std::ranges::sort(queues);
  return queues;
}

}  // namespace weir::journal

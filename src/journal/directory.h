// What is in a journal's directory, read without changing anything.
//
// Threads: pure functions over a Disk.

#ifndef WEIR_JOURNAL_DIRECTORY_H_
#define WEIR_JOURNAL_DIRECTORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "journal/disk.h"
#include "journal/positions.h"
#include "journal/segment_scan.h"
#include "weir/base/budget.h"

namespace weir::journal {

inline constexpr std::string_view kLockName = "lock";
inline constexpr std::string_view kQuarantineName = "quarantine";

struct SegmentImage {
  std::uint64_t number = 0;
  SegmentScan scan;
};

struct DirectoryImage {
  PositionFile::Loaded positions;
  std::vector<SegmentImage> segments;  // By number.
  // Of a version that is not known, or not to be read at all. They are left alone.
  std::vector<std::string> ignored_files;
  std::uint64_t number_max = 0;  // Of all segments, ignored ones too.

  // Everything up to here was on the disk, as far as anything in the directory testifies.
  Sequence synced() const;
  // Segments and no positions.
  bool positions_lost() const;
};

// An error where the directory cannot be listed.
absl::StatusOr<DirectoryImage> LoadDirectory(Disk& disk, const std::string& directory,
                                             ScanDepth depth = ScanDepth::kFooter);

// The record at `entry` of `file`; DataLoss when it is not whole or not that one, and
// the disk's own error when that does not give it. With a budget, ResourceExhausted when it has no
// room.
absl::StatusOr<StoredRecord> ReadRecord(const File& file, const Entry& entry, Sequence sequence,
                                        MemoryBudget* budget);

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_DIRECTORY_H_

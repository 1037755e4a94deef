// Reading segments: what is in one without its payloads, and one record out of it.
//
// Threads: pure functions over a File.
// Loss: nothing that fails its checksum is ever returned. After damage the scan goes on at the next
// whole record: behind a damaged payload the head still says where, behind a damaged head it is
// searched for.
// Invariants: memory is bounded by the file's size, whatever the lengths in it say.

#ifndef WEIR_JOURNAL_SEGMENT_SCAN_H_
#define WEIR_JOURNAL_SEGMENT_SCAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "journal/disk.h"
#include "journal/format.h"

namespace weir::journal {

struct SegmentScan {
  HeaderState header_state = HeaderState::kDamaged;
  SegmentHeader header;  // All zero when damaged.
  bool sealed = false;   // The footer was whole; records were not looked at.

  Sequence first = 0;            // Of entries; 0 when there are none.
  std::vector<Entry> entries;    // Consecutive. A hole is a record that could not be read.
  std::uint64_t end_offset = 0;  // Behind the last whole record.
  std::uint64_t file_bytes = 0;
  Sequence synced = 0;  // The highest that its records testify.

  Sequence end() const { return first + entries.size(); }
};

enum class ScanDepth : std::uint8_t {
  kFooter,  // Trust the footer where there is one.
  kFull,    // Read and check every record.
};

// An error only where the disk does not let it be read.
absl::StatusOr<SegmentScan> ScanSegment(const File& file, ScanDepth depth = ScanDepth::kFooter);

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_SEGMENT_SCAN_H_

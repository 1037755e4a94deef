// A file that claims to be a segment: reading it may not crash, hang or allocate more than it is
// large, and what is found in it must be readable and lie within it, in order.

#include <cstddef>
#include <cstdint>
#include <string>

#include "journal/directory.h"
#include "journal/positions.h"
#include "journal/segment_scan.h"
#include "tests/journal/sim_disk.h"
#include "weir/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weir::journal::ScanDepth;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  weir::journal::testing::SimDisk disk;
  disk.SetContent("d/0000000000000001.segment", bytes);
  disk.SetContent("d/positions", bytes);
  const auto file = disk.Open("d/0000000000000001.segment", weir::journal::OpenMode::kRead);
  for (const ScanDepth depth : {ScanDepth::kFooter, ScanDepth::kFull}) {
    const auto scan = weir::journal::ScanSegment(**file, depth);
    WEIR_CHECK(scan.ok());
    for (std::size_t i = 0; i < scan->entries.size(); ++i) {
      const weir::journal::Entry& entry = scan->entries[i];
      WEIR_CHECK(std::uint64_t{entry.offset} + entry.bytes <= size);
      const auto record = weir::journal::ReadRecord(**file, entry, scan->first + i, nullptr);
      // What was checked is whole; a footer may tell of anything.
      WEIR_CHECK(record.ok() || entry.hole() || scan->sealed);
    }
  }
  weir::journal::PositionFile::Load(disk, "d");
  weir::journal::DecodePositions(bytes);
  weir::journal::LoadDirectory(disk, "d").IgnoreError();
  return 0;
}

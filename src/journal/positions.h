// Positions say who has acknowledged what; PositionFile keeps them on disk.
//
//   file := slot slot          slot := header payload
//
// Two slots of equal size, written in turns, each with a checksum and a generation. The one that
// was synced last is never overwritten before the other one is, so one of them is always whole. The
// space is taken when the file is made: acknowledgements can be written, and so space freed, when
// the disk is full.
//
// Threads: outside synchronization.
// Loss: what was written survives the process; what was synced survives a loss of power.

#ifndef WEIR_JOURNAL_POSITIONS_H_
#define WEIR_JOURNAL_POSITIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "journal/disk.h"
#include "journal/journal.h"
#include "journal/range_set.h"

namespace weir::journal {

struct Positions {
  Sequence synced = 0;  // Everything up to here was on the disk.
  Sequence next = 1;    // No sequence from here on was ever given out.
  std::map<std::string, RangeSet> readers;
  Totals totals;

  bool operator==(const Positions&) const = default;
};

std::string EncodePositions(const Positions& positions);
std::optional<Positions> DecodePositions(std::string_view payload);

inline constexpr std::string_view kPositionsName = "positions";

class PositionFile {
 public:
  struct Loaded {
    std::optional<Positions> positions;  // nullopt: missing, or no slot is whole.
    bool exists = false;
    std::uint64_t generation = 0;
    std::size_t slot = 0;
  };
  // The latest whole slot.
  static Loaded Load(Disk& disk, const std::string& directory);

  // Continues `loaded`. Where that has no whole slot, the first Write makes the file anew.
  PositionFile(Disk& disk, std::string directory, const Loaded& loaded);

  absl::Status Write(const Positions& positions);
  absl::Status Sync();

 private:
  // A new file with room to grow, `payload` in its first slot.
  absl::Status Replace(const std::string& payload);

  Disk& disk_;
  const std::string directory_;
  std::unique_ptr<File> file_;
  std::uint64_t slot_bytes_ = 0;
  std::uint64_t generation_ = 0;
  std::size_t synced_slot_ = 0;  // The next Write goes to the other one.
  bool dirty_ = false;           // The other one has been written since the last Sync.
};

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_POSITIONS_H_

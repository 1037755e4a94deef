// SegmentWriter appends to one segment. It writes what it is given in place, without copying it.
//
// Threads: one.
// Invariants: after a failed Write the file ends where it ended before, or usable() is false and
// the segment is to be abandoned: what may stand behind its end is superseded by the next segment,
// which begins with the same sequence.

#ifndef WEIR_JOURNAL_SEGMENT_WRITER_H_
#define WEIR_JOURNAL_SEGMENT_WRITER_H_

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "journal/disk.h"
#include "journal/format.h"
#include "journal/journal.h"

namespace weir::journal {

// A record on its way to the disk.
struct Pending {
  Record record;
  ReaderMask live = 0;
  AppendDone done;
  std::uint32_t payload_crc = 0;
  std::uint64_t bytes = 0;  // On disk.
  Sequence sequence = 0;
};

class SegmentWriter {
 public:
  // Leaves no file behind when it fails.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(Disk& disk, std::string directory,
                                                               const SegmentHeader& header);

  // All of `records`, or nothing. `synced` is written into their heads.
  absl::Status Write(std::span<Pending> records, Sequence synced);
  // Once it failed the segment must not be used any more.
  absl::Status Sync();
  // Takes back what was written from `offset` on.
  absl::Status Cut(std::uint64_t offset);
  // Writes the footer. REQUIRES: all is synced, where anything ever is.
  absl::Status Seal(std::span<const Entry> entries);

  std::uint64_t number() const { return header_.number; }
  Sequence first_sequence() const { return header_.first_sequence; }
  std::uint64_t size() const { return end_; }
  std::uint32_t header_bytes() const { return header_bytes_; }
  bool usable() const { return usable_; }

 private:
  SegmentWriter(Disk& disk, std::string directory, SegmentHeader header)
      : disk_(disk), directory_(std::move(directory)), header_(std::move(header)) {}

  Disk& disk_;
  const std::string directory_;
  const SegmentHeader header_;
  std::unique_ptr<File> file_;
  std::uint32_t header_bytes_ = 0;
  std::uint64_t end_ = 0;
  bool name_synced_ = false;
  bool usable_ = true;

  // Of the Write in progress; kept for their memory.
  std::string heads_;
  std::vector<iovec> pieces_;
};

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_SEGMENT_WRITER_H_

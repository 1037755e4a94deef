// Catalog is what the journal knows about its directory: the segments with where each record is,
// and for each reader what it has acknowledged and what it has been given. It does no I/O.
//
//   acknowledged(reader) ⊆ claimed(reader); Read gives out what is not claimed
//
// A record that is not a reader's, or is lost, counts as acknowledged by it, so that what is
// acknowledged grows into one range.
//
// Threads: all members are thread-safe; one mutex, held for no I/O.
// Invariants: `pending` of a segment is the number of (reader, record) pairs not acknowledged; once
// 0 in a sealed segment it stays 0. Sequences are published in order.

#ifndef WEIR_JOURNAL_CATALOG_H_
#define WEIR_JOURNAL_CATALOG_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "journal/directory.h"
#include "journal/format.h"
#include "journal/journal.h"
#include "journal/positions.h"
#include "journal/range_set.h"

namespace weir::journal {

// Where a record is.
struct Place {
  Sequence sequence = 0;
  std::uint64_t segment = 0;
  Entry entry;
};

class Catalog {
 public:
  // What of an image was gone.
  struct Losses {
    Damage damage;
    std::vector<std::uint64_t> damaged_segments;
  };

  // Takes over what is in `image`. Opened readers come first, in their order. InvalidArgument with
  // more than kReadersMax readers.
  absl::Status Load(const DirectoryImage& image, const std::vector<std::string>& opened,
                    Losses& losses);

  // The committer's side. `first` is the sequence of the segment's first record.
  void AddSegment(std::uint64_t number, Sequence first, std::uint64_t file_bytes);
  void RemoveSegment(std::uint64_t number);
  // A record with its destinations; it becomes readable. `live`: claimed at once by those.
  void Publish(const Entry& entry, ReaderMask live);
  // Records from `from` on are now in a new segment `number`, as `entries`, and in no other one.
  // Returns the number of the one that had nothing else, and is gone; or 0.
  std::uint64_t Move(Sequence from, std::uint64_t number, std::span<const Entry> entries);
  void Seal(std::uint64_t number, std::uint64_t file_bytes);
  std::vector<Entry> EntriesOf(std::uint64_t number) const;
  // Sealed, and needed by nobody.
  std::vector<std::uint64_t> Drained() const;
  bool DrainedWithoutSeal(std::uint64_t number) const;
  bool Contains(Sequence sequence) const;
  Sequence next_sequence() const;

  std::uint64_t FileBytes() const;  // Of all segments.

  std::vector<std::string> ReaderNames() const;  // By index; those that are not opened come last.

  // Positions of all readers; totals are left empty.
  Positions Snapshot() const;

  // A reader's side.
  std::vector<Place> Claim(std::size_t reader, std::size_t bytes_max);
  void ClaimOne(std::size_t reader, Sequence sequence);
  void Unclaim(std::size_t reader, Sequence sequence);
  // True when that changed anything.
  bool Acknowledge(std::size_t reader, Sequence sequence);
  Dropped DropOldest(std::size_t reader, std::uint64_t bytes);
  Backlog BacklogOf(std::size_t reader) const;
  std::uint64_t Unread(std::size_t reader) const;

  // The record at `place` cannot be read: nobody will get it. False when it is no longer there, but
  // somewhere else, or gone.
  bool MarkLost(const Place& place);

  absl::Status Forget(std::string_view name);
  std::map<std::string, Backlog> AbsentBacklogs() const;

 private:
  struct Segment {
    std::uint64_t number = 0;
    Sequence first = 0;
    std::vector<Entry> entries;  // Destinations are bits of readers_.
    std::uint64_t file_bytes = 0;
    std::uint64_t pending = 0;
    bool sealed = false;

    Sequence end() const { return first + entries.size(); }
  };
  struct ReaderState {
    std::string name;
    bool opened = false;
    bool forgotten = false;
    RangeSet acknowledged;
    RangeSet claimed;
    std::uint64_t records = 0;  // Of the backlog.
    std::uint64_t items = 0;
    std::uint64_t bytes = 0;
    std::uint64_t unread = 0;
  };

  absl::Status LoadReaders(const DirectoryImage& image, const std::vector<std::string>& opened);
  void LoadSegment(const SegmentImage& image, Sequence end);
  void LoadGaps(const DirectoryImage& image, Sequence synced, Losses& losses);
  void LoadBacklogs();

  Segment* Find(Sequence sequence);
  const Segment* Find(Sequence sequence) const;
  Segment* Numbered(std::uint64_t number);
  const Segment* Numbered(std::uint64_t number) const;
  // The oldest record that `reader` has not been given.
  std::optional<Place> NextUnclaimed(const ReaderState& reader) const;
  bool AcknowledgeLocked(ReaderState& reader, std::size_t index, Sequence sequence);
  Backlog BacklogLocked(const ReaderState& reader) const;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<Sequence, Segment> segments_;  // By first sequence.
  std::vector<ReaderState> readers_;
  Sequence next_ = 1;
};

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_CATALOG_H_

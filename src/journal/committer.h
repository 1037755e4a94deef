// Committer is the journal's writing side: it turns what waits into durable records, a group at a
// time, and keeps the positions.
//
//   group := records that waited together and fit into one segment:
//            one write, one sync (where asked for), published, each `done`
//
// Threads: one at a time: the journal's committer thread, or who calls Journal::Commit.
// Loss: a group is answered OK, as a whole, only when it is as safe as Fsync says. A failed sync is
// not tried again: the segment ends before what was not synced, which is written again, from
// memory, to a new one. Where that fails as well the group is answered with the error.
// Invariants: what is not synced stays in memory until it is, at most kUnsyncedBytesMax and a
// group.

#ifndef WEIR_JOURNAL_COMMITTER_H_
#define WEIR_JOURNAL_COMMITTER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "journal/catalog.h"
#include "journal/disk.h"
#include "journal/journal.h"
#include "journal/positions.h"
#include "journal/segment_writer.h"

namespace weir::journal {

class Committer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Start {
    std::unique_ptr<PositionFile> positions;
    std::uint64_t segment_number_max = 0;
    Sequence synced = 0;
    Totals totals;  // Kept as they are where Options has no `totals`.
  };

  // `options`, `disk` and `catalog` outlive it.
  Committer(const Options& options, Disk& disk, Catalog& catalog, std::vector<std::string> readers,
            Start start);

  // Writes `records` and answers each. They are gone afterwards.
  void Commit(std::vector<Pending>& records);
  // Does what is due; returns when something will be next, if anything.
  std::optional<Time> Tick(Time now);
  // Any thread: positions have changed. True when Tick is to be called for it.
  bool NoteAcknowledged();
  absl::Status Checkpoint();
  absl::Status Close();

  std::uint64_t syncs() const { return syncs_.load(std::memory_order_relaxed); }

 private:
  void CommitGroup(std::span<Pending> group);
  absl::Status WriteGroup(std::span<Pending> group);
  absl::Status WriteOnce(std::span<Pending> group);
  std::size_t GroupEnd(std::span<const Pending> records) const;
  absl::Status MakeRoom(std::uint64_t bytes);
  absl::Status OpenSegment(Sequence first);
  void EndSegment();  // Seals and closes it, if it is usable.
  // Closes it at `end`; deletes it where nothing in it was published.
  void AbandonSegment(std::uint64_t end);
  absl::Status SyncSegment();
  absl::Status SyncUnsynced();
  absl::Status Rewrite();
  void Synced();
  absl::Status WritePositions();
  void Reclaim(const std::vector<std::uint64_t>& segments);
  void Reported(const absl::Status& status);

  const Options& options_;
  Disk& disk_;
  Catalog& catalog_;
  const std::vector<std::string> readers_;
  const std::uint64_t segment_bytes_;

  std::unique_ptr<SegmentWriter> writer_;  // Null: the next record opens a segment.
  std::unique_ptr<PositionFile> positions_;
  std::uint64_t segment_number_max_;
  Sequence synced_;
  const Totals totals_;
  // Fsync::kInterval: answered and not synced, in order.
  std::vector<Pending> unsynced_;
  std::uint64_t unsynced_bytes_ = 0;
  Time unsynced_since_{};

  bool positions_changed_ = false;
  Time positions_changed_since_{};
  bool positions_unsynced_ = false;
  Time positions_unsynced_since_{};
  bool failing_ = false;  // The last write failed: said once in the log.

  std::atomic<bool> acknowledged_{false};  // Since the positions were last written.
  // Written by the committer, read by anyone. Relaxed: figures, they order nothing.
  std::atomic<std::uint64_t> syncs_{0};
};

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_COMMITTER_H_

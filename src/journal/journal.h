// Journal is a durable queue in a directory: records are appended once and read by several readers,
// each of which acknowledges what it is done with.
//
//   auto journal = Journal::Open({.directory = dir, .logger = logger}, PosixDisk(), {"otlp",
//   "kafka"});
//   (*journal)->Append(std::move(record), live, [](absl::Status status, Sequence sequence) { ...
//   }); Reader& reader = (*journal)->reader(0); for (StoredRecord& stored : reader.Read(bytes_max,
//   &budget).records) { ... } reader.Acknowledge(sequence);
//
// Files: docs/journal_format.md has the bytes. A directory holds segments (append-only, deleted as
// a whole), `positions` (who has acknowledged what), `lock`, and `quarantine/` (damaged segments).
//
// Threads: Append, Acknowledge and everything else said so are for any thread. One committer thread
// a journal writes: it gathers what waits, writes it in one go, syncs once for all, and then calls
// each `done`, which must not block and may call Append, Skip and Acknowledge. Close and the
// destructor run on one thread, with no call of another one in progress.
// Ownership: readers belong to the journal; disk, budget and the logger's output outlive it.
// Loss: a record is safe when `done` says OK: with Fsync::kAlways from power loss, with kInterval
// and kNever from the end of this process only (kInterval: what is younger than the interval).
// An acknowledgement may be forgotten in a crash (some 10 ms of them when the process is killed,
// `position_sync_interval` when power is lost); its record is then read once more. What is damaged
// on disk is counted, logged and kept aside; the rest is read.
// Invariants: a record is destined for the readers it names and for no other. Read gives it to each
// of them at most once an Open, unless it is given back by Return. A segment is deleted only when
// every reader, also one that was not opened, has acknowledged all of its records. Memory: 32 bytes
// for each record on disk, and what waits to be written, which the caller bounds.

#ifndef WEIR_JOURNAL_JOURNAL_H_
#define WEIR_JOURNAL_JOURNAL_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "journal/disk.h"
#include "journal/record.h"
#include "weir/base/budget.h"
#include "weir/telemetry/log.h"

namespace weir::journal {

enum class Fsync : std::uint8_t {
  kAlways,    // Before `done`.
  kInterval,  // `done` once written; synced every fsync_interval, and every 16 MiB.
  kNever,     // Left to the kernel.
};

// Counters by name, kept with the positions; see Options::totals.
using Totals = std::map<std::string, std::uint64_t>;

struct Options {
  std::string directory;  // Must exist.

  Fsync fsync = Fsync::kAlways;
  std::chrono::nanoseconds fsync_interval = std::chrono::seconds(1);

  // A segment is closed at this size. Space comes back in such pieces: lower frees it sooner, and
  // costs more files. Between 64 KiB and 1 GiB; with max_size_bytes it is at most an eighth of it.
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;
  // Appends that would take the directory past it are answered ResourceExhausted; 0 sets no limit.
  std::uint64_t max_size_bytes = 0;

  // Acknowledgements are written this often, and synced (and space reclaimed) that often.
  std::chrono::nanoseconds position_write_interval = std::chrono::milliseconds(10);
  std::chrono::nanoseconds position_sync_interval = std::chrono::seconds(1);

  // Asked whenever positions are written, on the committer thread: the caller's counters, to be
  // found in Journal::recovered().totals after the next Open. They are read after the
  // acknowledgements, so they are never older than these. Without it those that were found stay.
  std::function<Totals()> totals;

  Logger logger;

  // For tests and tools. Without the thread nothing happens but in Commit() and Close().
  bool own_thread = true;
  std::function<std::chrono::steady_clock::time_point()> clock = [] {
    return std::chrono::steady_clock::now();
  };
};

struct Backlog {
  std::uint64_t records = 0;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;  // On disk, with framing.
  // When the oldest was received, to the second; nullopt when nothing waits.
  std::optional<std::chrono::system_clock::time_point> oldest;
};

// What Open found. Counts of damage grow while records are read: see Journal::damage().
struct Recovered {
  std::uint64_t segments = 0;
  std::uint64_t records = 0;
  std::uint64_t torn_bytes = 0;             // Cut off at the end of segments: never answered.
  std::vector<std::string> absent_readers;  // Known to the directory and not opened.
  std::vector<std::string> ignored_files;   // Segments of a format this version does not know.
  bool positions_lost = false;              // Everything kept is given to its readers again.
  Totals totals;
  Sequence next_sequence = 1;  // Of the first record that is appended from here on.
};

struct Damage {
  std::uint64_t records = 0;           // Corrupt, and so not delivered.
  std::uint64_t segments_damaged = 0;  // Kept aside in quarantine/.
  std::uint64_t segments_missing = 0;  // Gaps with records that some reader had not acknowledged.

  bool operator==(const Damage&) const = default;
};

struct ReadResult {
  std::vector<StoredRecord> records;
  bool refused_by_budget = false;  // There is more, but no memory to read it into.
  bool disk_failed = false;        // There is more, but the disk does not give it: try again later.
};

struct Dropped {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t items = 0;
  Sequence last = 0;  // The newest of them.
  std::array<std::uint64_t, kSignalCount> items_by_signal{};
};

// One destination's view of the journal. Any thread; Read by one thread at a time.
class Reader {
 public:
  virtual ~Reader() = default;

  virtual const std::string& name() const = 0;

  // The next records for this reader that are on disk, not acknowledged, not skipped and not read
  // before, oldest first: as many as fit into `bytes_max`, but at least one. Empty when nothing
  // waits, or as the result's flags say. What is returned is charged to `budget`. A record that is
  // damaged is acknowledged and counted; one that the disk does not give three times is left for
  // the next Open.
  virtual ReadResult Read(std::size_t bytes_max, MemoryBudget* budget = nullptr) = 0;

  // Read will not return it: the caller has it in memory. (Append's `live` does that from the
  // start.)
  virtual void Skip(Sequence sequence) = 0;
  // Undoes Skip, or Read, for what the caller no longer keeps: Read will return it (again).
  virtual void Return(Sequence sequence) = 0;

  // Done with it for good. Acknowledging twice is fine.
  virtual void Acknowledge(Sequence sequence) = 0;

  // Acknowledges the oldest records that are not, up to and including the one that makes it
  // `bytes`; not those the caller has (skipped, or read and not returned), which it can settle
  // itself.
  virtual Dropped DropOldest(std::uint64_t bytes) = 0;

  virtual Backlog backlog() const = 0;
  // Records that Read would return now.
  virtual std::uint64_t unread_records() const = 0;
};

// Called on the committer thread. ResourceExhausted: the disk (or max_size_bytes) is full.
// Unavailable: it failed. InvalidArgument: larger than a record may be. In each case nothing was
// kept, and trying again later is right but for the last. Sequence 0 where it failed.
using AppendDone = absl::AnyInvocable<void(absl::Status, Sequence)>;

class Journal {
 public:
  // Reads what is there and repairs what a crash left. Damage is never an error; errors are: the
  // directory cannot be used (missing, read-only, full), it is locked (FailedPrecondition), or
  // there are more than 64 readers with those that are absent. Reader names are not empty, and
  // distinct. A reader that the directory does not know starts at the tail.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(Options options, Disk& disk,
                                                       std::vector<std::string> readers);
  virtual ~Journal() = default;

  // Any thread. `live`: readers that get the record from the caller's memory, as if Skip had been
  // called before anybody could Read it. REQUIRES: only bits of opened readers.
  virtual void Append(Record record, ReaderMask live, AppendDone done) = 0;

  // i-th of the readers given to Open.
  virtual Reader& reader(std::size_t index) = 0;
  virtual std::size_t reader_count() const = 0;

  // Lets go of what an absent reader holds. FailedPrecondition where it is opened, NotFound where
  // it is unknown. Any thread.
  virtual absl::Status Forget(std::string_view name) = 0;
  // Backlogs of absent readers, by name. Any thread.
  virtual std::map<std::string, Backlog> absent_backlogs() const = 0;

  virtual const Recovered& recovered() const = 0;
  virtual Damage damage() const = 0;                // Any thread.
  virtual std::uint64_t bytes_on_disk() const = 0;  // Segments; without quarantine. Any thread.
  virtual std::uint64_t syncs() const = 0;          // Of segments, since Open. Any thread.

  // Writes and syncs positions now and deletes what they allow; done by itself at the interval.
  // Any thread: it is asked of the committer and waited for.
  virtual absl::Status Checkpoint() = 0;

  // Commits what waits, on this thread. REQUIRES: !own_thread.
  virtual void Commit() = 0;

  // Commits what waits, syncs, writes positions. Idempotent; the destructor does it too. Appends
  // from here on are answered Unavailable.
  virtual absl::Status Close() = 0;
};

// Names of the queues that an OpenTelemetry Collector's file_storage extension left in `directory`:
// "exporter_otlp__traces" and the like.
std::vector<std::string> FindForeignQueues(Disk& disk, const std::string& directory);

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_JOURNAL_H_

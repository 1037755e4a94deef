// OffsetTracker knows which messages of one partition are settled, and so up to where its offset
// may be committed: the highest one below which nothing is open.
//
//   open --Settle--> settled          open --Fail--> failed --Begin again--> open
//
// Threads: the consumer's.
// Invariants: committable() never passes an offset that is open or failed; offsets may have gaps.
// The window's size is bounded by whoever stops calling Begin.

#ifndef WEIR_RECEIVERS_KAFKA_OFFSET_TRACKER_H_
#define WEIR_RECEIVERS_KAFKA_OFFSET_TRACKER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>

namespace weir::receivers::kafka {

class OffsetTracker {
 public:
  enum class Verdict : std::uint8_t {
    kTake,     // New, or failed before: hand it on.
    kSkip,     // Under way, or done: a partition set back to a failed message sees it once more.
    kRewound,  // From below all that is open: the log was cut or made anew. Use a new tracker.
  };
  Verdict Begin(std::int64_t offset);
  // The partition is set back to `offset`: what comes from there on, up to the first new message,
  // is read once more because it was asked for, even when all of it is settled by then.
  void ReadAgainFrom(std::int64_t offset);
  // No-op where the offset is unknown.
  void Settle(std::int64_t offset);
  void Fail(std::int64_t offset);

  // The offset to commit, which is the next one to read; nullopt before the first one is settled.
  std::optional<std::int64_t> committable() const { return committable_; }
  // Where to read again; nullopt when nothing failed.
  std::optional<std::int64_t> first_failed() const;
  // The offset behind the last one begun.
  std::int64_t next() const { return next_; }
  std::size_t window() const { return entries_.size(); }

 private:
  enum class State : std::uint8_t { kOpen, kFailed, kSettled };
  struct Entry {
    std::int64_t offset;
    State state;
  };
  Entry* Find(std::int64_t offset);
  static constexpr std::int64_t kNowhere = std::numeric_limits<std::int64_t>::max();

  std::deque<Entry> entries_;  // By offset; the front is not settled.
  std::optional<std::int64_t> committable_;
  std::int64_t next_ = 0;
  std::int64_t again_from_ = kNowhere;
};

}  // namespace weir::receivers::kafka

#endif  // WEIR_RECEIVERS_KAFKA_OFFSET_TRACKER_H_

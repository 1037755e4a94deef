// Statistics is what a run counts. Items: once it has ended, every one that was sent is
// acknowledged, rejected or failed.
//
// Threads: one at a time.
// Invariants: sent >= acknowledged + rejected + failed_items(), equal when nothing is in flight.

#ifndef WEIR_LOAD_STATISTICS_H_
#define WEIR_LOAD_STATISTICS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "load/latency_histogram.h"

namespace weir::load {

// A set of numbers, kept as ranges that are joined where they touch. It stops growing at
// kRangesMax ranges, and says so.
class NumberRanges {
 public:
  static constexpr std::size_t kRangesMax = 65536;

  void Add(std::uint64_t first, std::uint64_t count);

  // First and last of each, in order.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> List() const;
  bool complete() const { return complete_; }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // First to last.
  bool complete_ = true;
};

// Keys are names of codes ("UNAVAILABLE", "503"), so there are few.
using CountByCode = std::map<std::string, std::uint64_t>;

struct Statistics {
  // Items.
  std::uint64_t sent = 0;  // Once, however often they are tried.
  std::uint64_t acknowledged = 0;
  std::uint64_t rejected = 0;  // By a partial success.
  CountByCode failed;          // Given up, by the last answer.

  // Requests. Each of `tries` that has ended is one of `answers_ok` or of `errors`.
  std::uint64_t requests = 0;
  std::uint64_t tries = 0;
  std::uint64_t answers_ok = 0;
  std::uint64_t retries = 0;
  CountByCode errors;
  std::string last_error;  // As the server put it.

  std::uint64_t bytes = 0;   // Of all tries, compressed, without framing.
  LatencyHistogram latency;  // Of tries that were answered with success.
  std::chrono::nanoseconds elapsed{0};

  // Numbered items that were not, or not for sure, acknowledged.
  NumberRanges unacknowledged;

  std::uint64_t failed_items() const;
  bool all_acknowledged() const { return sent == acknowledged; }
};

}  // namespace weir::load

#endif  // WEIR_LOAD_STATISTICS_H_

// What a load run shows: a line a second while it goes on, and a summary, as text or JSON.
//
// Threads: one at a time.

#ifndef WEIR_LOAD_REPORT_H_
#define WEIR_LOAD_REPORT_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "load/options.h"
#include "load/statistics.h"

namespace weir::load {

// "2.50 s", "120 s", "1.25 ms", "830 us".
std::string FormatLatency(std::chrono::nanoseconds latency);

class ProgressMeter {
 public:
  // One line, without its end: what happened since the last call, `interval` ago.
  std::string Line(const Statistics& now, std::uint32_t in_flight,
                   std::chrono::nanoseconds interval);

 private:
  // As they were at the last call.
  std::uint64_t acknowledged_ = 0;
  std::uint64_t answers_ok_ = 0;
  CountByCode errors_;
  LatencyHistogram latency_;
  std::chrono::nanoseconds elapsed_{0};
};

std::string SummaryText(const LoadOptions& options, const Statistics& statistics);
// One object on one line, with its end.
std::string SummaryJson(const LoadOptions& options, const Statistics& statistics);

}  // namespace weir::load

#endif  // WEIR_LOAD_REPORT_H_

// What the process as a whole shows about itself, read from /proc/self and the allocator at each
// scrape, so that it costs nothing in between.
//
// Threads: start-up; the observations run at scrapes.

#ifndef WEIR_SRC_TELEMETRY_PROCESS_METRICS_H_
#define WEIR_SRC_TELEMETRY_PROCESS_METRICS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/budget.h"
#include "weir/telemetry/metrics.h"

namespace weir {

// otelcol_process_* and weir_process_*; uptime counts from this call.
void ShowProcess(MetricRegistry& registry);

// weir_build_info.
void ShowBuild(MetricRegistry& registry, std::string_view version, std::string_view revision);

// weir_budget_*; `budget` outlives the registry's last scrape.
void ShowBudget(MetricRegistry& registry, const MemoryBudget& budget);

namespace internal {

// Fields of /proc/self/stat; nullopt when the text is not of that form.
struct ProcessStat {
  double cpu_seconds = 0;
  std::uint64_t threads = 0;
  std::uint64_t resident_pages = 0;
};
std::optional<ProcessStat> ParseProcessStat(std::string_view text, double ticks_per_second);

}  // namespace internal

}  // namespace weir

#endif  // WEIR_SRC_TELEMETRY_PROCESS_METRICS_H_

#include "telemetry/process_metrics.h"

#include <dirent.h>
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <vector>

#include "weir/telemetry/self_metrics.h"

namespace weir {

namespace {

internal::ProcessStat ReadProcessStat() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return internal::ParseProcessStat(text, ticks).value_or(internal::ProcessStat{});
}

double CountOpenFds() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) {
    return 0;
  }
  double count = -1;  // The directory's own descriptor is among the entries.
  while (const dirent* entry = readdir(directory)) {
    count += entry->d_name[0] != '.';
  }
  closedir(directory);
  return count;
}

// The compiler says what it is only by macros.
#if defined(__clang__)
constexpr std::string_view kCompiler = "clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "gcc " __VERSION__;
#endif

}  // namespace

namespace internal {

std::optional<ProcessStat> ParseProcessStat(std::string_view text, double ticks_per_second) {
  // The second field is the program's name in parentheses and may hold anything, spaces too.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) {
    return std::nullopt;
  }
  constexpr std::size_t kUserTicks = 11, kSystemTicks = 12, kThreads = 17, kResidentPages = 21;
  std::vector<std::uint64_t> fields;  // Field 0 is the one after the name.
  std::size_t begin = name_end + 1;
  while (begin < text.size() && fields.size() <= kResidentPages) {
    begin = text.find_first_not_of(' ', begin);
    if (begin == std::string_view::npos) {
      break;
    }
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    std::uint64_t value = 0;  // Stays 0 for the state's letter and for negative fields: unused.
    std::from_chars(text.data() + begin, text.data() + end, value);
    fields.push_back(value);
    begin = end;
  }
  if (fields.size() <= kResidentPages || !(ticks_per_second > 0)) {
    return std::nullopt;
  }
  return ProcessStat{.cpu_seconds = static_cast<double>(fields[kUserTicks] + fields[kSystemTicks]) /
                                    ticks_per_second,
                     .threads = fields[kThreads],
                     .resident_pages = fields[kResidentPages]};
}

}  // namespace internal

void ShowProcess(MetricRegistry& registry) {
  registry.ObserveForever(kProcessUptime, {}, [start = std::chrono::steady_clock::now()] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  });
  registry.ObserveForever(kProcessCpuSeconds, {}, [] { return ReadProcessStat().cpu_seconds; });
  registry.ObserveForever(kProcessMemoryRss, {}, [page = sysconf(_SC_PAGESIZE)] {
    return static_cast<double>(ReadProcessStat().resident_pages) * static_cast<double>(page);
  });
  registry.ObserveForever(kProcessThreads, {},
                          [] { return static_cast<double>(ReadProcessStat().threads); });
  registry.ObserveForever(kProcessOpenFds, {}, CountOpenFds);
  registry.ObserveForever(kProcessRuntimeHeapAllocBytes, {}, [] {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
  });
  registry.ObserveForever(kProcessRuntimeTotalSysMemoryBytes, {}, [] {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.arena + info.hblkhd);
  });
}

void ShowBuild(MetricRegistry& registry, std::string_view version, std::string_view revision) {
  registry
      .GetGauge(kBuildInfo, {{"version", std::string(version)},
                             {"revision", std::string(revision)},
                             {"compiler", std::string(kCompiler)}})
      .Set(1);
}

void ShowBudget(MetricRegistry& registry, const MemoryBudget& budget) {
  registry.ObserveForever(kBudgetBytes, {{"owner", "total"}},
                          [&budget] { return static_cast<double>(budget.used()); });
  registry.ObserveForever(kBudgetLimitBytes, {},
                          [&budget] { return static_cast<double>(budget.limit()); });
  registry.ObserveForever(kBudgetRefusals, {},
                          [&budget] { return static_cast<double>(budget.refusals()); });
}

}  // namespace weir

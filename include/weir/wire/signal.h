// Signal says which of the three kinds of telemetry a request holds, and what its items are called.

#ifndef WEIR_WIRE_SIGNAL_H_
#define WEIR_WIRE_SIGNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

enum class Signal : std::uint8_t { kTraces, kMetrics, kLogs };

inline constexpr std::size_t kSignalCount = 3;
inline constexpr std::array<Signal, kSignalCount> kSignals = {Signal::kTraces, Signal::kMetrics,
                                                              Signal::kLogs};

// A signal as an index into an array of kSignalCount.
constexpr std::size_t SignalIndex(Signal signal) { return static_cast<std::size_t>(signal); }

// "traces", "metrics", "logs": as pipelines are named in a configuration.
constexpr std::string_view SignalName(Signal signal) {
  constexpr std::array<std::string_view, kSignalCount> kNames = {"traces", "metrics", "logs"};
  return kNames[SignalIndex(signal)];
}

// "spans", "metric_points", "log_records": as the Collector's own metrics end, such as
// otelcol_receiver_accepted_spans. A metrics item is a data point, not a metric.
constexpr std::string_view SignalItemName(Signal signal) {
  constexpr std::array<std::string_view, kSignalCount> kNames = {"spans", "metric_points",
                                                                 "log_records"};
  return kNames[SignalIndex(signal)];
}

}  // namespace weir

#endif  // WEIR_WIRE_SIGNAL_H_

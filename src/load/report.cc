#include "load/report.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "fmt/format.h"
#include "telemetry/json_text.h"

namespace weir::load {
namespace {

using std::chrono::nanoseconds;

struct QuantileName {
  const char* name;
  double share;
};
constexpr std::array<QuantileName, 4> kQuantiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

double Seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }
double Millis(nanoseconds time) { return Seconds(time) * 1e3; }

double PerSecond(std::uint64_t count, nanoseconds time) {
  return time.count() > 0 ? static_cast<double>(count) / Seconds(time) : 0;
}

// "1234567" as "1,234,567".
std::string Grouped(std::uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (std::ptrdiff_t at = std::ssize(text) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string Grouped(double number) { return Grouped(static_cast<std::uint64_t>(number + 0.5)); }

// "UNAVAILABLE 3, INTERNAL 1".
std::string CodesText(const CountByCode& counts) {
  std::string text;
  for (const auto& [code, count] : counts) {
    fmt::format_to(std::back_inserter(text), "{}{} {}", text.empty() ? "" : ", ", code,
                   Grouped(count));
  }
  return text;
}

void AppendCodes(std::string& json, const char* name, const CountByCode& counts) {
  fmt::format_to(std::back_inserter(json), "\"{}\":{{", name);
  bool first = true;
  for (const auto& [code, count] : counts) {
    json += first ? "" : ",";
    internal::AppendJsonString(code, json);
    fmt::format_to(std::back_inserter(json), ":{}", count);
    first = false;
  }
  json += "}";
}

void AppendUnacknowledged(std::string& json, const NumberRanges& ranges) {
  json += ",\"unacknowledged\":[";
  bool first = true;
  for (const auto& [begin, end] : ranges.List()) {
    fmt::format_to(std::back_inserter(json), "{}[{},{}]", first ? "" : ",", begin, end);
    first = false;
  }
  fmt::format_to(std::back_inserter(json), "],\"unacknowledged_complete\":{}", ranges.complete());
}

}  // namespace

std::string FormatLatency(nanoseconds latency) {
  const double millis = Millis(latency);
  const auto precision = [](double value) { return value < 10 ? 2 : value < 100 ? 1 : 0; };
  if (millis >= 1000) {
    return fmt::format("{:.{}f} s", millis / 1000, precision(millis / 1000));
  }
  if (millis >= 1) {
    return fmt::format("{:.{}f} ms", millis, precision(millis));
  }
  return fmt::format("{:.0f} us", millis * 1000);
}

std::string ProgressMeter::Line(const Statistics& now, std::uint32_t in_flight,
                                nanoseconds interval) {
  elapsed_ += interval;
  const LatencyHistogram latency = now.latency.Since(latency_);
  CountByCode errors;
  for (const auto& [code, count] : now.errors) {
    if (const std::uint64_t more = count - std::exchange(errors_[code], count); more > 0) {
      errors[code] = more;
    }
  }
  std::string line =
      fmt::format("{:.0f} s: {} items/s, {} requests/s, {} in flight, p50 {}, p99 {}",
                  Seconds(elapsed_), Grouped(PerSecond(now.acknowledged - acknowledged_, interval)),
                  Grouped(PerSecond(now.answers_ok - answers_ok_, interval)), in_flight,
                  FormatLatency(latency.Quantile(0.5)), FormatLatency(latency.Quantile(0.99)));
  if (!errors.empty()) {
    line += ", errors: " + CodesText(errors);
  }
  acknowledged_ = now.acknowledged;
  answers_ok_ = now.answers_ok;
  latency_ = now.latency;
  return line;
}

std::string SummaryText(const LoadOptions& options, const Statistics& statistics) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    fmt::format_to(std::back_inserter(text), "{:<13} {}\n", name, value);
  };
  line("sent", fmt::format("{} items in {} requests, {:.2f} s", Grouped(statistics.sent),
                           Grouped(statistics.requests), Seconds(statistics.elapsed)));
  line("acknowledged",
       fmt::format("{} items, {} a second", Grouped(statistics.acknowledged),
                   Grouped(PerSecond(statistics.acknowledged, statistics.elapsed))));
  line("rejected", fmt::format("{} items", Grouped(statistics.rejected)));
  line("failed", fmt::format("{} items{}{}", Grouped(statistics.failed_items()),
                             statistics.failed.empty() ? "" : ": ", CodesText(statistics.failed)));
  line("retried", fmt::format("{} requests", Grouped(statistics.retries)));
  if (!statistics.errors.empty()) {
    line("errors", CodesText(statistics.errors));
  }
  if (!statistics.last_error.empty()) {
    line("last error", statistics.last_error);
  }
  std::string latency;
  for (const QuantileName& quantile : kQuantiles) {
    fmt::format_to(std::back_inserter(latency), "{} {}, ", quantile.name,
                   FormatLatency(statistics.latency.Quantile(quantile.share)));
  }
  line("latency", latency + "max " + FormatLatency(statistics.latency.max()));
  line("bandwidth",
       fmt::format("{:.1f} MB/s ({})", PerSecond(statistics.bytes, statistics.elapsed) / 1e6,
                   net::CompressionName(options.compression)));
  return text;
}

std::string SummaryJson(const LoadOptions& options, const Statistics& statistics) {
  std::string json = fmt::format(
      "{{\"sent\":{},\"acknowledged\":{},\"rejected\":{},\"failed_items\":{},", statistics.sent,
      statistics.acknowledged, statistics.rejected, statistics.failed_items());
  AppendCodes(json, "failed", statistics.failed);
  fmt::format_to(std::back_inserter(json),
                 ",\"requests\":{},\"tries\":{},\"answers_ok\":{},\"retried\":{},",
                 statistics.requests, statistics.tries, statistics.answers_ok, statistics.retries);
  AppendCodes(json, "errors", statistics.errors);
  json += ",\"last_error\":";
  internal::AppendJsonString(statistics.last_error, json);
  fmt::format_to(
      std::back_inserter(json),
      ",\"duration_seconds\":{:.3f},\"items_per_second\":{:.1f},\"bytes\":{},\"seed\":{}",
      Seconds(statistics.elapsed), PerSecond(statistics.acknowledged, statistics.elapsed),
      statistics.bytes, options.seed);
  json += ",\"latency_ms\":{";
  for (const QuantileName& quantile : kQuantiles) {
    fmt::format_to(std::back_inserter(json), "\"{}\":{:.3f},", quantile.name,
                   Millis(statistics.latency.Quantile(quantile.share)));
  }
  fmt::format_to(std::back_inserter(json), "\"max\":{:.3f}}}", Millis(statistics.latency.max()));
  if (options.numbered) {
    AppendUnacknowledged(json, statistics.unacknowledged);
  }
  json += "}\n";
  return json;
}

}  // namespace weir::load

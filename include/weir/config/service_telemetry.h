// service::telemetry: what the daemon says about itself. Keys and defaults are the Collector's; a
// key that has no meaning here is accepted with a warning, so that a working file keeps working.
//
// Threads: plain values.

#ifndef WEIR_CONFIG_SERVICE_TELEMETRY_H_
#define WEIR_CONFIG_SERVICE_TELEMETRY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/config/fields.h"

namespace weir {

enum class LogsLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kDPanic, kPanic, kFatal };
template <>
struct EnumNames<LogsLevel> {
  static constexpr std::pair<std::string_view, LogsLevel> kNames[] = {
      {"debug", LogsLevel::kDebug}, {"info", LogsLevel::kInfo},     {"warn", LogsLevel::kWarn},
      {"error", LogsLevel::kError}, {"dpanic", LogsLevel::kDPanic}, {"panic", LogsLevel::kPanic},
      {"fatal", LogsLevel::kFatal}, {"warning", LogsLevel::kWarn}};
  static constexpr bool kIgnoreCase = true;
};

enum class LogsEncoding : std::uint8_t { kConsole, kJson };
template <>
struct EnumNames<LogsEncoding> {
  static constexpr std::pair<std::string_view, LogsEncoding> kNames[] = {
      {"console", LogsEncoding::kConsole}, {"json", LogsEncoding::kJson}};
};

enum class MetricsLevel : std::uint8_t { kNone, kBasic, kNormal, kDetailed };
template <>
struct EnumNames<MetricsLevel> {
  static constexpr std::pair<std::string_view, MetricsLevel> kNames[] = {
      {"none", MetricsLevel::kNone},
      {"basic", MetricsLevel::kBasic},
      {"normal", MetricsLevel::kNormal},
      {"detailed", MetricsLevel::kDetailed}};
  static constexpr bool kIgnoreCase = true;
};

struct LogsSampling {
  Duration tick = std::chrono::seconds(10);
  std::uint32_t initial = 10;
  std::uint32_t thereafter = 100;

  static void VisitFields(auto& self, auto& visit) {
    visit("tick", self.tick, "Span of time over which equal lines are counted.",
          AtLeast(std::chrono::milliseconds(1)));
    visit("initial", self.initial, "Equal lines written in one tick before sampling sets in.");
    visit("thereafter", self.thereafter,
          "From then on every how-manieth equal line is written; 0 writes none.");
  }
  bool operator==(const LogsSampling&) const = default;
};

struct LogsTelemetry {
  LogsLevel level = LogsLevel::kInfo;
  LogsEncoding encoding = LogsEncoding::kConsole;
  std::vector<std::string> output_paths = {"stderr"};
  std::map<std::string, ConfigNode> initial_fields;
  std::optional<LogsSampling> sampling = LogsSampling{};

  static void VisitFields(auto& self, auto& visit) {
    visit("level", self.level, "Least severe level that is written.");
    visit("encoding", self.encoding, "Form of a line.");
    visit("output_paths", self.output_paths, "`stdout`, `stderr`, or files to append to.");
    visit("initial_fields", self.initial_fields, "Fields added to every line.");
    visit("sampling", self.sampling, "Limits equal lines; `enabled: false` writes them all.");
    visit.Ignored("development", "there is one mode only");
    visit.Ignored("disable_caller", "lines name an event, not a place in the source");
    visit.Ignored("disable_stacktrace", "lines carry no stack traces");
    visit.Ignored("disable_zap_resource",
                  "lines carry no resource unless `initial_fields` says so");
    visit.Ignored("error_output_paths", "errors of the log itself go to stderr");
    visit.Ignored("processors", "own logs are written to `output_paths` only");
  }
  bool operator==(const LogsTelemetry&) const = default;
};

// Where /metrics is served.
struct PrometheusReader {
  std::string host = "localhost";
  std::uint16_t port = 8888;
  bool without_scope_info = true;
  bool without_type_suffix = true;
  bool without_units = true;

  static void VisitFields(auto& self, auto& visit) {
    visit("host", self.host, "Address to bind.");
    visit("port", self.port, "Port to bind; 0 picks a free one.");
    visit("without_scope_info", self.without_scope_info, "Leave out the scope's labels.");
    visit("without_type_suffix", self.without_type_suffix, "Leave out `_total` and the like.");
    visit("without_units", self.without_units, "Leave out units in names.");
    visit.Ignored("with_resource_constant_labels", "the resource is in `target_info`");
  }
  bool operator==(const PrometheusReader&) const = default;
};

struct MetricsPullExporter {
  std::optional<PrometheusReader> prometheus;

  static void VisitFields(auto& self, auto& visit) {
    visit("prometheus", self.prometheus, "Serves `/metrics` in Prometheus's text form.");
    visit.Alias("prometheus/development", "prometheus");
  }
  bool operator==(const MetricsPullExporter&) const = default;
};

struct MetricsPull {
  MetricsPullExporter exporter;

  static void VisitFields(auto& self, auto& visit) {
    visit("exporter", self.exporter, "What serves the metrics.");
    visit.Ignored("producers", "there are none besides the daemon's own metrics");
    visit.Ignored("cardinality_limits", "labels are limited in number by design");
  }
  bool operator==(const MetricsPull&) const = default;
};

struct MetricsReader {
  std::optional<MetricsPull> pull;

  static void VisitFields(auto& self, auto& visit) {
    visit("pull", self.pull, "A reader that others come to.");
    visit.Ignored("periodic", "own metrics are served for pulling only");
  }
  bool operator==(const MetricsReader&) const = default;
};

struct MetricsTelemetry {
  MetricsLevel level = MetricsLevel::kNormal;
  std::vector<MetricsReader> readers = {
      MetricsReader{.pull = MetricsPull{.exporter = {.prometheus = PrometheusReader{}}}}};
  std::string address;

  static void VisitFields(auto& self, auto& visit) {
    visit("level", self.level, "How much is measured; `none` serves nothing.");
    visit("readers", self.readers, "Where own metrics are served.");
    visit("address", self.address, "The older form of `readers`: `host:port` to serve on.");
    visit.Ignored("views", "every metric has a fixed form");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const MetricsTelemetry&) const = default;

  // Where to serve, from `address` or `readers`; none when the level is `none`.
  // REQUIRES: read without errors.
  std::vector<PrometheusReader> Servers() const;
};

// service::telemetry::resource in its three forms: a map of names, `attributes` as a list of names
// and values, or both keys of an OpenTelemetry resource. A null value takes a default away.
struct ResourceTelemetry {
  std::map<std::string, std::optional<std::string>> attributes;

  static ResourceTelemetry ReadField(const ConfigNode& node, const std::string& path,
                                     ConfigErrors& errors);
  ConfigNode FormatField(SecretPolicy policy) const;
  static ConfigNode FieldSchema();
  static std::string FieldTypeName() { return "map of strings"; }
  static ConfigNode RedactField(const ConfigNode& node) { return node; }
  bool operator==(const ResourceTelemetry&) const = default;
};

struct ServiceTelemetry {
  LogsTelemetry logs;
  MetricsTelemetry metrics;
  ResourceTelemetry resource;

  static void VisitFields(auto& self, auto& visit) {
    visit("logs", self.logs, "Own log.");
    visit("metrics", self.metrics, "Own metrics.");
    visit("resource", self.resource, "Attributes of the daemon itself, shown with its metrics.");
    visit.Ignored("traces", "the daemon makes no traces of itself");
  }
  bool operator==(const ServiceTelemetry&) const = default;
};

// `host:port`, `:port` (every address) or `[v6]:port`; nullopt for anything else.
std::optional<std::pair<std::string, std::uint16_t>> SplitHostPort(std::string_view address);

}  // namespace weir

#endif  // WEIR_CONFIG_SERVICE_TELEMETRY_H_

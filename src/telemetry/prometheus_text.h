// The registry as Prometheus' text exposition, the answer of /metrics.
//
// Names come out as a Collector's prometheus reader shows them. The Collector's default reader adds
// neither a unit nor a type to a name; one that is configured by hand may.
//
// OpenMetrics is not offered: it forces _total onto every counter, so a scraper that prefers it,
// as Prometheus does, would see other names than dashboards for the Collector expect.
//
// Threads: any.

#ifndef WEIR_SRC_TELEMETRY_PROMETHEUS_TEXT_H_
#define WEIR_SRC_TELEMETRY_PROMETHEUS_TEXT_H_

#include <string>

#include "weir/telemetry/metrics.h"

namespace weir {

// The names follow the options of the Collector's prometheus reader.
struct PrometheusTextOptions {
  bool without_type_suffix = true;  // False: counters end in _total.
  bool without_units = true;        // False: names end in _seconds, _bytes, ...

  // Labels on every series: service_instance_id, service_name, service_version and whatever
  // service::telemetry::resource adds. A dot in a name becomes an underscore.
  MetricLabels constant_labels;
  // Shown as target_info{...} 1 when not empty.
  MetricLabels target_info;
};

inline constexpr std::string_view kPrometheusTextContentType =
    "text/plain; version=0.0.4; charset=utf-8";

std::string RenderPrometheusText(const MetricRegistry& registry,
                                 const PrometheusTextOptions& options = {});

// The name under which a metric is shown.
std::string PrometheusName(std::string_view name, MetricType type, std::string_view unit,
                           const PrometheusTextOptions& options);

}  // namespace weir

#endif  // WEIR_SRC_TELEMETRY_PROMETHEUS_TEXT_H_

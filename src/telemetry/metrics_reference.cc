#include "telemetry/metrics_reference.h"

#include <iterator>

#include "fmt/format.h"
#include "weir/telemetry/drop_reason.h"
#include "weir/telemetry/self_metrics.h"

namespace weir {

namespace {

constexpr std::string_view kIntroduction =
    "# Own metrics\n"
    "\n"
    "What weir shows about itself on `/metrics` (port 8888 by default). Metrics that the\n"
    "OpenTelemetry Collector has too keep its names and labels, so its dashboards and alerts\n"
    "work; what only weir has begins with `weir_`. Every series also carries the labels\n"
    "`service_name`, `service_version` and `service_instance_id`, as the Collector's do.\n"
    "\n"
    "Names are shown as the default reader shows them. A reader with\n"
    "`without_type_suffix: false` adds `_total` to counters, one with `without_units: false` adds\n"
    "the unit.\n"
    "\n"
    "`otelcol_process_runtime_total_alloc_bytes` is absent: it counts what a garbage-collected\n"
    "heap has handed out since the start, which an ordinary allocator does not know.\n";

void AppendTable(std::string_view prefix, std::string& page) {
  page += "\n| Name | Type | Unit | Labels | Meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const MetricSpec& spec : AllSelfMetrics()) {
    if (spec.name.starts_with(prefix)) {
      std::string labels;
      for (const char c : spec.labels) {
        labels += c == ',' ? std::string("`, `") : std::string(1, c);
      }
      fmt::format_to(std::back_inserter(page), "| `{}` | {} | {} | {} | {} |\n", spec.name,
                     MetricTypeName(spec.type), spec.unit,
                     labels.empty() ? "" : fmt::format("`{}`", labels), spec.help);
    }
  }
}

}  // namespace

std::string RenderMetricsReference() {
  std::string page(kIntroduction);
  page += "\n## Shared with the Collector\n";
  AppendTable("otelcol_", page);
  page += "\n## Of weir alone\n";
  AppendTable("weir_", page);
  page +=
      "\n## Reasons\n\nValues of the label `reason` of `weir_dropped_items_total`. What is left\n"
      "out by intent is no loss.\n\n| Reason | Loss |\n| --- | --- |\n";
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    const auto reason = static_cast<DropReason>(i);
    fmt::format_to(std::back_inserter(page), "| `{}` | {} |\n", DropReasonName(reason),
                   IsDropByIntent(reason) ? "no" : "yes");
  }
  return page;
}

}  // namespace weir

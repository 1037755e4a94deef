// docs/metrics.md as text, made from the table of metrics; a test holds the file to it.

#ifndef WEIR_SRC_TELEMETRY_METRICS_REFERENCE_H_
#define WEIR_SRC_TELEMETRY_METRICS_REFERENCE_H_

#include <string>

namespace weir {

std::string RenderMetricsReference();

}  // namespace weir

#endif  // WEIR_SRC_TELEMETRY_METRICS_REFERENCE_H_

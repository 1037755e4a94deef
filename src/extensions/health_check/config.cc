#include "extensions/health_check/config.h"

namespace weir::extensions::health_check {

void HttpConfig::Validate(FieldCheck& check) const {
  if (!status.path.starts_with('/')) {
    check.Error("status::path", "must start with `/`");
  }
  if (config.enabled) {
    check.Warning("config", "is not served here; the `zpages` extension shows the configuration");
  }
}

void Config::Validate(FieldCheck& check) const {
  if (!path.starts_with('/')) {
    check.Error("path", "must start with `/`");
  }
  if (use_v2 && !http.has_value() && !grpc.has_value()) {
    check.Error("use_v2", "needs `http` or `grpc`");
  }
  if (check_collector_pipeline.has_value()) {
    if (!ParseDuration(check_collector_pipeline->interval).has_value()) {
      check.Error("check_collector_pipeline::interval", "must be a duration");
    }
    if (check_collector_pipeline->exporter_failure_threshold <= 0) {
      check.Error("check_collector_pipeline::exporter_failure_threshold", "must be positive");
    }
    if (check_collector_pipeline->enabled) {
      check.Warning("check_collector_pipeline", "has no effect, as in the Collector");
    }
  }
}

}  // namespace weir::extensions::health_check

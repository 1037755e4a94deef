// Field tables of the service section, shared by parsing and by the schema.

#ifndef WEIR_SRC_CONFIG_SERVICE_FIELDS_H_
#define WEIR_SRC_CONFIG_SERVICE_FIELDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weir/config/service_config.h"

namespace weir {

struct PipelineFields {
  std::vector<ComponentId> receivers;
  std::vector<ComponentId> processors;
  std::vector<ComponentId> exporters;
  std::optional<std::uint32_t> lanes;

  static void VisitFields(auto& self, auto& visit) {
    visit("receivers", self.receivers, "Receivers, and connectors that end other pipelines.");
    visit("processors", self.processors, "Processors, in the order they run.");
    visit("exporters", self.exporters, "Exporters, and connectors that begin other pipelines.");
    visit("lanes", self.lanes,
          "Threads that run the processors; unset runs them on the receivers' threads.",
          Between(1, ServiceConfig::kLanesMax));
  }
};

struct ServiceFields {
  std::vector<ComponentId> extensions;
  std::map<std::string, PipelineFields> pipelines;
  ServiceTelemetry telemetry;
  Duration shutdown_timeout = ServiceConfig().shutdown_timeout;

  static void VisitFields(auto& self, auto& visit) {
    visit("extensions", self.extensions, "Extensions that run, in the order they start.");
    visit("pipelines", self.pipelines, "Pipelines, as `traces`, `metrics/name` or `logs/name`.");
    visit("telemetry", self.telemetry, "What the daemon says about itself.");
    visit("shutdown_timeout", self.shutdown_timeout,
          "Longest time to deliver what is held after a signal to stop.",
          AtLeast(std::chrono::milliseconds(0)));
  }
};

}  // namespace weir

#endif  // WEIR_SRC_CONFIG_SERVICE_FIELDS_H_

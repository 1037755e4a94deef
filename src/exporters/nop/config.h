// Options of the nop exporter: those every exporter has.

#ifndef WEIR_EXPORTERS_NOP_CONFIG_H_
#define WEIR_EXPORTERS_NOP_CONFIG_H_

#include "weir/component/exporter_settings.h"

namespace weir::exporters::nop {

struct Config {
  // Nothing can fail or be slow here, so nothing is queued unless asked for.
  ExporterSettings settings = {.sending_queue = {.enabled = false}};

  static void VisitFields(auto& self, auto& visit) { visit.Squash(self.settings); }
  bool operator==(const Config&) const = default;
};

}  // namespace weir::exporters::nop

#endif  // WEIR_EXPORTERS_NOP_CONFIG_H_

#include "exporters/debug/factory.h"

#include "exporters/debug/config.h"
#include "exporters/debug/exporter.h"

namespace weir::exporters::debug {

ExporterFactory Factory() {
  return MakeExporterFactory<Config, DebugExporter>(
      {.type = "debug", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::exporters::debug

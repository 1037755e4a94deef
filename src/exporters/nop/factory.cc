#include "exporters/nop/factory.h"

#include "exporters/nop/config.h"
#include "exporters/nop/exporter.h"

namespace weir::exporters::nop {

ExporterFactory Factory() {
  return MakeExporterFactory<Config, NopExporter>(
      {.type = "nop", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::exporters::nop

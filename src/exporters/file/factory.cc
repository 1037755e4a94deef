#include "exporters/file/factory.h"

#include "exporters/file/config.h"
#include "exporters/file/exporter.h"

namespace weir::exporters::file {

ExporterFactory Factory() {
  return MakeExporterFactory<Config, FileExporter>(
      {.type = "file", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::exporters::file

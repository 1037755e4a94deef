#include "exporters/otlp/factory.h"

#include "exporters/otlp/config.h"
#include "exporters/otlp/exporter.h"

namespace weir::exporters::otlp {

ExporterFactory Factory() {
  return MakeExporterFactory<Config, OtlpExporter>({.type = "otlp_grpc",
                                                    .aliases = {"otlp"},
                                                    .signals = kAllSignals,
                                                    .stability = Stability::kBeta,
                                                    .folder = "otlp"});
}

}  // namespace weir::exporters::otlp

#include "exporters/otlphttp/factory.h"

#include "exporters/otlphttp/config.h"
#include "exporters/otlphttp/exporter.h"

namespace weir::exporters::otlphttp {

ExporterFactory Factory() {
  return MakeExporterFactory<Config, OtlpHttpExporter>({.type = "otlp_http",
                                                        .aliases = {"otlphttp"},
                                                        .signals = kAllSignals,
                                                        .stability = Stability::kBeta,
                                                        .folder = "otlphttp"});
}

}  // namespace weir::exporters::otlphttp

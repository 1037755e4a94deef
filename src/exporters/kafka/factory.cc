#include "exporters/kafka/factory.h"

#include "exporters/kafka/config.h"
#include "exporters/kafka/exporter.h"

namespace weir::exporters::kafka {

ExporterFactory Factory() {
  return MakeExporterFactory<Config, KafkaExporter>(
      {.type = "kafka", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::exporters::kafka

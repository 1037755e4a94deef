#include "processors/batch/factory.h"

#include "processors/batch/config.h"
#include "processors/batch/processor.h"

namespace weir::processors::batch {

ProcessorFactory Factory() {
  return MakeProcessorFactory<Config, BatchProcessor>(
      {.type = "batch", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::processors::batch

#include "processors/attributes/factory.h"

#include "processors/attributes/config.h"
#include "processors/attributes/processor.h"

namespace weir::processors::attributes {

ProcessorFactory Factory() {
  return MakeProcessorFactory<Config, AttributesProcessor>(
      {.type = "attributes", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::processors::attributes

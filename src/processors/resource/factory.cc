#include "processors/resource/factory.h"

#include "processors/resource/config.h"
#include "processors/resource/processor.h"

namespace weir::processors::resource {

ProcessorFactory Factory() {
  return MakeProcessorFactory<Config, ResourceProcessor>(
      {.type = "resource", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::processors::resource

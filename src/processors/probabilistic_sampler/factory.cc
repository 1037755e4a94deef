#include "processors/probabilistic_sampler/factory.h"

#include "processors/probabilistic_sampler/config.h"
#include "processors/probabilistic_sampler/processor.h"

namespace weir::processors::probabilistic_sampler {

ProcessorFactory Factory() {
  return MakeProcessorFactory<Config, ProbabilisticSamplerProcessor>(
      {.type = "probabilistic_sampler",
       .signals = SignalsOf({Signal::kTraces, Signal::kLogs}),
       .stability = Stability::kBeta});
}

}  // namespace weir::processors::probabilistic_sampler

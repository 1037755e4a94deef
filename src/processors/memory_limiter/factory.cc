#include "processors/memory_limiter/factory.h"

#include "processors/memory_limiter/config.h"
#include "processors/memory_limiter/processor.h"

namespace weir::processors::memory_limiter {

ProcessorFactory Factory() {
  return MakeProcessorFactory<Config, MemoryLimiterProcessor>(
      {.type = "memory_limiter", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::processors::memory_limiter

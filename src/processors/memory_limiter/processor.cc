#include "processors/memory_limiter/processor.h"

#include <utility>

#include "weir/base/system_memory.h"

namespace weir::processors::memory_limiter {
namespace {

std::size_t LimitBytes(const Config& config) {
  if (config.limit_mib != 0) {
    return std::size_t{config.limit_mib} << 20;
  }
  return UsableMemoryBytes() / 100 * config.limit_percentage;
}

}  // namespace

MemoryLimiterProcessor::MemoryLimiterProcessor(const Config& config,
                                               const ProcessorContext& context)
    : limit_bytes_(LimitBytes(config)),
      metrics_(context.metrics, context.id.ToString(), context.signal) {}

void MemoryLimiterProcessor::Process(Batch batch, BatchOutput& next) {
  metrics_.accepted.Add(batch.items());
  next.Emit(std::move(batch));
}

}  // namespace weir::processors::memory_limiter

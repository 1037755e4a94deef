// MemoryLimiterProcessor states the process's memory limit; the service puts the lowest of all into
// the budget, and the receivers' doors keep it by arithmetic. The processor itself lets all pass:
// what is inside has been charged already.

#ifndef WEIR_PROCESSORS_MEMORY_LIMITER_PROCESSOR_H_
#define WEIR_PROCESSORS_MEMORY_LIMITER_PROCESSOR_H_

#include <cstddef>
#include <optional>

#include "processors/memory_limiter/config.h"
#include "weir/component/processor.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::processors::memory_limiter {

class MemoryLimiterProcessor final : public Processor {
 public:
  MemoryLimiterProcessor(const Config& config, const ProcessorContext& context);

  void Process(Batch batch, BatchOutput& next) override;
  bool per_item() const override { return true; }
  std::optional<std::size_t> memory_limit_bytes() const override { return limit_bytes_; }

 private:
  const std::size_t limit_bytes_;
  MemoryLimiterMetrics metrics_;
};

}  // namespace weir::processors::memory_limiter

#endif  // WEIR_PROCESSORS_MEMORY_LIMITER_PROCESSOR_H_

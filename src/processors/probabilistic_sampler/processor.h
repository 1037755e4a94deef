// ProbabilisticSamplerProcessor keeps a share of the spans or log records, decided on their bytes.
// What is kept carries the decision: in the trace state of a span, in the attributes
// `sampling.randomness` and `sampling.threshold` of a log record.
//
// Loss: what is not kept is dropped by intent, reason `sampled`; a malformed item is dropped alone,
// reason `malformed`.

#ifndef WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_PROCESSOR_H_
#define WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_PROCESSOR_H_

#include <array>
#include <cstdint>

#include "processors/probabilistic_sampler/config.h"
#include "processors/probabilistic_sampler/sampler.h"
#include "processors/probabilistic_sampler/trace_state.h"
#include "weir/component/processor.h"
#include "weir/wire/attribute_search.h"
#include "weir/wire/rewriter.h"

namespace weir::processors::probabilistic_sampler {

class ProbabilisticSamplerProcessor final : public Processor {
 public:
  ProbabilisticSamplerProcessor(const Config& config, const ProcessorContext& context);

  void Process(Batch batch, BatchOutput& next) override;
  bool per_item() const override { return true; }

 private:
  struct SpanVisitor;
  struct LogVisitor;
  using Counts = std::array<std::array<std::uint64_t, 2>, kPolicyCount>;

  void Count(const Counts& counts);

  const Config config_;
  const Sampler sampler_;
  NodeLedger& books_;
  const wire::KeyMatcher log_keys_;
  std::array<std::array<Counter*, 2>, kPolicyCount> counters_{};

  // Under the baton.
  TraceState trace_state_;
  wire::Rewriter rewriter_;
};

}  // namespace weir::processors::probabilistic_sampler

#endif  // WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_PROCESSOR_H_

// TraceState is a W3C tracestate with its `ot` member taken apart: the randomness (`rv`) and the
// rejection threshold (`th`) of OpenTelemetry, all else kept as it is.
//
//   tracestate = member *( "," member )      member = key "=" value, blanks around it
//   ot value   = field *( ";" field )        field  = key ":" value
//
// Threads: one at a time.
// Ownership: views of the text it was parsed from, which must outlive it.

#ifndef WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_TRACE_STATE_H_
#define WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_TRACE_STATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "processors/probabilistic_sampler/sampler.h"

namespace weir::processors::probabilistic_sampler {

class TraceState {
 public:
  // False when anything in it is not as the specifications have it; what could be read is kept.
  bool Parse(std::string_view text);

  const SamplingState& sampling() const { return sampling_; }

  // The same trace state with another sampling state.
  std::string Format(const SamplingState& sampling) const;

 private:
  bool ParseOtel(std::string_view text);

  SamplingState sampling_;
  std::vector<std::string_view> otel_fields_;  // The other ones.
  std::vector<std::string_view> members_;      // Other vendors'.
};

}  // namespace weir::processors::probabilistic_sampler

#endif  // WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_TRACE_STATE_H_

// Sampler decides about one item from what it carries, in one of the three modes.
//
//   hash_seed      a hash of the trace id (or an attribute of a log record) against 14 bits; items
//                  that take part in consistent sampling already are errors
//   equalizing     every item ends with the same probability, unless its own is lower
//   proportional   an item's probability is multiplied
//
// An item without usable randomness, or whose threshold says that it should not be here, is an
// error: `fail_closed` drops it, otherwise it is kept.
//
// Threads: constant after construction.

#ifndef WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_SAMPLER_H_
#define WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_SAMPLER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "processors/probabilistic_sampler/config.h"
#include "processors/probabilistic_sampler/probability.h"
#include "weir/wire/signal.h"

namespace weir::processors::probabilistic_sampler {

// What decided: a label of the processor's own metric.
enum class Policy : std::uint8_t {
  kTraceIdHash,
  kAttributeHash,  // Named after the attribute.
  kTraceIdW3c,
  kSamplingRandomness,
  kSamplingPriority,
  kMissingRandomness,
};
inline constexpr std::size_t kPolicyCount = 6;

// The sampling state an item arrived with, and leaves with.
struct SamplingState {
  std::optional<Randomness> randomness;
  std::optional<Threshold> threshold;
};

struct SampledItem {
  SamplingState state;
  bool state_valid = true;    // False: it could not be read.
  std::string_view trace_id;  // Empty when it has none.
  std::string_view hashed;    // hash_seed: what to hash; empty for nothing.
  bool hashed_is_trace_id = true;
  std::optional<Threshold> priority;  // Takes the place of the threshold.
};

struct Decision {
  bool sampled = false;
  bool writes_state = false;
  SamplingState state;
  Policy policy = Policy::kMissingRandomness;
};

class Sampler {
 public:
  Sampler(const Config& config, Signal signal);

  bool hashes() const { return kind_ == Kind::kHash; }
  Decision Decide(const SampledItem& item) const;

 private:
  enum class Kind : std::uint8_t { kNever, kHash, kEqualizing, kProportional };
  struct Source;

  Source FindRandomness(const SampledItem& item, SamplingState& state) const;
  Threshold ThresholdFor(const SamplingState& state) const;

  Kind kind_ = Kind::kNever;
  Signal signal_;
  std::uint32_t hash_seed_;
  bool fail_closed_;
  int precision_;
  double ratio_ = 0;
  Threshold threshold_ = kNeverSample;
};

}  // namespace weir::processors::probabilistic_sampler

#endif  // WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_SAMPLER_H_

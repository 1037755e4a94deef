#include "processors/probabilistic_sampler/sampler.h"

#include <algorithm>

namespace weir::processors::probabilistic_sampler {

// Where an item's randomness comes from.
struct Sampler::Source {
  Randomness randomness = kRandomnessMax;
  Policy policy = Policy::kMissingRandomness;
  bool error = false;
  bool writes_state = true;
};

Sampler::Sampler(const Config& config, Signal signal)
    : signal_(signal),
      hash_seed_(config.hash_seed),
      fail_closed_(config.fail_closed),
      precision_(config.sampling_precision) {
  // The option has always been a number of single precision.
  const float percentage = std::min(static_cast<float>(config.sampling_percentage), 100.0F);
  if (percentage == 0) {
    return;
  }
  ratio_ = std::max(static_cast<double>(percentage) / 100, kProbabilityMin);
  switch (config.mode) {
    case Mode::kHashSeed:
      threshold_ = HashThreshold(percentage);
      kind_ = threshold_ == kNeverSample ? Kind::kNever : Kind::kHash;
      break;
    case Mode::kEqualizing:
      threshold_ = ToThreshold(ratio_, precision_).value_or(kAlwaysSample);
      kind_ = Kind::kEqualizing;
      break;
    case Mode::kProportional:
      kind_ = Kind::kProportional;
      break;
  }
}

Sampler::Source Sampler::FindRandomness(const SampledItem& item, SamplingState& state) const {
  Source source;
  source.error = !item.state_valid;
  if (kind_ == Kind::kNever) {
    // A randomness that any threshold but this one lets pass.
    source.policy = Policy::kSamplingPriority;
    return source;
  }
  source.writes_state = item.state_valid;
  if (kind_ == Kind::kHash) {
    if (!item.hashed.empty()) {
      source.randomness = RandomnessByHash(item.hashed, hash_seed_);
      source.policy = item.hashed_is_trace_id ? Policy::kTraceIdHash : Policy::kAttributeHash;
    }
    if (!item.state_valid) {
      return source;
    }
    if (state.randomness.has_value() || state.threshold.has_value()) {
      // It takes part in consistent sampling, which this mode would break: hands off.
      source.error = true;
      source.writes_state = false;
    } else if (signal_ == Signal::kTraces || source.policy != Policy::kMissingRandomness) {
      state.randomness = source.randomness;
    }
    return source;
  }
  if (!item.state_valid) {
    return source;
  }
  if (state.randomness.has_value()) {
    source.randomness = *state.randomness;
    source.policy = Policy::kSamplingRandomness;
  } else if (!item.trace_id.empty()) {
    source.randomness = RandomnessOfTraceId(item.trace_id);
    source.policy = Policy::kTraceIdW3c;
  }
  return source;
}

Threshold Sampler::ThresholdFor(const SamplingState& state) const {
  switch (kind_) {
    case Kind::kNever:
      return kNeverSample;
    case Kind::kHash:
      return threshold_;
    case Kind::kEqualizing:
      return std::max(threshold_, state.threshold.value_or(kAlwaysSample));
    case Kind::kProportional:
      break;
  }
  const double incoming = state.threshold.has_value() ? Probability(*state.threshold) : 1.0;
  // Below the least probability there is none.
  return ToThreshold(incoming * ratio_, precision_).value_or(kNeverSample);
}

Decision Sampler::Decide(const SampledItem& item) const {
  Decision decision;
  decision.state = item.state;
  SamplingState& state = decision.state;
  Source source = FindRandomness(item, state);
  if (!source.error && source.policy == Policy::kMissingRandomness) {
    source.error = true;
  } else if (!source.error && source.writes_state && state.threshold.has_value() &&
             !ShouldSample(*state.threshold, source.randomness)) {
    // By its own account it should not have come this far, so the account is wrong.
    state.threshold.reset();
    source.error = true;
  }
  Threshold threshold = ThresholdFor(state);
  if (source.error) {
    threshold = fail_closed_ ? kNeverSample : kAlwaysSample;
  }
  decision.policy = source.policy;
  if (item.priority.has_value()) {
    threshold = *item.priority;
    decision.policy = Policy::kSamplingPriority;
  }
  decision.sampled = ShouldSample(threshold, source.randomness);
  decision.writes_state = decision.sampled && source.writes_state;
  // A threshold is only ever raised: probability that is lost does not come back.
  if (decision.writes_state && (!state.threshold.has_value() || threshold >= *state.threshold)) {
    state.threshold = threshold;
  }
  return decision;
}

}  // namespace weir::processors::probabilistic_sampler

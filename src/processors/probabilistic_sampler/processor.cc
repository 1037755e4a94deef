#include "processors/probabilistic_sampler/processor.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "weir/component/attribute_values.h"
#include "weir/component/rewrite_batch.h"
#include "weir/wire/value_text.h"

namespace weir::processors::probabilistic_sampler {
namespace {

using wire::AnyValueView;
using wire::AttributeView;
using wire::Edit;
using wire::Item;
using wire::KeyMatcher;
using wire::Lookup;
using wire::ValueType;
using wire::Verdict;

constexpr std::string_view kThresholdKey = "sampling.threshold";
constexpr std::string_view kRandomnessKey = "sampling.randomness";
constexpr MetricSpec kCounts[] = {
    {.name = "otelcol_processor_probabilistic_sampler_count_traces_sampled",
     .type = MetricType::kCounter,
     .unit = "{traces}",
     .labels = "processor,policy,sampled",
     .help = "Spans seen, by what decided about them and how."},
    {.name = "otelcol_processor_probabilistic_sampler_count_logs_sampled",
     .type = MetricType::kCounter,
     .unit = "{logs}",
     .labels = "processor,policy,sampled",
     .help = "Log records seen, by what decided about them and how."}};

std::string PolicyName(Policy policy, const Config& config) {
  constexpr std::array<std::string_view, kPolicyCount> kNames = {
      "trace_id_hash",       "attribute_hash",    "trace_id_w3c",
      "sampling_randomness", "sampling_priority", "missing_randomness"};
  return policy == Policy::kAttributeHash && !config.from_attribute.empty()
             ? config.from_attribute
             : std::string(kNames[static_cast<std::size_t>(policy)]);
}

// The keys a log record is searched for; the options may name one twice.
std::vector<std::string> LogKeys(const Config& config) {
  std::vector<std::string> keys = {std::string(kThresholdKey), std::string(kRandomnessKey)};
  for (const std::string& key : {config.from_attribute, config.sampling_priority}) {
    if (!key.empty() && std::find(keys.begin(), keys.end(), key) == keys.end()) {
      keys.push_back(key);
    }
  }
  return keys;
}

// A trace id as it counts: none where it is all zeros or has another length.
std::string_view UsableTraceId(std::string_view trace_id) {
  const bool usable =
      trace_id.size() == 16 && trace_id.find_first_not_of('\0') != std::string_view::npos;
  return usable ? trace_id : std::string_view();
}

// OpenTracing's `sampling.priority`: 0 drops the span, more keeps it.
std::optional<Threshold> SpanPriority(const AnyValueView& value) {
  double priority = -1;
  if (value.type() == ValueType::kInt) {
    priority = static_cast<double>(value.integer());
  } else if (value.type() == ValueType::kDouble) {
    priority = value.real();
  } else if (value.type() == ValueType::kString) {
    priority = ParseReal(std::string(value.string())).value_or(-1);
  }
  return priority == 0  ? std::optional(kNeverSample)
         : priority > 0 ? std::optional(kAlwaysSample)
                        : std::nullopt;
}

// A log record's own percentage.
std::optional<Threshold> LogPriority(const AnyValueView& value, int precision) {
  double share = 0;
  if (value.type() == ValueType::kInt) {
    share = static_cast<double>(value.integer()) / 100;
  } else if (value.type() == ValueType::kDouble) {
    share = value.real() / 100;
  }
  return share == 0 ? std::nullopt : ToThreshold(share, precision);
}

}  // namespace

struct ProbabilisticSamplerProcessor::SpanVisitor : wire::RewriteVisitor {
  SpanVisitor(const Sampler& the_sampler, TraceState& scratch)
      : sampler(the_sampler), trace_state(scratch) {}

  Verdict OnItem(const Item& item, Edit& edit) {
    wire::SpanView span;
    AnyValueView priority;
    if (!span.Parse(item.contents)) {
      return Verdict::kMalformed;
    }
    const Lookup lookup = wire::FindAttribute(span.attributes, wire::SpanView::kAttributes,
                                              "sampling.priority", priority);
    if (lookup == Lookup::kMalformed) {
      return Verdict::kMalformed;
    }
    SampledItem sampled;
    sampled.state_valid = trace_state.Parse(span.trace_state);
    sampled.state = trace_state.sampling();
    sampled.trace_id = UsableTraceId(span.trace_id);
    sampled.hashed = sampled.trace_id;
    if (lookup == Lookup::kFound) {
      sampled.priority = SpanPriority(priority);
    }
    const Decision decision = sampler.Decide(sampled);
    ++counts[static_cast<std::size_t>(decision.policy)][decision.sampled ? 1 : 0];
    if (!decision.sampled) {
      return Verdict::kDrop;
    }
    if (!decision.writes_state) {
      return Verdict::kKeep;
    }
    const std::string text = trace_state.Format(decision.state);
    if (text == span.trace_state) {
      return Verdict::kKeep;
    }
    return edit.SetBytes(item.contents, wire::otlp::kSpanTraceState, text) ? Verdict::kEdit
                                                                           : Verdict::kMalformed;
  }

  const Sampler& sampler;
  TraceState& trace_state;
  Counts counts{};
};

struct ProbabilisticSamplerProcessor::LogVisitor : wire::RewriteVisitor {
  struct Found {
    AttributeView attribute;
    AnyValueView value;
    bool present = false;
  };

  LogVisitor(const Sampler& the_sampler, const Config& the_config, const KeyMatcher& the_keys)
      : sampler(the_sampler),
        config(the_config),
        keys(the_keys),
        from(the_keys.Find(the_config.from_attribute)),
        priority(the_keys.Find(the_config.sampling_priority)) {}

  Verdict OnItem(const Item& item, Edit& edit) {
    wire::LogView record;
    if (!record.Parse(item.contents) || !FindAttributes(record.attributes)) {
      return Verdict::kMalformed;
    }
    SampledItem sampled;
    ReadState(sampled);
    sampled.trace_id = UsableTraceId(record.trace_id);
    if (sampler.hashes() && !ChooseHashed(sampled)) {
      return Verdict::kMalformed;
    }
    if (priority != KeyMatcher::kNone && found[priority].present) {
      sampled.priority = LogPriority(found[priority].value, config.sampling_precision);
    }
    const Decision decision = sampler.Decide(sampled);
    ++counts[static_cast<std::size_t>(decision.policy)][decision.sampled ? 1 : 0];
    if (!decision.sampled) {
      return Verdict::kDrop;
    }
    if (decision.writes_state) {
      Write(kThreshold, kThresholdKey, FormatThreshold(decision.state.threshold.value_or(0)), edit);
      if (decision.state.randomness.has_value() && !sampled.state.randomness.has_value()) {
        Write(kRandomness, kRandomnessKey, FormatRandomness(*decision.state.randomness), edit);
      }
    }
    return edit.empty() ? Verdict::kKeep : Verdict::kEdit;
  }

 private:
  static constexpr std::size_t kThreshold = 0;  // Their places among the keys.
  static constexpr std::size_t kRandomness = 1;

  bool FindAttributes(std::string_view attributes) {
    found = {};
    bool values_parse = true;
    const bool attributes_parse = wire::SearchAttributes(
        attributes, wire::LogView::kAttributes, keys,
        [&](std::size_t key, const AttributeView& attribute) {
          if (!found[key].present) {
            found[key].attribute = attribute;
            found[key].present = true;
            values_parse = values_parse && found[key].value.Parse(attribute.value);
          }
        });
    return attributes_parse && values_parse;
  }

  std::string_view StringAt(std::size_t key) const {
    const Found& entry = found[key];
    return entry.present && entry.value.type() == ValueType::kString ? entry.value.string()
                                                                     : std::string_view();
  }

  void ReadState(SampledItem& sampled) const {
    if (const std::string_view text = StringAt(kThreshold); !text.empty()) {
      sampled.state.threshold = ParseThreshold(text);
      sampled.state_valid = sampled.state.threshold.has_value();
    }
    if (const std::string_view text = StringAt(kRandomness); !text.empty()) {
      sampled.state.randomness = ParseRandomness(text);
      sampled.state_valid = sampled.state_valid && sampled.state.randomness.has_value();
    }
  }

  // False when the attribute to hash is malformed.
  bool ChooseHashed(SampledItem& sampled) {
    if (config.attribute_source == AttributeSource::kTraceId && !sampled.trace_id.empty()) {
      sampled.hashed = sampled.trace_id;
      return true;
    }
    sampled.hashed_is_trace_id = false;
    if (from == KeyMatcher::kNone || !found[from].present) {
      return true;
    }
    const AnyValueView& value = found[from].value;
    if (value.type() == ValueType::kBytes) {
      sampled.hashed = value.bytes();
      return true;
    }
    text.clear();
    if (!wire::AppendValueText(value, text)) {
      return false;
    }
    sampled.hashed = text;
    return true;
  }

  void Write(std::size_t key, std::string_view name, const std::string& value, Edit& edit) {
    if (!found[key].present) {
      edit.Append().StringAttribute(wire::LogView::kAttributes, name, value);
    } else if (StringAt(key) != value) {
      writer.Clear();
      writer.StringAttribute(wire::LogView::kAttributes, name, value);
      edit.Replace(found[key].attribute.field, writer.view());
    }
  }

  const Sampler& sampler;
  const Config& config;
  const KeyMatcher& keys;
  const std::size_t from;
  const std::size_t priority;
  std::array<Found, 4> found;
  std::string text;
  wire::Writer writer{64};

 public:
  Counts counts{};
};

ProbabilisticSamplerProcessor::ProbabilisticSamplerProcessor(const Config& config,
                                                             const ProcessorContext& context)
    : config_(config),
      sampler_(config, context.signal),
      books_(context.books),
      log_keys_(LogKeys(config)),
      rewriter_(&context.budget) {
  const MetricSpec& spec = kCounts[context.signal == Signal::kLogs ? 1 : 0];
  for (std::size_t policy = 0; policy < kPolicyCount; ++policy) {
    for (std::size_t sampled = 0; sampled < 2; ++sampled) {
      counters_[policy][sampled] = &context.metrics.GetCounter(
          spec, {{"processor", context.id.ToString()},
                 {"policy", PolicyName(static_cast<Policy>(policy), config)},
                 {"sampled", sampled == 1 ? "true" : "false"}});
    }
  }
}

void ProbabilisticSamplerProcessor::Process(Batch batch, BatchOutput& next) {
  if (batch.signal() == Signal::kTraces) {
    SpanVisitor visitor(sampler_, trace_state_);
    RewriteBatch(std::move(batch), rewriter_, visitor, DropReason::kSampled, books_, next);
    Count(visitor.counts);
  } else {
    LogVisitor visitor(sampler_, config_, log_keys_);
    RewriteBatch(std::move(batch), rewriter_, visitor, DropReason::kSampled, books_, next);
    Count(visitor.counts);
  }
}

void ProbabilisticSamplerProcessor::Count(const Counts& counts) {
  for (std::size_t policy = 0; policy < kPolicyCount; ++policy) {
    for (std::size_t sampled = 0; sampled < 2; ++sampled) {
      if (counts[policy][sampled] > 0) {
        counters_[policy][sampled]->Add(counts[policy][sampled]);
      }
    }
  }
}

}  // namespace weir::processors::probabilistic_sampler

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "processors/probabilistic_sampler/config.h"
#include "processors/probabilistic_sampler/factory.h"
#include "processors/probabilistic_sampler/probability.h"
#include "tests/processors/otlp_text.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"

namespace weir::processors::probabilistic_sampler {
namespace {

using testing::AttributesOf;
using ::testing::HasSubstr;
using testing::ItemsOf;
using testing::Request;
using testkit::Harness;
using testkit::MakeBatch;
using testkit::RecordingOutput;
using testkit::RecordingTracker;
using wire::Writer;
namespace otlp = wire::otlp;

// Its randomness by the W3C rule is 0x80000000000000: just half.
const std::string kHalf("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x80\0\0\0\0\0\0", 16);
// By hash: bucket 6693 of 16384 with seed 0, so kept from 40.86 % on.
const std::string kHashed("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10", 16);

struct Outcomes {
  std::string kept;  // The trace state or attributes of the item, or "dropped".
  std::uint64_t sampled_out = 0;
};

Outcomes Run(std::string_view yaml, Signal signal, const std::function<void(Writer&)>& fill) {
  Harness harness;
  auto processor = Factory().create(Harness::Yaml(yaml), "processors::probabilistic_sampler",
                                    harness.ForProcessor("probabilistic_sampler", signal));
  EXPECT_TRUE(processor.ok()) << processor.status();
  RecordingOutput output;
  (*processor)
      ->Process(MakeBatch(signal, Request([&](Writer& writer) {
                            auto item = writer.Open(otlp::kScopeItems);
                            writer.Uint(200, 1);  // An unknown field, so it is not empty.
                            fill(writer);
                          }),
                          1),
                output);
  Outcomes outcomes;
  outcomes.sampled_out =
      harness.books().Books().dropped_by_reason[static_cast<std::size_t>(DropReason::kSampled)];
  const auto items = ItemsOf(output.payload());
  if (items.empty()) {
    outcomes.kept = "dropped";
  } else if (signal == Signal::kTraces) {
    wire::SpanView span;
    EXPECT_TRUE(span.Parse(items[0]));
    outcomes.kept = span.trace_state;
  } else {
    outcomes.kept = AttributesOf(items[0], otlp::kLogAttributes);
  }
  EXPECT_EQ(outcomes.sampled_out, items.empty() ? 1U : 0U);
  return outcomes;
}

std::string Span(std::string_view yaml, const std::string& trace_id, std::string_view trace_state,
                 const std::function<void(Writer&)>& more = nullptr) {
  return Run(yaml, Signal::kTraces,
             [&](Writer& writer) {
               writer.Bytes(otlp::kSpanTraceId, trace_id);
               if (!trace_state.empty()) {
                 writer.String(otlp::kSpanTraceState, trace_state);
               }
               if (more != nullptr) {
                 more(writer);
               }
             })
      .kept;
}

std::string Log(std::string_view yaml, const std::string& trace_id,
                const std::function<void(Writer&)>& attributes = nullptr) {
  return Run(yaml, Signal::kLogs,
             [&](Writer& writer) {
               if (!trace_id.empty()) {
                 writer.Bytes(otlp::kLogTraceId, trace_id);
               }
               if (attributes != nullptr) {
                 attributes(writer);
               }
             })
      .kept;
}

std::function<void(Writer&)> Text(std::string key, std::string value) {
  return [=](Writer& writer) { writer.StringAttribute(otlp::kLogAttributes, key, value); };
}

TEST(HashSeed, KeepsByHashAndWritesTheDecision) {
  EXPECT_EQ(Span("sampling_percentage: 41", kHashed, ""), "ot=rv:976837c4f25a25;th:970c");
  EXPECT_EQ(Span("sampling_percentage: 40", kHashed, ""), "dropped");
  EXPECT_EQ(Span("sampling_percentage: 100", kHashed, "a=b"), "ot=rv:976837c4f25a25;th:0,a=b");
  EXPECT_EQ(Span("sampling_percentage: 0", kHashed, ""), "dropped");
  // Another seed, another bucket: 13379.
  EXPECT_EQ(Span("{sampling_percentage: 80, hash_seed: 22}", kHashed, ""), "dropped");
}

TEST(HashSeed, LeavesConsistentSamplingAlone) {
  EXPECT_EQ(Span("sampling_percentage: 100", kHashed, "ot=th:8"), "dropped");
  EXPECT_EQ(Span("{sampling_percentage: 1, fail_closed: false}", kHashed, "ot=th:8"), "ot=th:8");
  EXPECT_EQ(Span("{sampling_percentage: 1, fail_closed: false}", kHashed, "ot=rv:01234567890abc"),
            "ot=rv:01234567890abc");
}

TEST(Equalizing, BringsItemsToOneProbability) {
  EXPECT_EQ(Span("{sampling_percentage: 50, mode: equalizing}", kHalf, ""), "ot=th:8");
  EXPECT_EQ(Span("{sampling_percentage: 49, mode: equalizing}", kHalf, ""), "dropped");
  EXPECT_EQ(Span("{sampling_percentage: 100, mode: equalizing}", kHalf, "ot=th:4"), "ot=th:4");
  EXPECT_EQ(Span("{sampling_percentage: 50, mode: equalizing}", kHalf, "ot=th:4;x:y,v=w"),
            "ot=th:8;x:y,v=w");
  EXPECT_EQ(Span("{sampling_percentage: 25, mode: equalizing}", kHalf, "ot=rv:c0000000000000"),
            "ot=rv:c0000000000000;th:c");
}

TEST(Proportional, MultipliesProbabilities) {
  EXPECT_EQ(Span("{sampling_percentage: 50, mode: proportional}", kHalf, ""), "ot=th:8");
  EXPECT_EQ(Span("{sampling_percentage: 50, mode: proportional}", kHalf, "ot=th:8"), "dropped");
  EXPECT_EQ(
      Span("{sampling_percentage: 50, mode: proportional}", kHalf, "ot=rv:c0000000000000;th:8"),
      "ot=rv:c0000000000000;th:c");
  EXPECT_EQ(Span("{sampling_percentage: 10, mode: proportional, sampling_precision: 2}", kHalf,
                 "ot=rv:ffffffffffffff"),
            "ot=rv:ffffffffffffff;th:e6");
}

TEST(Consistent, TreatsWrongStatesAsErrors) {
  const std::string open = "{sampling_percentage: 50, mode: equalizing, fail_closed: false}";
  const std::string closed = "{sampling_percentage: 50, mode: equalizing}";
  // An item that its own threshold should have stopped: the threshold is a lie and is replaced.
  EXPECT_EQ(Span(open, kHalf, "ot=th:c"), "ot=th:0");
  EXPECT_EQ(Span(closed, kHalf, "ot=th:c"), "dropped");
  // No randomness.
  EXPECT_EQ(Span(open, "", ""), "ot=th:0");
  EXPECT_EQ(Span(open, std::string(16, '\0'), ""), "ot=th:0");
  EXPECT_EQ(Span(closed, "", ""), "dropped");
  // A trace state that cannot be read is left as it is.
  EXPECT_EQ(Span(open, kHalf, "ot=th:xyz"), "ot=th:xyz");
  EXPECT_EQ(Span(closed, kHalf, "ot=th:xyz"), "dropped");
}

TEST(Priority, OverridesTheDecisionForSpans) {
  const auto priority = [](std::int64_t value) {
    return [value](Writer& writer) {
      writer.IntAttribute(otlp::kSpanAttributes, "sampling.priority", value);
    };
  };
  const std::string half = "{sampling_percentage: 10, mode: equalizing}";
  EXPECT_EQ(Span(half, kHalf, "", priority(1)), "ot=th:0");
  EXPECT_EQ(Span("{sampling_percentage: 0}", kHalf, "", priority(2)), "ot=th:0");
  EXPECT_EQ(Span("{sampling_percentage: 100}", kHashed, "", priority(0)), "dropped");
  EXPECT_EQ(Span(half, kHalf, "", priority(-1)), "dropped");
  EXPECT_EQ(Span(half, kHalf, "",
                 [](Writer& writer) {
                   writer.StringAttribute(otlp::kSpanAttributes, "sampling.priority", "1.5");
                 }),
            "ot=th:0");
  // A threshold it arrived with stays.
  EXPECT_EQ(Span(half, kHalf, "ot=th:4", priority(1)), "ot=th:4");
}

TEST(Logs, AreHashedByTraceIdOrAttribute) {
  EXPECT_EQ(Log("sampling_percentage: 41", kHashed),
            "sampling.threshold=s:970c sampling.randomness=s:976837c4f25a25");
  EXPECT_EQ(Log("sampling_percentage: 40", kHashed), "dropped");
  // "id-1" is in bucket 15586: kept from 95.14 % on.
  const std::string record = "attribute_source: record, from_attribute: id";
  EXPECT_EQ(Log("{sampling_percentage: 96, " + record + "}", kHashed, Text("id", "id-1")),
            "id=s:id-1 sampling.threshold=s:0a4 sampling.randomness=s:0c7436e3bbbce2");
  EXPECT_EQ(Log("{sampling_percentage: 95, " + record + "}", kHashed, Text("id", "id-1")),
            "dropped");
  // Without a trace id the attribute is taken, too; without both there is nothing to decide by.
  EXPECT_EQ(Log("{sampling_percentage: 95, from_attribute: id}", "", Text("id", "id-1")),
            "dropped");
  EXPECT_EQ(Log("{sampling_percentage: 95}", ""), "dropped");
  EXPECT_EQ(Log("{sampling_percentage: 95, fail_closed: false}", ""), "sampling.threshold=s:0");
}

TEST(Logs, FollowConsistentSampling) {
  const std::string equalizing = "{sampling_percentage: 50, mode: equalizing}";
  EXPECT_EQ(Log(equalizing, kHalf), "sampling.threshold=s:8");
  EXPECT_EQ(Log(equalizing, kHalf, Text("sampling.threshold", "4")), "sampling.threshold=s:8");
  EXPECT_EQ(Log(equalizing, "", Text("sampling.randomness", "7fffffffffffff")), "dropped");
  EXPECT_EQ(Log(equalizing, kHalf, Text("sampling.randomness", "short")), "dropped");
  EXPECT_EQ(Log("sampling_percentage: 100", kHalf, Text("sampling.threshold", "4")), "dropped");
}

TEST(Logs, MayCarryTheirOwnPercentage) {
  const std::string options =
      "{sampling_percentage: 10, mode: equalizing, sampling_priority: share}";
  const auto share = [](std::int64_t percent) {
    return
        [percent](Writer& writer) { writer.IntAttribute(otlp::kLogAttributes, "share", percent); };
  };
  EXPECT_EQ(Log(options, kHalf, share(50)), "share=i:50 sampling.threshold=s:8");
  EXPECT_EQ(Log(options, kHalf, share(0)), "dropped");
  EXPECT_EQ(Log(options, kHalf, share(101)), "dropped");
  EXPECT_EQ(Log(options, kHalf, Text("share", "50")), "dropped");
}

// Scenario: a batch of which part is kept.
// Guarantees: what is left out is a success for its source, and the books close.
TEST(Sampler, SettlesWhatItLeavesOutAsDropped) {
  Harness harness;
  auto processor = Factory().create(Harness::Yaml("sampling_percentage: 41"),
                                    "processors::probabilistic_sampler",
                                    harness.ForProcessor("probabilistic_sampler", Signal::kTraces));
  ASSERT_TRUE(processor.ok());
  const auto spans = [](std::vector<std::string> ids) {
    return Request([ids](Writer& writer) {
      for (const std::string& id : ids) {
        auto span = writer.Open(otlp::kScopeItems);
        writer.Bytes(otlp::kSpanTraceId, id);
      }
    });
  };
  std::string other = kHashed;
  while (ShouldSample(HashThreshold(41), RandomnessByHash(other, 0))) {
    ++other[15];
  }
  RecordingTracker none;
  RecordingTracker some;
  RecordingOutput output;
  (*processor)->Process(MakeBatch(Signal::kTraces, spans({other, other}), 2, &none), output);
  EXPECT_TRUE(output.batches.empty());
  ASSERT_TRUE(none.delivered().has_value());
  EXPECT_EQ(none.delivered()->outcome, Outcome::kDropped);
  (*processor)->Process(MakeBatch(Signal::kTraces, spans({other, kHashed}), 2, &some), output);
  EXPECT_EQ(output.items(), 1U);
  EXPECT_FALSE(some.delivered().has_value());
  EXPECT_EQ(
      harness.books().Books().dropped_by_reason[static_cast<std::size_t>(DropReason::kSampled)],
      3U);
}

std::string ErrorsOf(std::string_view yaml) {
  ConfigErrors errors;
  ReadConfig<Config>(Harness::Yaml(yaml), "processors::probabilistic_sampler", errors);
  return errors.ToStatus().ToString();
}

TEST(SamplerConfig, HasTheCollectorsLimits) {
  EXPECT_EQ(ErrorsOf("{}"), "OK");
  EXPECT_EQ(ErrorsOf("sampling_percentage: 150"), "OK");
  EXPECT_THAT(ErrorsOf("sampling_percentage: -1"), HasSubstr("sampling_percentage"));
  EXPECT_THAT(ErrorsOf("sampling_percentage: 1e-30"), HasSubstr("too small"));
  EXPECT_THAT(ErrorsOf("sampling_percentage: .inf"), HasSubstr("sampling_percentage"));
  EXPECT_THAT(ErrorsOf("sampling_precision: 0"), HasSubstr("sampling_precision"));
  EXPECT_THAT(ErrorsOf("sampling_precision: 15"), HasSubstr("sampling_precision"));
  EXPECT_THAT(ErrorsOf("attribute_source: other"), HasSubstr("attribute_source"));
  EXPECT_THAT(ErrorsOf("mode: other"), HasSubstr("mode"));
}

TEST(SamplerFactory, TakesTracesAndLogs) {
  EXPECT_TRUE(Factory().info.signals.Has(Signal::kTraces));
  EXPECT_TRUE(Factory().info.signals.Has(Signal::kLogs));
  EXPECT_FALSE(Factory().info.signals.Has(Signal::kMetrics));
}

}  // namespace
}  // namespace weir::processors::probabilistic_sampler

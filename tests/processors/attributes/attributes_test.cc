#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "processors/attributes/config.h"
#include "processors/attributes/factory.h"
#include "tests/processors/otlp_text.h"
#include "weir/config/fields.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"

namespace weir::processors::attributes {
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

std::unique_ptr<Processor> Create(Harness& harness, std::string_view yaml, Signal signal) {
  auto processor = Factory().create(Harness::Yaml(yaml), "processors::attributes",
                                    harness.ForProcessor("attributes", signal));
  EXPECT_TRUE(processor.ok()) << processor.status();
  return processor.ok() ? *std::move(processor) : nullptr;
}

std::string ErrorsOf(std::string_view yaml) {
  ConfigErrors errors;
  ReadConfig<Config>(Harness::Yaml(yaml), "processors::attributes", errors);
  return errors.ToStatus().ToString();
}

// Runs `actions` over one span with `fill`'s attributes; its attributes afterwards.
std::string Edited(std::string_view actions, const std::function<void(Writer&)>& fill,
                   std::shared_ptr<const RequestContext> context = nullptr) {
  Harness harness;
  const auto processor = Create(harness, actions, Signal::kTraces);
  if (processor == nullptr) {
    return "not created";
  }
  RecordingOutput output;
  Batch batch = MakeBatch(Signal::kTraces, Request([&](Writer& writer) {
                            auto span = writer.Open(otlp::kScopeItems);
                            fill(writer);
                          }),
                          1);
  batch.set_context(std::move(context));
  processor->Process(std::move(batch), output);
  const auto items = ItemsOf(output.payload());
  return items.size() == 1 ? AttributesOf(items[0], otlp::kSpanAttributes) : "not one item";
}

void FillSome(Writer& writer) {
  writer.StringAttribute(otlp::kSpanAttributes, "a", "one");
  writer.IntAttribute(otlp::kSpanAttributes, "b", 2);
  writer.StringAttribute(otlp::kSpanAttributes, "c.x", "three");
}

TEST(Attributes, InsertsUpdatesAndUpserts) {
  EXPECT_EQ(Edited("actions: [{key: n, value: 5, action: insert}]", FillSome),
            "a=s:one b=i:2 c.x=s:three n=i:5");
  EXPECT_EQ(Edited("actions: [{key: a, value: x, action: insert}]", FillSome),
            "a=s:one b=i:2 c.x=s:three");
  EXPECT_EQ(Edited("actions: [{key: a, value: 1.5, action: update}]", FillSome),
            "a=d:1.5 b=i:2 c.x=s:three");
  EXPECT_EQ(Edited("actions: [{key: n, value: x, action: update}]", FillSome),
            "a=s:one b=i:2 c.x=s:three");
  EXPECT_EQ(Edited("actions: [{key: a, value: true, action: UPSERT}, "
                   "{key: n, value: [1, x], action: upsert}]",
                   FillSome),
            "a=b:true b=i:2 c.x=s:three n=a:[1,\"x\"]");
  EXPECT_EQ(Edited("actions: [{key: m, value: {k: v}, action: insert}]", FillSome),
            "a=s:one b=i:2 c.x=s:three m=m:{\"k\":\"v\"}");
}

TEST(Attributes, TakesValuesFromOtherAttributes) {
  EXPECT_EQ(Edited("actions: [{key: n, from_attribute: b, action: insert}, "
                   "{key: a, from_attribute: n, action: update}]",
                   FillSome),
            "a=i:2 b=i:2 c.x=s:three n=i:2");
  EXPECT_EQ(Edited("actions: [{key: n, from_attribute: gone, action: upsert}]", FillSome),
            "a=s:one b=i:2 c.x=s:three");
  // Each action sees what those before it did.
  EXPECT_EQ(
      Edited("actions: [{key: a, action: delete}, {key: n, from_attribute: a, action: insert},"
             " {key: a, value: new, action: insert}]",
             FillSome),
      "a=s:new b=i:2 c.x=s:three");
}

TEST(Attributes, TakesValuesFromTheRequest) {
  auto context = std::make_shared<RequestContext>();
  context->peer_address = "[fe80::1]:4567";
  context->metadata = {{"tenant", "one"}, {"tenant", "two"}, {"plain", "p"}};
  context->auth = {{"subject", "me"}};
  EXPECT_EQ(Edited(
                "actions: [{key: t, from_context: metadata.Tenant, action: insert}, "
                "{key: s, from_context: auth.subject, action: insert}, "
                "{key: p, from_context: plain, action: insert}, "
                "{key: ip, from_context: client.address, action: insert}, "
                "{key: no, from_context: metadata.none, action: insert}, "
                "{key: no, from_context: auth.none, action: insert}]",
                [](Writer&) {}, context),
            "t=s:one;two s=s:me p=s:p ip=s:fe80::1");
}

TEST(Attributes, DeletesByKeyAndPattern) {
  EXPECT_EQ(Edited("actions: [{key: b, action: delete}]", FillSome), "a=s:one c.x=s:three");
  EXPECT_EQ(Edited("actions: [{key: b, pattern: '^c\\.', action: delete}]", FillSome), "a=s:one");
  EXPECT_EQ(Edited("actions: [{key: n, value: 1, action: insert}, {pattern: '^(n|a)$', action: "
                   "delete}]",
                   FillSome),
            "b=i:2 c.x=s:three");
}

// Scenario: a key that is there twice, which OTLP forbids.
// Guarantees: what is deleted or hashed is gone in all its places.
TEST(Attributes, LeavesNoSecondOfAChangedKey) {
  const auto fill = [](Writer& writer) {
    writer.StringAttribute(otlp::kSpanAttributes, "k", "secret");
    writer.StringAttribute(otlp::kSpanAttributes, "z", "z");
    writer.StringAttribute(otlp::kSpanAttributes, "k", "secret too");
  };
  EXPECT_EQ(Edited("actions: [{key: k, action: delete}]", fill), "z=s:z");
  EXPECT_EQ(Edited("actions: [{key: k, value: 1, action: update}]", fill), "k=i:1 z=s:z");
}

TEST(Attributes, HashesWithSha256) {
  const auto fill = [](Writer& writer) {
    writer.StringAttribute(otlp::kSpanAttributes, "s", "abc");
    writer.BoolAttribute(otlp::kSpanAttributes, "t", true);
    writer.StringAttribute(otlp::kSpanAttributes, "empty", "");
  };
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const std::string one = "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a";
  EXPECT_EQ(Edited("actions: [{pattern: '.', action: hash}]", fill),
            "s=s:" + abc + " t=s:" + one + " empty=s:");
  EXPECT_EQ(Edited("actions: [{key: s, action: hash}]", fill), "s=s:" + abc + " t=b:true empty=s:");
}

TEST(Attributes, ExtractsNamedGroups) {
  const auto fill = [](Writer& writer) {
    writer.StringAttribute(otlp::kSpanAttributes, "url", "http://host/path");
    writer.StringAttribute(otlp::kSpanAttributes, "host", "old");
    writer.IntAttribute(otlp::kSpanAttributes, "n", 12);
  };
  EXPECT_EQ(
      Edited("actions: [{key: url, pattern: '^(?P<scheme>\\w+)://(?P<host>[^/]+)(?P<q>\\?.*)?',"
             " action: extract}]",
             fill),
      "url=s:http://host/path host=s:host n=i:12 scheme=s:http q=s:");
  EXPECT_EQ(Edited("actions: [{key: n, pattern: '(?P<x>.)', action: extract}]", fill),
            "url=s:http://host/path host=s:old n=i:12");
}

TEST(Attributes, Converts) {
  const auto convert = [](std::string_view type, const std::function<void(Writer&)>& fill) {
    return Edited("actions: [{key: k, converted_type: " + std::string(type) + ", action: convert}]",
                  fill);
  };
  const auto text = [](std::string value) {
    return [value](Writer& w) { w.StringAttribute(otlp::kSpanAttributes, "k", value); };
  };
  EXPECT_EQ(convert("int", text("+12")), "k=i:12");
  EXPECT_EQ(convert("int", text("-9223372036854775808")), "k=i:-9223372036854775808");
  EXPECT_EQ(convert("int", text("12.5")), "k=s:12.5");
  EXPECT_EQ(convert("int", text(" 12")), "k=s: 12");
  EXPECT_EQ(convert("double", text("1e3")), "k=d:1000");
  EXPECT_EQ(convert("double", text("1e999")), "k=s:1e999");
  EXPECT_EQ(convert("double", text("0x1p-2")), "k=d:0.25");
  EXPECT_EQ(convert("double", text("0x12")), "k=s:0x12");
  EXPECT_EQ(convert("int", [](Writer& w) { w.DoubleAttribute(otlp::kSpanAttributes, "k", -2.9); }),
            "k=i:-2");
  EXPECT_EQ(convert("int", [](Writer& w) { w.BoolAttribute(otlp::kSpanAttributes, "k", true); }),
            "k=i:1");
  EXPECT_EQ(
      convert("string", [](Writer& w) { w.DoubleAttribute(otlp::kSpanAttributes, "k", 1.5); }),
      "k=s:1.5");
}

TEST(Attributes, EditsDataPointsAndLogRecords) {
  Harness harness;
  const auto metrics =
      Create(harness, "actions: [{key: k, value: v, action: insert}]", Signal::kMetrics);
  RecordingOutput output;
  metrics->Process(MakeBatch(Signal::kMetrics, Request([](Writer& writer) {
                               auto metric = writer.Open(otlp::kScopeItems);
                               auto data = writer.Open(otlp::kMetricHistogram);
                               auto point = writer.Open(otlp::kDataPoints);
                               writer.Fixed64(otlp::kPointTime, 1);
                             }),
                             1),
                   output);
  const std::string metric = ItemsOf(output.payload()).at(0);
  wire::MetricView view;
  ASSERT_TRUE(view.Parse(metric));
  wire::MergedMessage data;
  ASSERT_TRUE(view.FindData(metric, data));
  wire::ListReader points(data.view(), otlp::kDataPoints);
  std::string_view point;
  ASSERT_TRUE(points.Next(point));
  EXPECT_EQ(AttributesOf(point, otlp::kHistogramAttributes), "k=s:v");

  const auto logs = Create(harness, "actions: [{key: k, value: v, action: insert}]", Signal::kLogs);
  RecordingOutput log_output;
  logs->Process(MakeBatch(Signal::kLogs, Request([](Writer& writer) {
                            auto record = writer.Open(otlp::kScopeItems);
                            writer.Fixed64(otlp::kLogTime, 1);
                          }),
                          1),
                log_output);
  EXPECT_EQ(AttributesOf(ItemsOf(log_output.payload()).at(0), otlp::kLogAttributes), "k=s:v");
}

// Which of two spans, "get" of kind server with n=1 and "put" of kind client, are acted on.
std::string ActedOn(std::string_view match) {
  Harness harness;
  const auto processor =
      Create(harness, std::string(match) + "\nactions: [{key: hit, value: 1, action: insert}]",
             Signal::kTraces);
  RecordingOutput output;
  processor->Process(MakeBatch(Signal::kTraces, Request([](Writer& writer) {
                                 auto get = writer.Open(otlp::kScopeItems);
                                 writer.String(otlp::kSpanName, "get");
                                 writer.Uint(otlp::kSpanKind, 2);
                                 writer.IntAttribute(otlp::kSpanAttributes, "n", 1);
                                 get.Close();
                                 auto put = writer.Open(otlp::kScopeItems);
                                 writer.String(otlp::kSpanName, "put");
                                 writer.Uint(otlp::kSpanKind, 3);
                               }),
                               2),
                     output);
  std::string names;
  for (const std::string& item : ItemsOf(output.payload())) {
    wire::SpanView span;
    EXPECT_TRUE(span.Parse(item));
    if (AttributesOf(item, otlp::kSpanAttributes).find("hit") != std::string::npos) {
      names.append(names.empty() ? "" : " ").append(span.name);
    }
  }
  return names;
}

TEST(Attributes, ActsOnWhatIsIncludedAndNotExcluded) {
  EXPECT_EQ(ActedOn("include: {match_type: strict, span_names: [get]}"), "get");
  EXPECT_EQ(ActedOn("exclude: {match_type: strict, span_names: [get]}"), "put");
  EXPECT_EQ(ActedOn("include: {match_type: regexp, span_names: [t$]}"), "get put");
  EXPECT_EQ(ActedOn("include: {match_type: regexp, span_names: [.]}\n"
                    "exclude: {match_type: strict, span_kinds: [SPAN_KIND_SERVER]}"),
            "put");
  EXPECT_EQ(ActedOn("include: {match_type: strict, services: [shop]}"), "get put");
  EXPECT_EQ(ActedOn("include: {match_type: strict, services: [other]}"), "");
  EXPECT_EQ(ActedOn("include: {match_type: strict, attributes: [{key: n, value: 1}]}"), "get");
  EXPECT_EQ(ActedOn("include: {match_type: strict, attributes: [{key: n, value: '1'}]}"), "");
  EXPECT_EQ(ActedOn("include: {match_type: regexp, attributes: [{key: n, value: '^1$'}]}"), "get");
  EXPECT_EQ(ActedOn("include: {match_type: strict, attributes: [{key: n}]}"), "get");
  EXPECT_EQ(ActedOn("exclude: {match_type: strict, resources: [{key: service.name, value: shop}]}"),
            "");
  EXPECT_EQ(ActedOn("include: {match_type: strict, libraries: [{name: library}]}"), "get put");
  EXPECT_EQ(ActedOn("include: {match_type: strict, libraries: [{name: library, version: '2'}]}"),
            "");
}

TEST(Attributes, MatchesLogRecords) {
  const auto acted = [](std::string_view match) {
    Harness harness;
    const auto processor =
        Create(harness, std::string(match) + "\nactions: [{key: hit, value: 1, action: insert}]",
               Signal::kLogs);
    RecordingOutput output;
    processor->Process(MakeBatch(Signal::kLogs, Request([](Writer& writer) {
                                   for (const int severity : {0, 9, 17}) {
                                     auto record = writer.Open(otlp::kScopeItems);
                                     writer.Uint(otlp::kLogSeverityNumber,
                                                 static_cast<std::uint64_t>(severity));
                                     writer.IntValue(otlp::kLogBody, severity);
                                   }
                                 }),
                                 3),
                       output);
    std::string hits;
    for (const std::string& item : ItemsOf(output.payload())) {
      hits += AttributesOf(item, otlp::kLogAttributes).empty() ? '.' : 'x';
    }
    return hits;
  };
  EXPECT_EQ(acted("include: {log_severity_number: {min: 9}}"), ".xx");
  EXPECT_EQ(acted("include: {log_severity_number: {min: 17, match_undefined: true}}"), "x.x");
  EXPECT_EQ(acted("include: {match_type: regexp, log_bodies: ['^1']}"), "..x");
  EXPECT_EQ(acted("include: {match_type: strict, log_bodies: ['9']}"), ".x.");
}

TEST(Attributes, DropsAMalformedItemAloneAndCountsIt) {
  Harness harness;
  const auto processor =
      Create(harness, "actions: [{key: k, value: v, action: insert}]", Signal::kTraces);
  RecordingTracker tracker;
  RecordingOutput output;
  processor->Process(MakeBatch(Signal::kTraces, Request([](Writer& writer) {
                                 writer.Bytes(otlp::kScopeItems, "\x4a\x7f");
                                 auto span = writer.Open(otlp::kScopeItems);
                                 writer.String(otlp::kSpanName, "good");
                               }),
                               2, &tracker),
                     output);
  EXPECT_EQ(output.items(), 1U);
  EXPECT_EQ(ItemsOf(output.payload()).size(), 1U);
  EXPECT_EQ(
      harness.books().Books().dropped_by_reason[static_cast<std::size_t>(DropReason::kMalformed)],
      1U);
  EXPECT_FALSE(tracker.delivered().has_value());

  RecordingTracker lost;
  RecordingOutput nothing;
  processor->Process(MakeBatch(Signal::kTraces, Request([](Writer& writer) {
                                 writer.Bytes(otlp::kScopeItems, "\x4a\x7f");
                               }),
                               1, &lost),
                     nothing);
  EXPECT_TRUE(nothing.batches.empty());
  ASSERT_TRUE(lost.delivered().has_value());
  EXPECT_EQ(lost.delivered()->outcome, Outcome::kRefused);
}

TEST(Attributes, PassesOnTheSameBytesWhenNothingChanges) {
  Harness harness;
  const auto processor = Create(harness, "actions: [{key: k, action: delete}]", Signal::kTraces);
  RecordingOutput output;
  Batch batch = MakeBatch(Signal::kTraces, Request([](Writer& writer) {
                            auto span = writer.Open(otlp::kScopeItems);
                            FillSome(writer);
                          }),
                          1);
  const char* const bytes = batch.parts()[0].payload.data();
  processor->Process(std::move(batch), output);
  EXPECT_EQ(output.batches.at(0).parts()[0].payload.data(), bytes);
}

TEST(AttributesConfig, RefusesWhatTheCollectorRefuses) {
  EXPECT_THAT(ErrorsOf("{}"), HasSubstr("actions"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a}]"), HasSubstr("action: is required"));
  EXPECT_THAT(ErrorsOf("actions: [{value: 1, action: insert}]"), HasSubstr("key: is required"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a, action: insert}]"), HasSubstr("exactly one of"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a, value: 1, from_attribute: b, action: update}]"),
              HasSubstr("exactly one of"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a, value: 1, action: delete}]"), HasSubstr("none of"));
  EXPECT_THAT(ErrorsOf("actions: [{action: delete}]"), HasSubstr("key"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a, action: extract}]"), HasSubstr("pattern"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a, pattern: '(a)(?P<b>c)', action: extract}]"),
              HasSubstr("without a name"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a, pattern: 'a', action: extract}]"),
              HasSubstr("named group"));
  EXPECT_THAT(ErrorsOf("actions: [{pattern: '(', action: delete}]"),
              HasSubstr("not a regular expression"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a, action: convert}]"), HasSubstr("converted_type"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a, converted_type: bool, action: convert}]"),
              HasSubstr("converted_type"));
  EXPECT_THAT(ErrorsOf("actions: [{key: a, action: explode}]"), HasSubstr("action"));
  EXPECT_THAT(ErrorsOf("{include: {span_names: [x]}, actions: [{key: a, action: delete}]}"),
              HasSubstr("match_type"));
  EXPECT_THAT(ErrorsOf("{include: {match_type: regexp, span_names: ['(']}, actions: [{key: a, "
                       "action: delete}]}"),
              HasSubstr("not a regular expression"));
  EXPECT_EQ(ErrorsOf("actions: [{key: a, action: delete}]"), "OK");
}

TEST(AttributesConfig, RefusesPropertiesOfOtherSignals) {
  Harness harness;
  const auto status = [&](std::string_view match, Signal signal) {
    return Factory()
        .create(Harness::Yaml(std::string(match) + "\nactions: [{key: a, action: delete}]"),
                "processors::attributes", harness.ForProcessor("attributes", signal))
        .status();
  };
  EXPECT_FALSE(status("include: {match_type: strict, log_bodies: [x]}", Signal::kTraces).ok());
  EXPECT_FALSE(status("include: {match_type: strict}", Signal::kTraces).ok());
  EXPECT_FALSE(status("exclude: {match_type: strict, span_kinds: [server]}", Signal::kTraces).ok());
  EXPECT_FALSE(status("include: {match_type: strict, services: [x]}", Signal::kLogs).ok());
  EXPECT_TRUE(status("include: {match_type: strict, services: [x]}", Signal::kMetrics).ok());
}

}  // namespace
}  // namespace weir::processors::attributes

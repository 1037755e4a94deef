#include "weir/wire/rewriter.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "tests/wire/random_request.h"
#include "tests/wire/rewrite_oracle.h"
#include "tests/wire/seed.h"
#include "weir/wire/attribute_search.h"
#include "weir/wire/scanner.h"
#include "weir/wire/writer.h"

namespace weir::wire {
namespace {

using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using testing::OracleVisitor;
using testing::RewriteByDecoding;

// A request of `spans` spans in one scope; span i has name "i" and the attributes i times.
ExportTraceServiceRequest Spans(int spans) {
  ExportTraceServiceRequest request;
  auto& scope = *request.add_resource_spans()->add_scope_spans();
  scope.mutable_scope()->set_name("scope");
  for (int i = 0; i < spans; ++i) {
    auto& span = *scope.add_spans();
    span.set_name(std::to_string(i));
    for (int n = 0; n < i; ++n) {
      span.add_attributes()->set_key("k" + std::to_string(n));
    }
  }
  return request;
}

template <typename Request>
Request Decoded(const Slice& payload) {
  Request request;
  EXPECT_TRUE(request.ParseFromArray(payload.data(), static_cast<int>(payload.size())));
  return request;
}

struct ByName : RewriteVisitor {
  static constexpr bool kVisitsItems = true;
  Verdict OnItem(const Item& item, Edit& edit) {
    SpanView span;
    if (!span.Parse(item.contents)) {
      return Verdict::kMalformed;
    }
    names.emplace_back(span.name);
    if (std::find(drop.begin(), drop.end(), span.name) != drop.end()) {
      return Verdict::kDrop;
    }
    if (span.name == rename) {
      EXPECT_TRUE(edit.SetBytes(item.contents, otlp::kSpanName, new_name));
      return Verdict::kEdit;
    }
    return Verdict::kKeep;
  }
  std::vector<std::string> drop;
  std::string rename = "none";
  std::string new_name;
  std::vector<std::string> names;
};

TEST(Rewriter, GivesBackTheSameBytesWhenNothingChanges) {
  const Slice request = Slice::Copy(Spans(5).SerializeAsString());
  MemoryBudget budget;
  Rewriter rewriter(&budget);
  ByName visitor;
  const RewriteResult result = rewriter.Rewrite(Signal::kTraces, request, visitor);
  EXPECT_FALSE(result.changed);
  EXPECT_EQ(result.payload.data(), request.data());
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_THAT(visitor.names, ::testing::ElementsAre("0", "1", "2", "3", "4"));
}

TEST(Rewriter, AcceptsAnEmptyRequest) {
  Rewriter rewriter;
  ByName visitor;
  const RewriteResult result = rewriter.Rewrite(Signal::kTraces, Slice(), visitor);
  EXPECT_FALSE(result.changed);
  EXPECT_TRUE(result.payload.empty());
}

TEST(Rewriter, DropsItemsAndChargesOnlyWhatIsLeft) {
  const Slice request = Slice::Copy(Spans(40).SerializeAsString());
  MemoryBudget budget;
  Rewriter rewriter(&budget);
  ByName visitor;
  for (int i = 0; i < 40; ++i) {
    if (i != 3) {
      visitor.drop.push_back(std::to_string(i));
    }
  }
  RewriteResult result = rewriter.Rewrite(Signal::kTraces, request, visitor);
  EXPECT_EQ(result.dropped, 39U);
  EXPECT_EQ(result.malformed, 0U);
  const auto left = Decoded<ExportTraceServiceRequest>(result.payload);
  ASSERT_EQ(left.resource_spans(0).scope_spans(0).spans_size(), 1);
  EXPECT_EQ(left.resource_spans(0).scope_spans(0).spans(0).name(), "3");
  EXPECT_EQ(left.resource_spans(0).scope_spans(0).scope().name(), "scope");
  EXPECT_EQ(budget.used(), result.payload.size());
  result = RewriteResult();
  EXPECT_EQ(budget.used(), 0U);
}

TEST(Rewriter, LeavesOutLevelsThatLostTheirLastItem) {
  ExportTraceServiceRequest request = Spans(2);
  request.MergeFrom(Spans(3));
  ByName visitor;
  visitor.drop = {"0", "1"};
  Rewriter rewriter;
  const RewriteResult result =
      rewriter.Rewrite(Signal::kTraces, Slice::Copy(request.SerializeAsString()), visitor);
  EXPECT_EQ(result.dropped, 4U);
  const auto left = Decoded<ExportTraceServiceRequest>(result.payload);
  ASSERT_EQ(left.resource_spans_size(), 1);
  EXPECT_EQ(left.resource_spans(0).scope_spans(0).spans(0).name(), "2");

  visitor.drop.emplace_back("2");
  EXPECT_TRUE(rewriter.Rewrite(Signal::kTraces, Slice::Copy(request.SerializeAsString()), visitor)
                  .payload.empty());
}

// Scenario: an item grows until the lengths reserved around it, and the buffer, are too small.
TEST(Rewriter, LetsAnItemGrowBeyondAllRoom) {
  const Slice request = Slice::Copy(Spans(3).SerializeAsString());
  Rewriter rewriter;
  ByName visitor;
  visitor.rename = "1";
  for (const std::size_t size : {1U, 100U, 127U, 128U, 16000U, 20000U, 3000000U}) {
    visitor.new_name.assign(size, 'n');
    const RewriteResult result = rewriter.Rewrite(Signal::kTraces, request, visitor);
    ASSERT_EQ(Scan(Signal::kTraces, result.payload.view(), ScanDepth::kFull).items, 3U);
    const auto grown = Decoded<ExportTraceServiceRequest>(result.payload);
    EXPECT_EQ(grown.resource_spans(0).scope_spans(0).spans(1).name(), visitor.new_name);
    EXPECT_EQ(grown.resource_spans(0).scope_spans(0).spans(2).name(), "2");
  }
}

TEST(Rewriter, DropsAMalformedItemAloneAndCountsIt) {
  Writer writer;
  {
    auto resource = writer.Open(otlp::kRequestResources);
    auto scope = writer.Open(otlp::kResourceScopes);
    writer.Bytes(otlp::kScopeItems,
                 Spans(1).resource_spans(0).scope_spans(0).spans(0).SerializeAsString());
    writer.Bytes(otlp::kScopeItems, "\x2a\x7f");  // A name that passes the end of its span.
    writer.Bytes(otlp::kScopeItems,
                 Spans(2).resource_spans(0).scope_spans(0).spans(1).SerializeAsString());
  }
  Rewriter rewriter;
  ByName visitor;
  const RewriteResult result =
      rewriter.Rewrite(Signal::kTraces, std::move(writer).Finish(), visitor);
  EXPECT_EQ(result.malformed, 1U);
  EXPECT_EQ(result.dropped, 0U);
  const auto left = Decoded<ExportTraceServiceRequest>(result.payload);
  ASSERT_EQ(left.resource_spans(0).scope_spans(0).spans_size(), 2);
  EXPECT_EQ(left.resource_spans(0).scope_spans(0).spans(0).name(), "0");
  EXPECT_EQ(left.resource_spans(0).scope_spans(0).spans(1).name(), "1");
}

// Scenario: framing broken above the items, which the scanner refuses at the door.
TEST(Rewriter, EndsALevelWhereItBreaks) {
  Writer writer;
  {
    auto resource = writer.Open(otlp::kRequestResources);
    auto scope = writer.Open(otlp::kResourceScopes);
    writer.Bytes(otlp::kScopeItems,
                 Spans(1).resource_spans(0).scope_spans(0).spans(0).SerializeAsString());
    writer.Raw("\x12\x7f");
  }
  writer.Bytes(otlp::kRequestResources, {});
  Rewriter rewriter;
  ByName visitor;
  const RewriteResult result =
      rewriter.Rewrite(Signal::kTraces, std::move(writer).Finish(), visitor);
  EXPECT_EQ(result.malformed, 1U);
  const auto left = Decoded<ExportTraceServiceRequest>(result.payload);
  ASSERT_EQ(left.resource_spans_size(), 2);
  EXPECT_EQ(left.resource_spans(0).scope_spans(0).spans_size(), 1);
}

struct ByGroup : RewriteVisitor {
  static constexpr bool kVisitsResources = true;
  static constexpr bool kVisitsScopes = true;
  static constexpr bool kVisitsMetrics = true;
  Verdict OnResource(std::string_view, Edit&) { return resource; }
  Verdict OnScope(std::string_view, Edit&) { return scope; }
  Verdict OnMetric(std::string_view contents, Edit& edit) {
    MetricView view;
    EXPECT_TRUE(view.Parse(contents));
    if (metric == Verdict::kEdit) {
      EXPECT_TRUE(edit.SetBytes(contents, otlp::kMetricName, std::string(view.name) + ".new"));
    }
    return metric;
  }
  Verdict OnItem(const Item&, Edit&) {
    ++items;
    return item;
  }
  Verdict resource = Verdict::kKeep;
  Verdict scope = Verdict::kKeep;
  Verdict metric = Verdict::kKeep;
  Verdict item = Verdict::kKeep;
  int items = 0;
};

ExportMetricsServiceRequest Points() {
  ExportMetricsServiceRequest request;
  auto& scope = *request.add_resource_metrics()->add_scope_metrics();
  auto& gauge = *scope.add_metrics();
  gauge.set_name("gauge");
  gauge.mutable_gauge()->add_data_points();
  gauge.mutable_gauge()->add_data_points();
  auto& histogram = *scope.add_metrics();
  histogram.set_name("histogram");
  histogram.mutable_histogram()->add_data_points();
  return request;
}

TEST(Rewriter, CountsTheItemsOfALevelItLeavesOut) {
  const Slice request = Slice::Copy(Points().SerializeAsString());
  Rewriter rewriter;
  for (Verdict ByGroup::*level : {&ByGroup::resource, &ByGroup::scope, &ByGroup::metric}) {
    ByGroup visitor;
    visitor.*level = Verdict::kDrop;
    RewriteResult result = rewriter.Rewrite(Signal::kMetrics, request, visitor);
    EXPECT_EQ(result.dropped, 3U);
    EXPECT_TRUE(result.payload.empty());
    visitor.*level = Verdict::kMalformed;
    result = rewriter.Rewrite(Signal::kMetrics, request, visitor);
    EXPECT_EQ(result.malformed, 3U);
    visitor.*level = Verdict::kSkip;
    result = rewriter.Rewrite(Signal::kMetrics, request, visitor);
    EXPECT_FALSE(result.changed);
    EXPECT_EQ(visitor.items, 0);
  }
}

TEST(Rewriter, EditsAMetricWithoutVisitingItsPoints) {
  ByGroup visitor;
  visitor.metric = Verdict::kEdit;
  Rewriter rewriter;
  const RewriteResult result =
      rewriter.Rewrite(Signal::kMetrics, Slice::Copy(Points().SerializeAsString()), visitor);
  const auto edited = Decoded<ExportMetricsServiceRequest>(result.payload);
  const auto& scope = edited.resource_metrics(0).scope_metrics(0);
  EXPECT_EQ(scope.metrics(0).name(), "gauge.new");
  EXPECT_EQ(scope.metrics(0).gauge().data_points_size(), 2);
  EXPECT_EQ(scope.metrics(1).name(), "histogram.new");
  EXPECT_EQ(visitor.items, 0);
}

TEST(Edit, AppliesChangesInAnyOrder) {
  opentelemetry::proto::trace::v1::Span span;
  span.set_name("name");
  span.set_trace_state("state");
  span.add_attributes()->set_key("a");
  const std::string bytes = span.SerializeAsString();
  Edit edit;
  FieldReader fields(bytes);
  std::vector<std::string_view> all;
  while (fields.Next()) {
    all.push_back(fields.field());
  }
  ASSERT_EQ(all.size(), 3U);
  edit.Cut(all[2]);
  edit.Replace(all[0], std::string("\x1a\x01s", 3));
  edit.Append().StringAttribute(otlp::kSpanAttributes, "b", "c");
  const std::string stable("\x30\x02", 2);
  edit.AppendStable(stable);
  std::string out(edit.SizeOf(bytes), '?');
  EXPECT_EQ(edit.Write(bytes, out.data()), out.data() + out.size());
  ASSERT_TRUE(span.ParseFromString(out));
  EXPECT_EQ(span.trace_state(), "s");
  EXPECT_EQ(span.name(), "name");
  EXPECT_EQ(span.kind(), 2);
  ASSERT_EQ(span.attributes_size(), 1);
  EXPECT_EQ(span.attributes(0).key(), "b");
  EXPECT_FALSE(edit.empty());
  edit.Clear();
  EXPECT_TRUE(edit.empty());
}

// Scenario: random requests, in legal but odd encodings, through a visitor that edits resources,
// scopes and items and drops some.
// Guarantees: what comes out decodes to what parsing, editing the objects and encoding gives.
TEST(Rewriter, EqualsParseEditAndEncodeOnRandomRequests) {
  const std::uint64_t seed = testing::TestSeed();
  SCOPED_TRACE(::testing::Message() << "WEIR_TEST_SEED=" << std::hex << seed);
  testing::RandomRequest random(seed);
  MemoryBudget budget;
  Rewriter rewriter(&budget);
  std::uint64_t dropped = 0;
  std::uint64_t changed = 0;
  for (int round = 0; round < 1500; ++round) {
    const Signal signal = kSignals[random.Below(kSignalCount)];
    std::string bytes = random.Make(signal);
    if (round % 3 != 0) {
      bytes = random.Distort(signal, bytes);
    }
    const auto expected = RewriteByDecoding(signal, bytes);
    if (!expected.has_value()) {
      continue;  // A distortion too deep for protobuf.
    }
    OracleVisitor visitor(signal);
    const RewriteResult result = rewriter.Rewrite(signal, Slice::Copy(bytes), visitor);
    ASSERT_EQ(result.malformed, 0U) << "round " << round;
    ASSERT_EQ(result.dropped, expected->dropped) << "round " << round;
    // Without printing both: they are long.
    ASSERT_TRUE(testing::Reencoded(signal, result.payload.view()) == expected->bytes)
        << "round " << round;
    dropped += result.dropped;
    changed += result.changed ? 1 : 0;
  }
  EXPECT_GT(dropped, 200U);
  EXPECT_GT(changed, 500U);
  EXPECT_EQ(budget.used(), 0U);
}

// Scenario: random requests with broken bytes.
// Guarantees: nothing outside them is read, and what comes out is never more than went in.
TEST(Rewriter, SurvivesBrokenRequests) {
  testing::RandomRequest random(testing::TestSeed());
  Rewriter rewriter;
  std::uint64_t malformed = 0;
  for (int round = 0; round < 1500; ++round) {
    const Signal signal = kSignals[random.Below(kSignalCount)];
    const std::string bytes = random.Break(random.Distort(signal, random.Make(signal)));
    OracleVisitor visitor(signal);
    const RewriteResult result = rewriter.Rewrite(signal, Slice::Copy(bytes), visitor);
    malformed += result.malformed;
    const ScanResult before = Scan(signal, bytes, ScanDepth::kStructure);
    if (before.ok()) {
      const ScanResult after = Scan(signal, result.payload.view(), ScanDepth::kStructure);
      ASSERT_TRUE(after.ok()) << "round " << round;
      ASSERT_EQ(before.items, after.items + result.dropped + result.malformed) << "round " << round;
    }
  }
  EXPECT_GT(malformed, 100U);
}

}  // namespace
}  // namespace weir::wire

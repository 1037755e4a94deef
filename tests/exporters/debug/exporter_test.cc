#include "exporters/debug/exporter.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "exporters/debug/factory.h"
#include "exporters/debug/fields.h"
#include "gtest/gtest.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"
#include "weir/wire/json.h"

namespace weir::exporters::debug {
namespace {

std::string Proto(Signal signal, std::string_view json) {
  const wire::JsonToProtoResult result = wire::JsonToProto(signal, json);
  EXPECT_TRUE(result.ok()) << result.message;
  return std::string(result.bytes.view());
}

std::string Detailed(Signal signal, std::string_view json) {
  TextCounts counts;
  std::string text;
  AppendDetailed(signal, Proto(signal, json), counts, text);
  EXPECT_EQ(counts.malformed, 0u);
  return text;
}

std::string Normal(Signal signal, std::string_view json) {
  TextCounts counts;
  std::string text;
  AppendNormal(signal, Proto(signal, json), counts, text);
  EXPECT_EQ(counts.malformed, 0u);
  return text;
}

constexpr std::string_view kTrace = R"({"resourceSpans":[{
  "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
  "schemaUrl":"https://s",
  "scopeSpans":[{"scope":{"name":"lib","version":"1"},"spans":[{
    "traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"1112131415161718","name":"operationA",
    "kind":2,"traceState":"ot=th:0","startTimeUnixNano":"1581452772000000321",
    "endTimeUnixNano":"1581452773000000000","status":{"code":2,"message":"cancelled"},
    "droppedAttributesCount":1,"attributes":[{"key":"n","value":{"intValue":5}}],
    "events":[{"name":"e","attributes":[{"key":"a","value":{"boolValue":true}}]}],
    "links":[{"spanId":"01"}]}]}]}]})";

TEST(DebugText, ShowsASpanInDetail) {
  EXPECT_EQ(Detailed(Signal::kTraces, kTrace),
            "ResourceSpans #0\n"
            "Resource SchemaURL: https://s\n"
            "Resource attributes:\n"
            "     -> service.name: Str(shop)\n"
            "ScopeSpans #0\n"
            "ScopeSpans SchemaURL: \n"
            "InstrumentationScope lib 1\n"
            "Span #0\n"
            "    Trace ID       : 0102030405060708090a0b0c0d0e0f10\n"
            "    Parent ID      : \n"
            "    ID             : 1112131415161718\n"
            "    Name           : operationA\n"
            "    Kind           : Server\n"
            "    TraceState     : ot=th:0\n"
            "    Start time     : 2020-02-11 20:26:12.000000321 +0000 UTC\n"
            "    End time       : 2020-02-11 20:26:13 +0000 UTC\n"
            "    Status code    : Error\n"
            "    Status message : cancelled\n"
            "    DroppedAttributesCount: 1\n"
            "    DroppedEventsCount: 0\n"
            "    DroppedLinksCount: 0\n"
            "Attributes:\n"
            "     -> n: Int(5)\n"
            "Events:\n"
            "SpanEvent #0\n"
            "     -> Name: e\n"
            "     -> Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
            "     -> DroppedAttributesCount: 0\n"
            "     -> Attributes::\n"
            "          -> a: Bool(true)\n"
            "Links:\n"
            "SpanLink #0\n"
            "     -> Trace ID: \n"
            "     -> ID: 01\n"
            "     -> TraceState: \n"
            "     -> DroppedAttributesCount: 0\n");
}

TEST(DebugText, ShowsASpanInALine) {
  EXPECT_EQ(Normal(Signal::kTraces, kTrace),
            "ResourceTraces #0 [https://s] service.name=shop\n"
            "ScopeTraces #0 lib@1\n"
            "operationA 0102030405060708090a0b0c0d0e0f10 1112131415161718 n=5\n");
}

constexpr std::string_view kLog = R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{
  "timeUnixNano":"1581452773000000789","severityNumber":9,"severityText":"Info","flags":1,
  "body":{"kvlistValue":{"values":[{"key":"b","value":{"stringValue":"x"}}]}},
  "attributes":[{"key":"app","value":{"stringValue":"server"}}],"spanId":"0102","eventName":"ev"
  }]}]}]})";

TEST(DebugText, ShowsALog) {
  EXPECT_EQ(Detailed(Signal::kLogs, kLog),
            "ResourceLog #0\n"
            "Resource SchemaURL: \n"
            "ScopeLogs #0\n"
            "ScopeLogs SchemaURL: \n"
            "InstrumentationScope  \n"
            "LogRecord #0\n"
            "ObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
            "Timestamp: 2020-02-11 20:26:13.000000789 +0000 UTC\n"
            "SeverityText: Info\n"
            "SeverityNumber: Info(9)\n"
            "EventName: ev\n"
            "Body: Map({\"b\":\"x\"})\n"
            "Attributes:\n"
            "     -> app: Str(server)\n"
            "Trace ID: \n"
            "Span ID: 0102\n"
            "Flags: 1\n");
  EXPECT_EQ(Normal(Signal::kLogs, kLog), "ResourceLog #0\nScopeLog #0\n{\"b\":\"x\"} app=server\n");
}

constexpr std::string_view kMetrics = R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[
  {"name":"s","unit":"1","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
    {"asInt":"123","attributes":[{"key":"l","value":{"stringValue":"v"}}]},{"asDouble":1.25}]},
   "metadata":[{"key":"m","value":{"intValue":1}}]},
  {"name":"h","histogram":{"aggregationTemporality":1,"dataPoints":[{"count":1,"sum":15,"min":15,
    "bucketCounts":[0,1],"explicitBounds":[1.5],"exemplars":[{"asInt":7}]}]}},
  {"name":"e","exponentialHistogram":{"dataPoints":[{"count":3,"scale":0,"zeroCount":1,
    "negative":{"bucketCounts":[1]},"positive":{"offset":1,"bucketCounts":["2"]}}]}},
  {"name":"q","summary":{"dataPoints":[{"count":1,"sum":15,
    "quantileValues":[{"quantile":0.5,"value":2000000}]}]}}
  ]}]}]})";

TEST(DebugText, ShowsEveryKindOfMetric) {
  const std::string times =
      "StartTimestamp: 1970-01-01 00:00:00 +0000 UTC\nTimestamp: 1970-01-01 00:00:00 +0000 UTC\n";
  EXPECT_EQ(Detailed(Signal::kMetrics, kMetrics),
            "ResourceMetrics #0\nResource SchemaURL: \nScopeMetrics #0\n"
            "ScopeMetrics SchemaURL: \nInstrumentationScope  \n"
            "Metric #0\nDescriptor:\n     -> Name: s\n     -> Description: \n"
            "     -> Unit: 1\n     -> DataType: Sum\n     -> Metadata:\n"
            "          -> m: Int(1)\n     -> IsMonotonic: true\n"
            "     -> AggregationTemporality: Cumulative\n"
            "NumberDataPoints #0\nData point attributes:\n     -> l: Str(v)\n" +
                times + "Value: 123\nNumberDataPoints #1\n" + times +
                "Value: 1.250000\n"
                "Metric #1\nDescriptor:\n     -> Name: h\n     -> Description: \n"
                "     -> Unit: \n     -> DataType: Histogram\n"
                "     -> AggregationTemporality: Delta\nHistogramDataPoints #0\n" +
                times +
                "Count: 1\nSum: 15.000000\nMin: 15.000000\nExplicitBounds #0: 1.500000\n"
                "Buckets #0, Count: 0\nBuckets #1, Count: 1\nExemplars:\nExemplar #0\n"
                "     -> Trace ID: \n     -> Span ID: \n"
                "     -> Timestamp: 1970-01-01 00:00:00 +0000 UTC\n     -> Value: 7\n"
                "Metric #2\nDescriptor:\n     -> Name: e\n     -> Description: \n"
                "     -> Unit: \n     -> DataType: ExponentialHistogram\n"
                "     -> AggregationTemporality: Unspecified\n"
                "ExponentialHistogramDataPoints #0\n" +
                times +
                "Count: 3\nBucket [-2.000000, -1.000000), Count: 1\nBucket [0, 0], Count: 1\n"
                "Bucket (2.000000, 4.000000], Count: 2\n"
                "Metric #3\nDescriptor:\n     -> Name: q\n     -> Description: \n"
                "     -> Unit: \n     -> DataType: Summary\nSummaryDataPoints #0\n" +
                times +
                "Count: 1\nSum: 15.000000\n"
                "QuantileValue #0: Quantile 0.500000, Value 2000000.000000\n");
  EXPECT_EQ(Normal(Signal::kMetrics, kMetrics),
            "ResourceMetrics #0\nScopeMetrics #0\ns{l=v} 123\ns{} 1.25\n"
            "h{} count=1 sum=15 min=15 le1.5=0 1\ne{} count=3 le-1=1 zero=1 le4=2\n"
            "q{} count=1 sum=15.000000 q0.5=2e+06\n");
}

TEST(DebugText, CountsMalformedItemsAndGoesOn) {
  const std::string request("\x0a\x0c\x12\x0a\x12\x03\x2a\x01\x61\x12\x03\x4a\x7f\x61", 14);
  TextCounts counts;
  std::string text;
  AppendDetailed(Signal::kTraces, request, counts, text);
  EXPECT_EQ(counts.malformed, 1u);
  EXPECT_NE(text.find("Span #0"), std::string::npos);
  EXPECT_EQ(text.find("Span #1"), std::string::npos);
  TextCounts normal;
  AppendNormal(Signal::kTraces, request, normal, text);
  EXPECT_EQ(normal.malformed, 1u);
}

TEST(DebugText, NumbersAreWrittenAsGoDoes) {
  EXPECT_EQ(ShortText(0), "0");
  EXPECT_EQ(ShortText(0.0001), "0.0001");
  EXPECT_EQ(ShortText(0.00001), "1e-05");
  EXPECT_EQ(ShortText(123456.5), "123456.5");
  EXPECT_EQ(ShortText(-1e6), "-1e+06");
  EXPECT_EQ(ShortText(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(FixedText(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(TimeText(~std::uint64_t{0}), "1969-12-31 23:59:59.999999999 +0000 UTC");
}

TEST(DebugSampler, ShowsTheFirstAndThenEveryNth) {
  Sampler sampler(2, 3);
  const TimePoint start{std::chrono::hours(1)};
  std::string shown;
  for (int i = 0; i < 9; ++i) {
    shown += sampler.Take(start) ? 'x' : '.';
  }
  EXPECT_EQ(shown, "xx..x..x.");
  EXPECT_TRUE(sampler.Take(start + std::chrono::seconds(1)));
  Sampler none(0, 0);
  EXPECT_FALSE(none.Take(start));
}

TEST(DebugExporter, WritesToItsOutputPaths) {
  const std::string path =
      std::filesystem::path(testing::TempDir()) / ("debug-" + std::to_string(getpid()));
  testkit::Harness harness;
  auto created = Factory().create(
      harness.Yaml("{verbosity: Normal, use_internal_logger: false, output_paths: ['" + path +
                   "']}"),
      "exporters::debug", harness.ForExporter("debug"));
  ASSERT_TRUE(created.ok()) << created.status();
  ASSERT_TRUE((*created)->Start().ok());
  Batch batch = testkit::MakeBatch(Signal::kLogs, Proto(Signal::kLogs, kLog), 1);
  harness.loop_thread().RunAndWait([&] {
    (*created)->Send(batch, TimePoint::max(), [](SendResult result) {
      EXPECT_EQ(result.kind, SendResult::Kind::kDelivered);
    });
  });
  batch.Settle(Outcome::kDelivered);
  ASSERT_TRUE((*created)->Shutdown(TimePoint::max()).ok());
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(),
            "Logs\t{\"resource logs\": 1, \"log records\": 1}\n"
            "ResourceLog #0\nScopeLog #0\n{\"b\":\"x\"} app=server\n\n");
  std::filesystem::remove(path);
}

TEST(DebugExporter, LogsCountsByTheInternalLogger) {
  testkit::Harness harness;
  auto created =
      Factory().create(harness.Yaml("{}"), "exporters::debug", harness.ForExporter("debug"));
  ASSERT_TRUE(created.ok()) << created.status();
  ASSERT_TRUE((*created)->Start().ok());
  Batch batch = testkit::MakeBatch(Signal::kMetrics, Proto(Signal::kMetrics, kMetrics), 5);
  harness.loop_thread().RunAndWait(
      [&] { (*created)->Send(batch, TimePoint::max(), [](SendResult) {}); });
  batch.Settle(Outcome::kDelivered);
  ASSERT_EQ(harness.log_lines().size(), 1u);
  EXPECT_NE(harness.log_lines()[0].find("Metrics"), std::string::npos);
  EXPECT_NE(harness.log_lines()[0].find("4"), std::string::npos);
}

TEST(DebugConfig, RefusesOutputPathsWithTheInternalLogger) {
  for (const char* yaml : {"{output_paths: [stdout]}",
                           "{use_internal_logger: false, output_paths: []}", "{verbosity: loud}"}) {
    EXPECT_FALSE(Factory().settings(testkit::Harness::Yaml(yaml), "exporters::debug").ok()) << yaml;
  }
}

}  // namespace
}  // namespace weir::exporters::debug

// JSON to protobuf: the specification's rules one by one, and what is refused.

#include <cmath>
#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "weir/wire/json.h"
#include "weir/wire/scanner.h"

namespace weir::wire {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::metrics::v1::HistogramDataPoint;
using opentelemetry::proto::metrics::v1::NumberDataPoint;
using opentelemetry::proto::trace::v1::Span;

template <typename Request>
Request Read(Signal signal, std::string_view json) {
  const JsonToProtoResult result = JsonToProto(signal, json);
  EXPECT_TRUE(result.ok()) << result.message << "\n" << json;
  EXPECT_TRUE(Scan(signal, result.bytes.view(), ScanDepth::kFull).ok()) << json;
  Request request;
  EXPECT_TRUE(request.ParseFromString(std::string(result.bytes.view()))) << json;
  return request;
}

std::string SpanJson(std::string_view members) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + std::string(members) + "}]}]}]}";
}

Span ReadSpan(std::string_view members) {
  const auto request = Read<ExportTraceServiceRequest>(Signal::kTraces, SpanJson(members));
  return request.resource_spans(0).scope_spans(0).spans(0);
}

AnyValue ReadValue(std::string_view value) {
  const Span span = ReadSpan(R"("attributes":[{"key":"k","value":)" + std::string(value) + "}]");
  return span.attributes(0).value();
}

HistogramDataPoint ReadHistogramPoint(std::string_view members) {
  const auto request = Read<ExportMetricsServiceRequest>(
      Signal::kMetrics,
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{)" +
          std::string(members) + "}]}}]}]}]}");
  return request.resource_metrics(0).scope_metrics(0).metrics(0).histogram().data_points(0);
}

JsonError ErrorOf(std::string_view json, Signal signal = Signal::kTraces) {
  const JsonToProtoResult result = JsonToProto(signal, json);
  EXPECT_EQ(result.ok(), result.message.empty());
  EXPECT_LE(result.offset, json.size());
  if (!result.ok()) {
    EXPECT_TRUE(result.bytes.empty());
  }
  return result.error;
}

JsonError SpanErrorOf(std::string_view members) { return ErrorOf(SpanJson(members)); }

// Scenario: the specification's example of a trace request.
TEST(JsonReader, ReadsTheSpecificationsTrace) {
  const auto request = Read<ExportTraceServiceRequest>(Signal::kTraces, R"({
    "resourceSpans": [{
      "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
      "scopeSpans": [{
        "scope": {"name": "my.library", "version": "1.0.0",
                  "attributes": [{"key": "a", "value": {"stringValue": "some"}}]},
        "spans": [{
          "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174",
          "parentSpanId": "EEE19B7EC3C1B173", "name": "I'm a server span",
          "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
          "kind": 2, "attributes": [{"key": "my.span.attr", "value": {"stringValue": "some value"}}]
        }]
      }]
    }]
  })");
  const auto& resource = request.resource_spans(0);
  EXPECT_EQ(resource.resource().attributes(0).value().string_value(), "my.service");
  const auto& scope = resource.scope_spans(0);
  EXPECT_EQ(scope.scope().name(), "my.library");
  const Span& span = scope.spans(0);
  EXPECT_EQ(span.trace_id(), "\x5B\x8E\xFF\xF7\x98\x03\x81\x03\xD2\x69\xB6\x33\x81\x3F\xC6\x0C");
  EXPECT_EQ(span.span_id(), "\xEE\xE1\x9B\x7E\xC3\xC1\xB1\x74");
  EXPECT_EQ(span.name(), "I'm a server span");
  EXPECT_EQ(span.kind(), Span::SPAN_KIND_SERVER);
  EXPECT_EQ(span.start_time_unix_nano(), 1544712660000000000u);
  EXPECT_EQ(span.end_time_unix_nano(), 1544712661000000000u);
  EXPECT_EQ(span.attributes(0).key(), "my.span.attr");
}

TEST(JsonReader, ReadsTheSpecificationsLog) {
  const auto request = Read<ExportLogsServiceRequest>(Signal::kLogs, R"({
    "resourceLogs": [{"scopeLogs": [{"logRecords": [{
      "timeUnixNano": "1544712660300000000", "observedTimeUnixNano": "1544712660300000000",
      "severityNumber": 10, "severityText": "Information",
      "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174",
      "body": {"stringValue": "Example log record"},
      "attributes": [
        {"key": "boolean", "value": {"boolValue": true}},
        {"key": "int", "value": {"intValue": "10"}},
        {"key": "double", "value": {"doubleValue": 637.704}},
        {"key": "array", "value": {"arrayValue": {"values": [{"stringValue": "many"}]}}},
        {"key": "map", "value": {"kvlistValue": {"values":
            [{"key": "some.map.key", "value": {"stringValue": "some value"}}]}}}]
    }]}]}]})");
  const auto& record = request.resource_logs(0).scope_logs(0).log_records(0);
  EXPECT_EQ(record.severity_number(), 10);
  EXPECT_EQ(record.body().string_value(), "Example log record");
  EXPECT_TRUE(record.attributes(0).value().bool_value());
  EXPECT_EQ(record.attributes(1).value().int_value(), 10);
  EXPECT_EQ(record.attributes(2).value().double_value(), 637.704);
  EXPECT_EQ(record.attributes(3).value().array_value().values(0).string_value(), "many");
  EXPECT_EQ(record.attributes(4).value().kvlist_value().values(0).key(), "some.map.key");
}

TEST(JsonReader, ReadsTheSpecificationsMetrics) {
  const auto request = Read<ExportMetricsServiceRequest>(Signal::kMetrics, R"({
    "resourceMetrics": [{"scopeMetrics": [{"metrics": [
      {"name": "my.counter", "unit": "1", "description": "I am a Counter",
       "sum": {"aggregationTemporality": 1, "isMonotonic": true,
               "dataPoints": [{"asDouble": 5, "startTimeUnixNano": "1544712660300000000",
                               "timeUnixNano": "1544712660300000000"}]}},
      {"name": "my.histogram", "histogram": {"aggregationTemporality": 1, "dataPoints": [
         {"count": 2, "sum": 2, "bucketCounts": [1, "1"], "explicitBounds": [1], "min": 0,
          "max": 2}]}},
      {"name": "my.exponential", "exponentialHistogram": {"dataPoints": [
         {"count": "3", "scale": -2, "positive": {"offset": -1, "bucketCounts": ["0", 2]}}]}},
      {"name": "my.summary", "summary": {"dataPoints": [
         {"quantileValues": [{"quantile": 0.5, "value": 1.5}]}]}}
    ]}]}]})");
  const auto& metrics = request.resource_metrics(0).scope_metrics(0).metrics();
  EXPECT_EQ(metrics[0].sum().data_points(0).as_double(), 5.0);
  EXPECT_TRUE(metrics[0].sum().is_monotonic());
  const auto& histogram = metrics[1].histogram().data_points(0);
  EXPECT_EQ(histogram.count(), 2u);
  ASSERT_EQ(histogram.bucket_counts_size(), 2);
  EXPECT_EQ(histogram.bucket_counts(1), 1u);
  EXPECT_TRUE(histogram.has_min());
  EXPECT_EQ(histogram.min(), 0.0);
  const auto& exponential = metrics[2].exponential_histogram().data_points(0);
  EXPECT_EQ(exponential.scale(), -2);
  EXPECT_EQ(exponential.positive().offset(), -1);
  EXPECT_EQ(exponential.positive().bucket_counts(1), 2u);
  EXPECT_EQ(metrics[3].summary().data_points(0).quantile_values(0).value(), 1.5);
}

TEST(JsonReader, AcceptsSnakeCaseKeysAnyOrderAndEscapedKeys) {
  const Span span = ReadSpan(
      R"("end_time_unix_nano":7,"start_time_unix_nano":"3","na\u006de":"x","trace_id":"0A")");
  EXPECT_EQ(span.end_time_unix_nano(), 7u);
  EXPECT_EQ(span.start_time_unix_nano(), 3u);
  EXPECT_EQ(span.name(), "x");
  EXPECT_EQ(span.trace_id(), "\n");
}

TEST(JsonReader, IgnoresUnknownKeysAndNulls) {
  const Span span =
      ReadSpan(R"("future":{"a":[1,{"b":null}],"c":"}"},"name":"x","kind":null,"events":null,)"
               R"("links":[null],"status":null,"namex":"y","nam":"z")");
  EXPECT_EQ(span.name(), "x");
  EXPECT_EQ(span.links_size(), 0);
  EXPECT_FALSE(span.has_status());
}

TEST(JsonReader, TheLastScalarCountsAndRepeatedFieldsJoin) {
  const Span span = ReadSpan(
      R"("name":"a","name":"b","kind":2,"kind":0,"events":[{"name":"1"}],"events":[{"name":"2"}],)"
      R"("status":{"code":1},"status":{"message":"m"})");
  EXPECT_EQ(span.name(), "b");
  EXPECT_EQ(span.kind(), Span::SPAN_KIND_UNSPECIFIED);
  EXPECT_EQ(span.events_size(), 2);
  EXPECT_EQ(span.status().code(), 1);
  EXPECT_EQ(span.status().message(), "m");
}

TEST(JsonReader, LeavesDefaultsOutUnlessPresenceCounts) {
  const JsonToProtoResult plain = JsonToProto(Signal::kTraces, SpanJson(R"("kind":0,"name":"")"));
  EXPECT_EQ(plain.bytes.view(), JsonToProto(Signal::kTraces, SpanJson("")).bytes.view());
  EXPECT_EQ(ReadValue(R"({"stringValue":""})").value_case(), AnyValue::kStringValue);
  EXPECT_EQ(ReadValue(R"({"intValue":0})").value_case(), AnyValue::kIntValue);
  EXPECT_EQ(ReadValue(R"({"boolValue":false})").value_case(), AnyValue::kBoolValue);
  EXPECT_EQ(ReadValue(R"({"arrayValue":{}})").value_case(), AnyValue::kArrayValue);
  EXPECT_EQ(ReadValue("{}").value_case(), AnyValue::VALUE_NOT_SET);
  EXPECT_TRUE(ReadHistogramPoint(R"("sum":0)").has_sum());
  EXPECT_FALSE(ReadHistogramPoint("").has_sum());
}

TEST(JsonReader, ANullAmongValuesIsTheEmptyValue) {
  const AnyValue value = ReadValue(R"({"arrayValue":{"values":[{"intValue":1},null]}})");
  ASSERT_EQ(value.array_value().values_size(), 2);
  EXPECT_EQ(value.array_value().values(1).value_case(), AnyValue::VALUE_NOT_SET);
}

TEST(JsonReader, ReadsIntegersAsNumbersAndStrings) {
  const auto integer = [](std::string_view text) {
    return ReadValue(R"({"intValue":)" + std::string(text) + "}").int_value();
  };
  EXPECT_EQ(integer("-5"), -5);
  EXPECT_EQ(integer(R"("-5")"), -5);
  EXPECT_EQ(integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(integer(R"("-9223372036854775808")"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(integer("1.0"), 1);
  EXPECT_EQ(integer("1e3"), 1000);
  EXPECT_EQ(integer("-0"), 0);
  EXPECT_EQ(ReadSpan(R"("endTimeUnixNano":18446744073709551615)").end_time_unix_nano(),
            std::numeric_limits<std::uint64_t>::max());
}

TEST(JsonReader, RefusesNumbersOutOfRange) {
  for (const char* text :
       {R"("attributes":[{"value":{"intValue":9223372036854775808}}])",
        R"("attributes":[{"value":{"intValue":"1.5"}}])", R"("endTimeUnixNano":-1)",
        R"("endTimeUnixNano":"18446744073709551616")", R"("endTimeUnixNano":18446744073709551616)",
        R"("droppedEventsCount":4294967296)", R"("flags":-1)", R"("kind":2147483648)",
        R"("endTimeUnixNano":"")", R"("endTimeUnixNano":" 1")", R"("endTimeUnixNano":"0x1")",
        R"("attributes":[{"value":{"doubleValue":1e999}}])",
        R"("attributes":[{"value":{"doubleValue":"nan"}}])"}) {
    EXPECT_EQ(SpanErrorOf(text), JsonError::kBadNumber) << text;
  }
  for (const char* text : {"01", "1.", ".5", "+1", "1e", "0x1", "NaN", "Infinity", "tru", "-"}) {
    EXPECT_EQ(SpanErrorOf(R"("endTimeUnixNano":)" + std::string(text)), JsonError::kSyntax) << text;
  }
}

TEST(JsonReader, ReadsDoublesAndTheirNames) {
  const auto number = [](std::string_view text) {
    const AnyValue value = ReadValue(R"({"doubleValue":)" + std::string(text) + "}");
    EXPECT_EQ(value.value_case(), AnyValue::kDoubleValue);
    return value.double_value();
  };
  EXPECT_EQ(number("3.25"), 3.25);
  EXPECT_EQ(number("-1e-3"), -1e-3);
  EXPECT_EQ(number(R"("2.5")"), 2.5);
  EXPECT_EQ(number("1e-999"), 0.0);
  EXPECT_EQ(number("5e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::isnan(number(R"("NaN")")));
  EXPECT_EQ(number(R"("Infinity")"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(number(R"("-Infinity")"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::signbit(number("-0.0")));
}

TEST(JsonReader, ReadsEnumsByNumberAndName) {
  EXPECT_EQ(ReadSpan(R"("kind":3)").kind(), Span::SPAN_KIND_CLIENT);
  EXPECT_EQ(ReadSpan(R"("kind":"SPAN_KIND_CLIENT")").kind(), Span::SPAN_KIND_CLIENT);
  EXPECT_EQ(ReadSpan(R"("kind":"3")").kind(), Span::SPAN_KIND_CLIENT);
  EXPECT_EQ(static_cast<int>(ReadSpan(R"("kind":99)").kind()), 99);
  EXPECT_EQ(static_cast<int>(ReadSpan(R"("kind":-1)").kind()), -1);
  EXPECT_EQ(SpanErrorOf(R"("kind":"CLIENT")"), JsonError::kBadEnum);
  EXPECT_EQ(SpanErrorOf(R"("kind":true)"), JsonError::kWrongType);
}

TEST(JsonReader, ReadsHexOfEitherCaseAndRefusesOthers) {
  EXPECT_EQ(ReadSpan(R"("traceId":"abCDef00")").trace_id(), std::string("\xab\xcd\xef\0", 4));
  EXPECT_EQ(ReadSpan(R"("traceId":"")").trace_id(), "");
  for (const char* text : {"a", "zz", "W47/95gDgQPSabYzgT/GDA==", "0x00", " 00 "}) {
    EXPECT_EQ(SpanErrorOf(R"("traceId":")" + std::string(text) + '"'), JsonError::kBadHex) << text;
  }
}

TEST(JsonReader, ReadsBase64OfBothAlphabets) {
  const auto bytes = [](std::string_view text) {
    return ReadValue(R"({"bytesValue":")" + std::string(text) + R"("})").bytes_value();
  };
  EXPECT_EQ(bytes(""), "");
  EXPECT_EQ(bytes("aGk="), "hi");
  EXPECT_EQ(bytes("aGk"), "hi");
  EXPECT_EQ(bytes("aA=="), "h");
  EXPECT_EQ(bytes("+/+/"), "\xfb\xff\xbf");
  EXPECT_EQ(bytes(R"(+\/+\/)"), "\xfb\xff\xbf");
  EXPECT_EQ(bytes("-_-_"), "\xfb\xff\xbf");
  for (const char* text : {"a", "a===", "=", "====", "aG*k", "aGk=aGk=", "aaaaa"}) {
    EXPECT_EQ(
        SpanErrorOf(R"("attributes":[{"value":{"bytesValue":")" + std::string(text) + R"("}}])"),
        JsonError::kBadBase64)
        << text;
  }
}

TEST(JsonReader, UnescapesStrings) {
  const auto name = [](std::string_view text) {
    return ReadSpan(R"("name":")" + std::string(text) + '"').name();
  };
  EXPECT_EQ(name(R"(a\"\\\/\b\f\n\r\tz)"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(name(R"(\u0041\u00e9\u20AC\ud83d\ude00)"), "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(name("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(name(R"(\u0000)"), std::string(1, '\0'));
  // A lone half of a surrogate pair has no UTF-8.
  EXPECT_EQ(name(R"(\ud83dx)"), "\xef\xbf\xbdx");
  EXPECT_EQ(name(R"(\ude00)"), "\xef\xbf\xbd");
  EXPECT_EQ(name(R"(\ud83d\u0041)"), "\xef\xbf\xbd\x41");
  EXPECT_EQ(SpanErrorOf(R"("name":"\x")"), JsonError::kSyntax);
  EXPECT_EQ(SpanErrorOf(R"("name":"\u12g4")"), JsonError::kSyntax);
}

TEST(JsonReader, RefusesBytesThatAreNotUtf8AndSaysWhere) {
  const JsonToProtoResult result = JsonToProto(Signal::kTraces, SpanJson("\"name\":\"ab\xff\""));
  EXPECT_EQ(result.error, JsonError::kNotUtf8);
  EXPECT_EQ(SpanJson("\"name\":\"ab\xff\"")[result.offset], '\xff');
  EXPECT_EQ(SpanErrorOf("\"unknown\":\"\xc0\x80\""), JsonError::kNotUtf8);
}

TEST(JsonReader, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           " ",
                           "null",
                           "[]",
                           "1",
                           "\"x\"",
                           "{",
                           "}",
                           "{}{}",
                           "{} x",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"resourceSpans\":[}",
                           "{\"resourceSpans\":[{]}",
                           "{\"resourceSpans\":[{}}",
                           "{\"resourceSpans\":[{},]}",
                           "{\"a\":nul}",
                           "{\"a\":truth}",
                           "{\"a\":[1 2]}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"x}",
                           "{\"a\":{\"b\":1]}"}) {
    const JsonError error = ErrorOf(text);
    EXPECT_TRUE(error == JsonError::kSyntax || error == JsonError::kWrongType)
        << text << ": " << JsonErrorName(error);
  }
}

TEST(JsonReader, RefusesWrongTypesAndNamesTheField) {
  for (const char* text :
       {R"("name":1)", R"("name":{})", R"("name":["x"])", R"("attributes":{})",
        R"("attributes":"x")", R"("attributes":[1])", R"("attributes":[[]])", R"("status":[])",
        R"("status":"x")", R"("kind":{})", R"("endTimeUnixNano":[1])", R"("traceId":12)",
        R"("attributes":[{"value":{"boolValue":"true"}}])"}) {
    EXPECT_EQ(SpanErrorOf(text), JsonError::kWrongType) << text;
  }
  const JsonToProtoResult result = JsonToProto(Signal::kTraces, SpanJson(R"("name":1)"));
  EXPECT_EQ(result.message, "name is not a string at byte 51");
  EXPECT_EQ(SpanJson(R"("name":1)")[result.offset], '1');
}

TEST(JsonReader, LimitsDepthInKnownAndUnknownFields) {
  const auto nest = [](int levels) {
    std::string value = R"({"intValue":1})";
    for (int i = 0; i < levels; ++i) {
      value = R"({"arrayValue":{"values":[)" + value + "]}}";
    }
    return SpanJson(R"("attributes":[{"value":)" + value + "}]");
  };
  // Request, resource, scope, span, attribute and value are six levels, each array two more.
  EXPECT_EQ(ErrorOf(nest(47)), JsonError::kNone);
  Read<ExportTraceServiceRequest>(Signal::kTraces, nest(47));
  EXPECT_EQ(ErrorOf(nest(48)), JsonError::kTooDeep);
  EXPECT_EQ(ErrorOf(nest(5000)), JsonError::kTooDeep);
  const std::string brackets(200'000, '[');
  EXPECT_NE(ErrorOf("{\"x\":" + brackets + "}"), JsonError::kNone);
  EXPECT_EQ(ErrorOf("{\"x\":" + brackets + std::string(200'000, ']') + "}"), JsonError::kTooDeep);
}

TEST(JsonReader, LimitsSizeAndChargesTheBudget) {
  const std::string json = SpanJson(R"("name":"x")");
  const JsonToProtoResult refused =
      JsonToProto(Signal::kTraces, json, {.input_bytes_max = json.size() - 1});
  EXPECT_EQ(refused.error, JsonError::kTooLarge);
  MemoryBudget budget;
  {
    const JsonToProtoResult result =
        JsonToProto(Signal::kTraces, json, {.input_bytes_max = json.size()}, &budget);
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(budget.used(), result.bytes.size());
    EXPECT_GT(budget.peak(), json.size());
  }
  EXPECT_EQ(budget.used(), 0u);
}

// Scenario: a body so large that lengths outgrow the width reserved for them, then a small one on
// the same thread.
// Guarantees: moved bodies stay whole, and the scratch memory's reuse leaks nothing across calls.
TEST(JsonReader, MovesBodiesThatOutgrowTheirLength) {
  const std::string name(3'000'000, 'n');
  EXPECT_EQ(ReadSpan(R"("events":[{"name":")" + name + R"("}],"kind":1)").events(0).name(), name);
  EXPECT_EQ(ReadSpan(R"("name":"x")").name(), "x");
}

TEST(JsonReader, TheEmptyRequestIsEmpty) {
  for (const Signal signal : kSignals) {
    EXPECT_TRUE(JsonToProto(signal, " {} ").ok());
    EXPECT_TRUE(JsonToProto(signal, "{}").bytes.empty());
    // Another signal's request is an unknown key here.
    EXPECT_TRUE(JsonToProto(signal, R"({"resourceProfiles":[{}]})").bytes.empty());
  }
}

}  // namespace
}  // namespace weir::wire

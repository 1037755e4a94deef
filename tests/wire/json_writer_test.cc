// Protobuf to JSON: what is written, in which form, and what is left out and counted.

#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "weir/wire/json.h"
#include "weir/wire/varint.h"

namespace weir::wire {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::trace::v1::Span;

std::string Write(Signal signal, std::string_view request, ProtoToJsonResult* result = nullptr) {
  JsonBuffer out;
  const ProtoToJsonResult got = ProtoToJson(signal, request, out);
  if (result != nullptr) {
    *result = got;
  } else {
    EXPECT_TRUE(got.ok());
    EXPECT_EQ(got.unknown_fields + got.replaced_strings + got.dropped_items, 0u);
  }
  return std::string(out.view());
}

std::string Field(std::uint32_t number, std::string_view value) {
  std::string bytes(kTagBytesMax + kLengthBytesMax, '\0');
  char* end = WriteVarint(bytes.data(), MakeTag(number, WireType::kLength));
  end = WriteVarint(end, value.size());
  bytes.resize(static_cast<std::size_t>(end - bytes.data()));
  return bytes.append(value);
}

std::string Varint(std::uint32_t number, std::uint64_t value) {
  std::string bytes(kTagBytesMax + kVarintBytesMax, '\0');
  char* end = WriteVarint(bytes.data(), MakeTag(number, WireType::kVarint));
  end = WriteVarint(end, value);
  bytes.resize(static_cast<std::size_t>(end - bytes.data()));
  return bytes;
}

// A request of the one span whose fields are `span`.
std::string SpanRequest(std::string_view span) { return Field(1, Field(2, Field(2, span))); }

std::string WriteSpan(std::string_view span, ProtoToJsonResult* result = nullptr) {
  const std::string json = Write(Signal::kTraces, SpanRequest(span), result);
  const std::string_view before = R"({"resourceSpans":[{"scopeSpans":[{"spans":[)";
  const std::string_view after = "]}]}]}";
  EXPECT_TRUE(json.starts_with(before) && json.ends_with(after)) << json;
  return json.substr(before.size(), json.size() - before.size() - after.size());
}

TEST(JsonWriter, WritesATraceAsTheFileExporterDoes) {
  ExportTraceServiceRequest request;
  auto* resource = request.add_resource_spans();
  auto* attribute = resource->mutable_resource()->add_attributes();
  attribute->set_key("resource-attr");
  attribute->mutable_value()->set_string_value("resource-attr-val-1");
  auto* scope = resource->add_scope_spans();
  scope->mutable_scope();
  Span* span = scope->add_spans();
  span->set_trace_id("\x01\xab\xff");
  span->set_name("operationA");
  span->set_kind(Span::SPAN_KIND_SERVER);
  span->set_start_time_unix_nano(1581452772000000321);
  span->set_dropped_attributes_count(1);
  span->set_flags(257);
  auto* event = span->add_events();
  event->set_name("event");
  span->mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  EXPECT_EQ(
      Write(Signal::kTraces, request.SerializeAsString()),
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"resource-attr",)"
      R"("value":{"stringValue":"resource-attr-val-1"}}]},"scopeSpans":[{"scope":{},"spans":[)"
      R"({"traceId":"01abff","name":"operationA","kind":2,)"
      R"("startTimeUnixNano":"1581452772000000321","droppedAttributesCount":1,)"
      R"("events":[{"name":"event"}],"status":{"code":2},"flags":257}]}]}]})");
}

TEST(JsonWriter, WritesEveryKindOfMetric) {
  ExportMetricsServiceRequest request;
  auto* scope = request.add_resource_metrics()->add_scope_metrics();
  auto* sum = scope->add_metrics()->mutable_sum();
  sum->set_is_monotonic(true);
  sum->add_data_points()->set_as_int(-7);
  sum->add_data_points()->set_as_double(1.5);
  auto* histogram = scope->add_metrics()->mutable_histogram()->add_data_points();
  histogram->set_count(3);
  histogram->set_sum(0);
  histogram->add_bucket_counts(1);
  histogram->add_bucket_counts(2);
  histogram->add_explicit_bounds(0.1);
  auto* exponential = scope->add_metrics()->mutable_exponential_histogram()->add_data_points();
  exponential->set_scale(-3);
  exponential->mutable_positive()->set_offset(-1);
  exponential->mutable_positive()->add_bucket_counts(1ull << 40);
  scope->add_metrics()->mutable_summary()->add_data_points()->add_quantile_values()->set_value(
      1e300);
  EXPECT_EQ(Write(Signal::kMetrics, request.SerializeAsString()),
            R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[)"
            R"({"sum":{"dataPoints":[{"asInt":"-7"},{"asDouble":1.5}],"isMonotonic":true}},)"
            R"({"histogram":{"dataPoints":[{"count":"3","sum":0,"bucketCounts":["1","2"],)"
            R"("explicitBounds":[0.1]}]}},)"
            R"({"exponentialHistogram":{"dataPoints":[{"scale":-3,"positive":)"
            R"({"offset":-1,"bucketCounts":["1099511627776"]}}]}},)"
            R"({"summary":{"dataPoints":[{"quantileValues":[{"value":1e+300}]}]}}]}]}]})");
}

TEST(JsonWriter, WritesValuesOfEveryType) {
  ExportLogsServiceRequest request;
  auto* record = request.add_resource_logs()->add_scope_logs()->add_log_records();
  auto* values = record->mutable_body()->mutable_array_value();
  values->add_values()->set_string_value("");
  values->add_values()->set_bool_value(false);
  values->add_values()->set_int_value(std::numeric_limits<std::int64_t>::min());
  values->add_values()->set_double_value(std::numeric_limits<double>::quiet_NaN());
  values->add_values()->set_double_value(-std::numeric_limits<double>::infinity());
  values->add_values()->set_double_value(-0.0);
  values->add_values()->set_bytes_value("\xfb\xff\xbf\x01");
  values->add_values()->set_bytes_value("");
  values->add_values();
  values->add_values()->mutable_kvlist_value()->add_values()->set_key("k");
  EXPECT_EQ(Write(Signal::kLogs, request.SerializeAsString()),
            R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"arrayValue":{"values":[)"
            R"({"stringValue":""},{"boolValue":false},{"intValue":"-9223372036854775808"},)"
            R"({"doubleValue":"NaN"},{"doubleValue":"-Infinity"},{"doubleValue":-0},)"
            R"({"bytesValue":"+/+/AQ=="},{"bytesValue":""},{},)"
            R"({"kvlistValue":{"values":[{"key":"k"}]}}]}}}]}]}]})");
}

TEST(JsonWriter, EscapesStringsOfEveryLength) {
  // Around the eight bytes that are looked at together.
  for (std::size_t length = 0; length < 40; ++length) {
    const std::string plain(length, 'x');
    EXPECT_EQ(WriteSpan(Field(5, plain + "\"")), R"({"name":")" + plain + R"(\""})");
    EXPECT_EQ(WriteSpan(Field(5, "\n" + plain)), R"({"name":"\n)" + plain + R"("})");
    EXPECT_EQ(WriteSpan(Field(5, plain + "\xc3\xa9" + plain)),
              "{\"name\":\"" + plain + "\xc3\xa9" + plain + "\"}");
  }
  EXPECT_EQ(WriteSpan(Field(5, std::string("\0\x1f\x7f\\/\t\r\b", 8))),
            "{\"name\":\"\\u0000\\u001f\x7f\\\\/\\t\\r\\u0008\"}");
  EXPECT_EQ(WriteSpan(Field(5, std::string(10'000, '\x01'))).size(), 60'000u + 11);
}

TEST(JsonWriter, ReplacesWhatIsNotUtf8AndCountsTheStrings) {
  const std::string replacement = "\xef\xbf\xbd";
  for (const std::string& bad : {std::string("\xff"), std::string("\xc0"), std::string("\xe2\x82"),
                                 std::string("\xf5"), std::string("\x80")}) {
    ProtoToJsonResult result;
    const std::string json = WriteSpan(Field(5, "a" + bad) + Field(3, "ok"), &result);
    EXPECT_TRUE(json.starts_with(R"({"name":"a)" + replacement)) << json;
    EXPECT_EQ(result.replaced_strings, 1u);
  }
  ProtoToJsonResult result;
  EXPECT_EQ(WriteSpan(Field(5, "\xed\xa0\x80"), &result),
            R"({"name":")" + replacement + replacement + replacement + R"("})");
}

TEST(JsonWriter, MergesAndReordersWhatProtobufAllows) {
  // A span whose attributes lie in two runs, its status in two parts, its name twice.
  const std::string span = Field(9, Field(1, "a")) + Field(5, "old") + Field(9, Field(1, "b")) +
                           Field(15, Varint(3, 1)) + Field(5, "new") + Field(15, Field(2, "m")) +
                           Varint(6, 2) + Varint(6, 0);
  EXPECT_EQ(WriteSpan(span), R"({"name":"new","attributes":[{"key":"a"},{"key":"b"}],)"
                             R"("status":{"code":1,"message":"m"}})");
}

TEST(JsonWriter, TheLastOfAOneofCounts) {
  const auto value = [](std::string_view any) { return WriteSpan(Field(9, Field(2, any))); };
  EXPECT_EQ(value(Field(1, "s") + Varint(3, 5)), R"({"attributes":[{"value":{"intValue":"5"}}]})");
  // The same member twice merges; another between clears it.
  const std::string one = Field(5, Field(1, Varint(3, 1)));
  const std::string two = Field(5, Field(1, Varint(3, 2)));
  EXPECT_EQ(value(one + two), R"({"attributes":[{"value":{"arrayValue":{"values":)"
                              R"([{"intValue":"1"},{"intValue":"2"}]}}}]})");
  EXPECT_EQ(value(one + Varint(2, 1) + two),
            R"({"attributes":[{"value":{"arrayValue":{"values":[{"intValue":"2"}]}}}]})");
}

TEST(JsonWriter, ReadsRepeatedNumbersPackedAndUnpacked) {
  const auto buckets = [](std::string_view fields) {
    return Write(Signal::kMetrics,
                 Field(1, Field(2, Field(2, Field(10, Field(1, Field(8, fields)))))));
  };
  const std::string packed = Field(2, std::string("\x01\x02", 2));
  EXPECT_NE(
      buckets(Varint(2, 7) + packed + Varint(2, 8)).find(R"("bucketCounts":["7","1","2","8"])"),
      std::string::npos);
}

TEST(JsonWriter, CountsUnknownFieldsAndLeavesThemOut) {
  ProtoToJsonResult result;
  const std::string group = std::string("\xa3\x06") + Varint(1, 1) + "\xa4\x06";  // Field 100.
  EXPECT_EQ(WriteSpan(Field(5, "n") + Varint(200, 1) + group + Varint(5, 1), &result),
            R"({"name":"n"})");
  EXPECT_EQ(result.unknown_fields, 3u);  // The last is a name that is no string.
  EXPECT_TRUE(result.ok());
}

// Scenario: three spans, the middle one malformed inside.
// Guarantees: only that one is missing, it is counted, and the JSON stays whole.
TEST(JsonWriter, DropsAMalformedItemAlone) {
  const std::string bad = Field(9, "\x0a\x7f");
  const std::string scope =
      Field(2, Field(5, "a")) + Field(2, bad) + Field(2, Field(5, "c")) + Field(2, bad);
  ProtoToJsonResult result;
  EXPECT_EQ(Write(Signal::kTraces, Field(1, Field(2, scope)), &result),
            R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":"c"}]}]}]})");
  EXPECT_EQ(result.dropped_items, 2u);
  EXPECT_TRUE(result.ok());
}

TEST(JsonWriter, AMalformedMetricCountsItsPoints) {
  const std::string metric =
      Field(5, Field(1, "") + Field(1, "") + Field(1, "")) + Field(12, "\x0a\x7f");
  ProtoToJsonResult result;
  EXPECT_EQ(Write(Signal::kMetrics, Field(1, Field(2, Field(2, metric))), &result),
            R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[]}]}]})");
  EXPECT_EQ(result.dropped_items, 3u);
}

TEST(JsonWriter, AMalformedResourceDropsItsItemsAndLeavesTheOthers) {
  const std::string spans = Field(2, Field(2, Field(5, "a")) + Field(2, "\x4a\x7f"));
  const std::string bad = Field(1, Field(1, "\x0a\x7f")) + spans;
  ProtoToJsonResult result;
  EXPECT_EQ(Write(Signal::kTraces, Field(1, bad) + SpanRequest(Field(5, "ok")), &result),
            R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"ok"}]}]}]})");
  EXPECT_EQ(result.dropped_items, 2u);
}

TEST(JsonWriter, MalformedBoundariesAreAnErrorAndLeaveTheBufferAlone) {
  JsonBuffer out;
  out.Append("before");
  for (const std::string& bad : {std::string("\x0a\x05"), Field(1, Field(2, "\x12\x7f")),
                                 Field(1, "\xff"), std::string("\x0b"), std::string(1, '\0')}) {
    EXPECT_EQ(ProtoToJson(Signal::kTraces, SpanRequest(Field(5, "a")) + bad, out).error,
              JsonError::kMalformed);
    EXPECT_EQ(out.view(), "before");
  }
}

TEST(JsonWriter, DropsItemsNestedTooDeep) {
  std::string value = Varint(3, 1);
  for (int i = 0; i < 500; ++i) {
    value = Field(5, Field(1, value));
  }
  ProtoToJsonResult result;
  EXPECT_EQ(Write(Signal::kTraces, SpanRequest(Field(9, Field(2, value))), &result),
            R"({"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]})");
  EXPECT_EQ(result.dropped_items, 1u);
}

TEST(JsonWriter, JoinsPartsIntoOneRequest) {
  const std::string a = SpanRequest(Field(5, "a"));
  const std::string b = SpanRequest(Field(5, "b")) + SpanRequest(Field(5, "c"));
  const std::vector<std::string_view> parts = {a, "", b};
  JsonBuffer out;
  EXPECT_TRUE(ProtoToJson(Signal::kTraces, parts, out).ok());
  EXPECT_EQ(out.view(), R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]},)"
                        R"({"scopeSpans":[{"spans":[{"name":"b"}]}]},)"
                        R"({"scopeSpans":[{"spans":[{"name":"c"}]}]}]})");
  EXPECT_EQ(Write(Signal::kLogs, ""), "{}");
}

TEST(JsonBuffer, GrowsKeepsAndGivesBack) {
  JsonBuffer buffer;
  for (int i = 0; i < 10'000; ++i) {
    buffer.Append("0123456789");
  }
  EXPECT_EQ(buffer.size(), 100'000u);
  EXPECT_TRUE(buffer.view().ends_with("0123456789"));
  const std::size_t capacity = buffer.capacity();
  buffer.Clear();
  EXPECT_EQ(buffer.capacity(), capacity);
  buffer.ClearAndKeepAtMost(capacity);
  EXPECT_EQ(buffer.capacity(), capacity);
  JsonBuffer moved = std::move(buffer);
  moved.ClearAndKeepAtMost(1);
  EXPECT_EQ(moved.capacity(), 0u);
  moved.Append('x');
  EXPECT_EQ(moved.view(), "x");
}

}  // namespace
}  // namespace weir::wire

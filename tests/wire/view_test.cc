#include "weir/wire/view.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "opentelemetry/proto/logs/v1/logs.pb.h"
#include "opentelemetry/proto/metrics/v1/metrics.pb.h"
#include "opentelemetry/proto/trace/v1/trace.pb.h"
#include "weir/wire/attribute_search.h"
#include "weir/wire/value_text.h"
#include "weir/wire/writer.h"

namespace weir::wire {
namespace {

using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::common::v1::KeyValue;

std::string Text(const AnyValue& value) {
  const std::string bytes = value.SerializeAsString();
  AnyValueView view;
  EXPECT_TRUE(view.Parse(bytes));
  std::string text = "kept:";
  EXPECT_TRUE(AppendValueText(view, text));
  return text.substr(5);
}

std::string DoubleText(double number) {
  AnyValue value;
  value.set_double_value(number);
  return Text(value);
}

TEST(SpanView, ReadsEveryFieldAndTheLastOfRepeatedOnes) {
  opentelemetry::proto::trace::v1::Span span;
  span.set_name("first");
  span.mutable_status()->set_message("kept");
  std::string bytes = span.SerializeAsString();
  span.Clear();
  span.set_trace_id(std::string(16, 't'));
  span.set_span_id("12345678");
  span.set_parent_span_id("87654321");
  span.set_trace_state("a=b");
  span.set_name("last");
  span.set_kind(opentelemetry::proto::trace::v1::Span::SPAN_KIND_CLIENT);
  span.set_start_time_unix_nano(5);
  span.set_end_time_unix_nano(6);
  span.set_flags(257);
  span.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  span.add_attributes()->set_key("k");
  span.add_attributes()->set_key("l");
  bytes += span.SerializeAsString();
  SpanView view;
  ASSERT_TRUE(view.Parse(bytes));
  EXPECT_EQ(view.trace_id, std::string(16, 't'));
  EXPECT_EQ(view.span_id, "12345678");
  EXPECT_EQ(view.parent_span_id, "87654321");
  EXPECT_EQ(view.trace_state, "a=b");
  EXPECT_EQ(view.name, "last");
  EXPECT_EQ(view.kind, 3);
  EXPECT_EQ(view.start_time, 5U);
  EXPECT_EQ(view.end_time, 6U);
  EXPECT_EQ(view.flags, 257U);
  EXPECT_EQ(view.status_code, 2);
  EXPECT_EQ(view.status_message, "kept");  // Two statuses merge.
  std::vector<std::string> keys;
  AttributeReader attributes(view.attributes, SpanView::kAttributes);
  for (AttributeView attribute; attributes.Next(attribute);) {
    keys.emplace_back(attribute.key);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"k", "l"}));
  EXPECT_FALSE(attributes.malformed());
}

TEST(LogView, ReadsEveryField) {
  opentelemetry::proto::logs::v1::LogRecord record;
  record.set_time_unix_nano(1);
  record.set_observed_time_unix_nano(2);
  record.set_severity_number(opentelemetry::proto::logs::v1::SEVERITY_NUMBER_WARN);
  record.set_severity_text("WARN");
  record.set_event_name("event");
  record.set_trace_id("t");
  record.set_span_id("s");
  record.set_flags(1);
  record.mutable_body()->set_string_value("text");
  record.add_attributes()->set_key("k");
  const std::string bytes = record.SerializeAsString();
  LogView view;
  ASSERT_TRUE(view.Parse(bytes));
  EXPECT_EQ(view.time, 1U);
  EXPECT_EQ(view.observed_time, 2U);
  EXPECT_EQ(view.severity_number, 13);
  EXPECT_EQ(view.severity_text, "WARN");
  EXPECT_EQ(view.event_name, "event");
  EXPECT_EQ(view.trace_id, "t");
  EXPECT_EQ(view.span_id, "s");
  EXPECT_EQ(view.flags, 1U);
  AnyValueView body;
  ASSERT_TRUE(body.Parse(view.body));
  EXPECT_EQ(body.string(), "text");
  AnyValueView value;
  EXPECT_EQ(FindAttribute(view.attributes, LogView::kAttributes, "k", value), Lookup::kFound);
  EXPECT_EQ(value.type(), ValueType::kEmpty);
  EXPECT_EQ(FindAttribute(view.attributes, LogView::kAttributes, "x", value), Lookup::kAbsent);
}

TEST(MetricView, TakesTheLastKindOfDataAndMergesIt) {
  opentelemetry::proto::metrics::v1::Metric metric;
  metric.set_name("m");
  metric.mutable_gauge()->add_data_points()->set_time_unix_nano(1);
  const std::string gauge = metric.SerializeAsString();
  metric.mutable_sum()->add_data_points()->set_time_unix_nano(2);
  metric.set_unit("s");
  const std::string sum = metric.SerializeAsString();
  const std::string bytes = sum + gauge + sum + sum;
  ASSERT_TRUE(metric.ParseFromString(bytes));
  MetricView view;
  ASSERT_TRUE(view.Parse(bytes));
  EXPECT_EQ(view.name, "m");
  EXPECT_EQ(view.unit, "s");
  EXPECT_EQ(view.data_field, otlp::kMetricSum);
  MergedMessage data;
  ASSERT_TRUE(view.FindData(bytes, data));
  EXPECT_EQ(data.view(), metric.sum().SerializeAsString());
  EXPECT_EQ(metric.sum().data_points_size(), 2);
  ListReader points(data.view(), otlp::kDataPoints);
  std::string_view contents;
  ASSERT_TRUE(points.Next(contents));
  PointView point;
  ASSERT_TRUE(point.Parse(contents, view.data_field));
  EXPECT_EQ(point.time, 2U);
}

// Every cut of a valid message either reads as a shorter message or is malformed; under
// AddressSanitizer a read past its end would show, since the copy is exactly as long.
TEST(Views, NeverReadPastACut) {
  opentelemetry::proto::trace::v1::Span span;
  span.set_name("name");
  span.mutable_status()->set_message("m");
  auto& attribute = *span.add_attributes();
  attribute.set_key("key");
  attribute.mutable_value()->mutable_array_value()->add_values()->set_double_value(1);
  const std::string whole = span.SerializeAsString();
  int malformed = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string_view bytes(cut.data(), cut.size());
    SpanView view;
    malformed += view.Parse(bytes) ? 0 : 1;
    AnyValueView value;
    FindAttribute(bytes, SpanView::kAttributes, "key", value);
    LogView record;
    record.Parse(bytes);
    MetricView metric;
    metric.Parse(bytes);
    PointView point;
    point.Parse(bytes, otlp::kMetricSum);
  }
  EXPECT_GT(malformed, 10);
}

TEST(ValueText, IsTheCollectors) {
  AnyValue value;
  EXPECT_EQ(Text(value), "");
  value.set_string_value("a\"b");
  EXPECT_EQ(Text(value), "a\"b");
  value.set_bool_value(true);
  EXPECT_EQ(Text(value), "true");
  value.set_int_value(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Text(value), "-9223372036854775808");
  value.set_bytes_value("abcd");
  EXPECT_EQ(Text(value), "YWJjZA==");
  value.set_bytes_value("abc");
  EXPECT_EQ(Text(value), "YWJj");
}

TEST(ValueText, WritesDoublesAsEcmaScriptDoes) {
  EXPECT_EQ(DoubleText(0), "0");
  EXPECT_EQ(DoubleText(-0.0), "-0");
  EXPECT_EQ(DoubleText(1), "1");
  EXPECT_EQ(DoubleText(-12.5), "-12.5");
  EXPECT_EQ(DoubleText(0.1), "0.1");
  EXPECT_EQ(DoubleText(0.000001), "0.000001");
  EXPECT_EQ(DoubleText(1.5e-7), "1.5e-7");
  EXPECT_EQ(DoubleText(123456789012345680000.0), "123456789012345680000");
  EXPECT_EQ(DoubleText(1e20), "100000000000000000000");
  EXPECT_EQ(DoubleText(1e21), "1e+21");
  EXPECT_EQ(DoubleText(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::infinity()), "Infinity");
  EXPECT_EQ(DoubleText(-std::numeric_limits<double>::infinity()), "-Infinity");
  std::string fixed;
  AppendDouble(1e23, DoubleForm::kFixed, fixed);
  EXPECT_EQ(fixed, "100000000000000000000000");
}

TEST(ValueText, WritesListsAndMapsAsJson) {
  AnyValue value;
  auto& map = *value.mutable_kvlist_value();
  const auto add = [&](const std::string& key) -> AnyValue& {
    auto& entry = *map.add_values();
    entry.set_key(key);
    return *entry.mutable_value();
  };
  add("z").set_int_value(1);
  add("a").set_string_value("<&>\n\x01\"\\\xE2\x80\xA8");
  add("b").set_bytes_value("x");
  add("z").set_double_value(0.5);  // Of equal keys the last is kept.
  add("n");
  auto& list = *add("l").mutable_array_value();
  list.add_values()->set_bool_value(false);
  list.add_values();
  EXPECT_EQ(Text(value),
            "{\"a\":\"<&>\\n\\u0001\\\"\\\\\\u2028\",\"b\":\"eA==\",\"l\":[false,null],\"n\":null,"
            "\"z\":0.5}");
  list.add_values()->set_double_value(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(Text(value), "");
}

TEST(ValueText, SaysWhenWhatIsNestedIsBrokenOrTooDeep) {
  std::string text = "kept";
  AnyValueView view;
  ASSERT_TRUE(view.Parse(std::string_view("\x2a\x03\x0a\x07x", 5)));  // An element cut short.
  EXPECT_FALSE(AppendValueText(view, text));
  EXPECT_EQ(text, "kept");

  std::string deep;
  for (int i = 0; i < 3000; ++i) {
    Writer list;
    list.Bytes(otlp::kArrayValues, deep);
    Writer value;
    value.Bytes(otlp::kAnyArray, list.view());
    deep = value.view();
  }
  ASSERT_TRUE(view.Parse(deep));
  EXPECT_FALSE(AppendValueText(view, text));
  EXPECT_EQ(text, "kept");
}

// Scenario: keys of all lengths, some alike but for one byte, looked up one by one.
// Guarantees: the matcher finds exactly the keys it was given.
TEST(KeyMatcher, FindsExactlyItsKeys) {
  std::vector<std::string> keys;
  for (std::size_t size = 0; size < 90; ++size) {
    keys.emplace_back(size, 'k');
    if (size > 0) {
      keys.emplace_back(keys.back()).back() = 'l';
      keys.emplace_back(keys.back()).front() = 'm';
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const KeyMatcher matcher(keys);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(matcher.Find(keys[i]), i);
    std::string other = keys[i] + "x";
    EXPECT_EQ(matcher.Find(other), KeyMatcher::kNone) << other;
    if (!keys[i].empty()) {
      other = keys[i];
      other[other.size() / 2] = '?';
      EXPECT_EQ(matcher.Find(other), KeyMatcher::kNone) << other;
    }
  }
  EXPECT_EQ(KeyMatcher().Find(""), KeyMatcher::kNone);
}

TEST(SearchAttributes, ReadsEveryLegalFormOfAnAttribute) {
  const std::vector<std::string> forms = {
      std::string("\x0a\x01k\x12\x03\x0a\x01v", 8),            // Plain.
      std::string("\x12\x03\x0a\x01v\x0a\x01k", 8),            // Value first.
      std::string("\x0a\x01x\x12\x03\x0a\x01v\x0a\x01k", 11),  // The last key counts.
      std::string("\x0a\x81\x00k\x12\x03\x0a\x01v", 9),        // A long length.
      std::string("\x0a\x01k", 3),                             // No value.
      std::string("\xa8\x06\x01\x0a\x01k", 6),                 // An unknown field in front.
  };
  const KeyMatcher keys({"k"});
  for (const std::string& form : forms) {
    Writer writer;
    writer.String(otlp::kSpanName, "k");
    writer.Bytes(otlp::kSpanAttributes, form);
    KeyValue expected;
    ASSERT_TRUE(expected.ParseFromString(form));
    int found = 0;
    EXPECT_TRUE(SearchAttributes(writer.view(), otlp::kSpanAttributes, keys,
                                 [&](std::size_t, const AttributeView& attribute) {
                                   ++found;
                                   EXPECT_EQ(attribute.value, expected.value().SerializeAsString());
                                   EXPECT_EQ(attribute.field.size(), form.size() + 2);
                                 }));
    EXPECT_EQ(found, 1);
  }
  Writer hidden;
  hidden.Bytes(otlp::kSpanAttributes, std::string("\x0a\x01k\x12\x03\x0a\x01v\x0a\x01x", 11));
  EXPECT_TRUE(SearchAttributes(hidden.view(), otlp::kSpanAttributes, keys,
                               [](std::size_t, const AttributeView&) { FAIL(); }));
  Writer broken;
  broken.Bytes(otlp::kSpanAttributes, std::string("\x0a\x09k", 3));
  EXPECT_FALSE(SearchAttributes(broken.view(), otlp::kSpanAttributes, keys,
                                [](std::size_t, const AttributeView&) { FAIL(); }));
}

}  // namespace
}  // namespace weir::wire

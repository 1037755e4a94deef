#include "weir/wire/writer.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "opentelemetry/proto/metrics/v1/metrics.pb.h"

namespace weir::wire {
namespace {

using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::common::v1::KeyValueList;
using opentelemetry::proto::metrics::v1::ExponentialHistogramDataPoint;

template <typename Message>
Message Decoded(std::string_view bytes) {
  Message message;
  EXPECT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return message;
}

TEST(Writer, ClosesNestedMessagesWithTheirLengths) {
  MemoryBudget budget;
  Writer writer(64, &budget);
  auto resource = writer.Open(otlp::kRequestResources);
  for (const std::size_t name_size : {0U, 1U, 100U, 126U, 127U, 128U, 200U, 20000U}) {
    auto scope = writer.Open(otlp::kResourceScopes);
    auto span = writer.Open(otlp::kScopeItems);
    writer.String(otlp::kSpanName, std::string(name_size, 'n'));
    writer.Uint(otlp::kSpanKind, 2);
    span.Close();
    span.Close();  // A closed handle does nothing.
    writer.String(otlp::kScopeSchemaUrl, "url");
  }
  resource.Close();
  const Slice bytes = std::move(writer).Finish();
  const auto request = Decoded<ExportTraceServiceRequest>(bytes.view());
  ASSERT_EQ(request.resource_spans(0).scope_spans_size(), 8);
  EXPECT_EQ(request.resource_spans(0).scope_spans(7).spans(0).name().size(), 20000U);
  EXPECT_EQ(request.resource_spans(0).scope_spans(3).spans(0).kind(), 2);
  EXPECT_EQ(request.resource_spans(0).scope_spans(3).schema_url(), "url");
  EXPECT_GE(budget.used(), bytes.size());
}

TEST(Writer, WritesAttributesAndValuesOfEveryType) {
  Writer writer;
  writer.StringAttribute(otlp::kKvlistValues, "s", std::string(300, 'v'));
  writer.BoolAttribute(otlp::kKvlistValues, "t", true);
  writer.BoolAttribute(otlp::kKvlistValues, "f", false);
  writer.IntAttribute(otlp::kKvlistValues, "i", std::numeric_limits<std::int64_t>::min());
  writer.DoubleAttribute(otlp::kKvlistValues, "d", -1.5);
  writer.BytesAttribute(otlp::kKvlistValues, "b", std::string("\0\xff", 2));
  writer.AnyAttribute(otlp::kKvlistValues, "none", {});
  {
    auto attribute = writer.OpenAttribute(otlp::kKvlistValues, "list");
    auto list = writer.OpenArrayValue(otlp::kKeyValueValue);
    writer.StringValue(otlp::kArrayValues, "x");
    writer.BoolValue(otlp::kArrayValues, true);
    writer.IntValue(otlp::kArrayValues, -7);
    writer.DoubleValue(otlp::kArrayValues, 2.5);
    writer.BytesValue(otlp::kArrayValues, "y");
    writer.EmptyValue(otlp::kArrayValues);
    auto map = writer.OpenKvlistValue(otlp::kArrayValues);
    writer.IntAttribute(otlp::kKvlistValues, "deep", 1);
  }
  const auto list = Decoded<KeyValueList>(writer.view());
  ASSERT_EQ(list.values_size(), 8);
  EXPECT_EQ(list.values(0).value().string_value(), std::string(300, 'v'));
  EXPECT_TRUE(list.values(1).value().bool_value());
  EXPECT_EQ(list.values(2).value().value_case(), AnyValue::kBoolValue);
  EXPECT_FALSE(list.values(2).value().bool_value());
  EXPECT_EQ(list.values(3).value().int_value(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(list.values(4).value().double_value(), -1.5);
  EXPECT_EQ(list.values(5).value().bytes_value(), std::string("\0\xff", 2));
  EXPECT_EQ(list.values(6).value().value_case(), AnyValue::VALUE_NOT_SET);
  const auto& array = list.values(7).value().array_value();
  ASSERT_EQ(array.values_size(), 7);
  EXPECT_EQ(array.values(0).string_value(), "x");
  EXPECT_TRUE(array.values(1).bool_value());
  EXPECT_EQ(array.values(2).int_value(), -7);
  EXPECT_EQ(array.values(3).double_value(), 2.5);
  EXPECT_EQ(array.values(4).bytes_value(), "y");
  EXPECT_EQ(array.values(5).value_case(), AnyValue::VALUE_NOT_SET);
  EXPECT_EQ(array.values(6).kvlist_value().values(0).key(), "deep");
}

TEST(Writer, WritesNumbersOfEveryWireType) {
  Writer writer;
  writer.SignedInt(otlp::kExponentialScale, -3);
  writer.Fixed64(otlp::kExponentialCount, 1ULL << 63);
  writer.Double(otlp::kExponentialSum, 0.25);
  writer.Uint(otlp::kExponentialFlags, 1);
  const auto point = Decoded<ExponentialHistogramDataPoint>(writer.view());
  EXPECT_EQ(point.scale(), -3);
  EXPECT_EQ(point.count(), 1ULL << 63);
  EXPECT_EQ(point.sum(), 0.25);
  EXPECT_EQ(point.flags(), 1U);

  writer.Clear();
  writer.Fixed32(otlp::kSpanFlags, 0x101);
  EXPECT_EQ(Decoded<opentelemetry::proto::trace::v1::Span>(writer.view()).flags(), 0x101U);
}

TEST(Writer, RefusesWholeWhatPassesItsLimit) {
  Writer writer(64, nullptr, /*bytes_max=*/1000);
  {
    auto resource = writer.Open(otlp::kRequestResources);
    for (int i = 0; i < 10; ++i) {
      auto scope = writer.Open(otlp::kResourceScopes);
      writer.String(otlp::kScopeSchemaUrl, std::string(150, 'u'));
    }
  }
  EXPECT_TRUE(writer.failed());
  EXPECT_TRUE(std::move(writer).Finish().empty());
  // It is fit for the next request.
  EXPECT_FALSE(writer.failed());
  writer.String(otlp::kSpanName, "next");
  EXPECT_EQ(std::move(writer).Finish().view(), "\x2a\x04next");
}

TEST(Writer, MayBeUsedAgainAfterFinish) {
  Writer writer(64);
  for (const std::size_t size : {10U, 60U, 5000U, 10U}) {
    writer.String(otlp::kSpanName, std::string(size, 'x'));
    const Slice bytes = std::move(writer).Finish();
    EXPECT_EQ(Decoded<opentelemetry::proto::trace::v1::Span>(bytes.view()).name().size(), size);
    EXPECT_LE(bytes.allocated_bytes(), 2 * bytes.size() + 64);
  }
}

}  // namespace
}  // namespace weir::wire

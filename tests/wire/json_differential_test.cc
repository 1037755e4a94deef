// OTLP/JSON against protobuf's generated classes and its own JSON, on random requests.
//
// How it works: a request is filled at random by reflection, so that every field of the schema
// takes part, and serialized. Written as JSON and read again it must be the same message. Where ids
// are empty, our JSON and protobuf's own say the same, so each must be able to read the other's.
// The seed is printed with a failure; WEIR_TEST_SEED runs that one again.

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "weir/wire/json.h"
#include "weir/wire/scanner.h"
#include "wire/json_schema.h"

namespace weir::wire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

enum class Ids { kRandom, kEmpty };

class RandomFiller {
 public:
  RandomFiller(std::uint64_t seed, Ids ids) : random_(seed), ids_(ids) {}

  void Fill(Message& message, int depth) {
    const Descriptor& descriptor = *message.GetDescriptor();
    for (int i = 0; i < descriptor.field_count(); ++i) {
      const FieldDescriptor& field = *descriptor.field(i);
      if (Below(10) < 4) {
        continue;
      }
      if (field.is_repeated()) {
        for (std::uint64_t count = Below(depth > 0 ? 4 : 2); count > 0; --count) {
          SetOne(message, field, depth);
        }
      } else {
        SetOne(message, field, depth);
      }
    }
  }

 private:
  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }

  void SetOne(Message& message, const FieldDescriptor& field, int depth) {
    const Reflection& reflection = *message.GetReflection();
    const bool add = field.is_repeated();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth > 0) {
          Fill(*(add ? reflection.AddMessage(&message, &field)
                     : reflection.MutableMessage(&message, &field)),
               depth - 1);
        }
        return;
      case FieldDescriptor::CPPTYPE_STRING: {
        const bool bytes = field.type() == FieldDescriptor::TYPE_BYTES;
        if (bytes && ids_ == Ids::kEmpty && field.name() != "bytes_value") {
          return;
        }
        const std::string value = bytes ? RandomBytes() : RandomText();
        return add ? reflection.AddString(&message, &field, value)
                   : reflection.SetString(&message, &field, value);
      }
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection.SetInt32(&message, &field, static_cast<std::int32_t>(RandomBits()));
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection.SetUInt32(&message, &field, static_cast<std::uint32_t>(RandomBits()));
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.SetInt64(&message, &field, static_cast<std::int64_t>(RandomBits()));
      case FieldDescriptor::CPPTYPE_UINT64:
        return add ? reflection.AddUInt64(&message, &field, RandomBits())
                   : reflection.SetUInt64(&message, &field, RandomBits());
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return add ? reflection.AddDouble(&message, &field, RandomDouble())
                   : reflection.SetDouble(&message, &field, RandomDouble());
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.SetBool(&message, &field, Below(2) == 1);
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection.SetEnumValue(&message, &field, static_cast<int>(Below(30)));
      default:
        FAIL() << "no random value for " << field.full_name();
    }
  }

  // Of every magnitude.
  std::uint64_t RandomBits() { return random_() >> Below(64); }

  double RandomDouble() {
    switch (Below(8)) {
      case 0:
        return std::numeric_limits<double>::infinity();
      case 1:
        return -std::numeric_limits<double>::infinity();
      case 2:
        return std::numeric_limits<double>::quiet_NaN();
      case 3:
        return 0.0;
      case 4:
        return static_cast<double>(RandomBits());
      default:
        return std::ldexp(static_cast<double>(random_()) - 0x1p63,
                          static_cast<int>(Below(1800)) - 900);
    }
  }

  std::string RandomText() {
    constexpr std::string_view kPieces[] = {"a",
                                            "plain text",
                                            "\"",
                                            "\\",
                                            "\n",
                                            "\x01",
                                            "\x7f",
                                            "/",
                                            "\xc3\xa9",
                                            "\xe2\x82\xac",
                                            "\xf0\x9f\x98\x80",
                                            "<&>",
                                            std::string_view("\0", 1),
                                            "0123456789abcdef"};
    std::string text;
    for (std::uint64_t count = Below(6); count > 0; --count) {
      text += kPieces[Below(std::size(kPieces))];
    }
    return text;
  }

  std::string RandomBytes() {
    std::string bytes(Below(20), '\0');
    for (char& c : bytes) {
      c = static_cast<char>(random_());
    }
    return bytes;
  }

  std::mt19937_64 random_;
  const Ids ids_;
};

template <typename Request>
void CheckOne(Signal signal, std::uint64_t seed, Ids ids) {
  Request request;
  RandomFiller(seed, ids).Fill(request, 9);
  const std::string bytes = request.SerializeAsString();

  JsonBuffer json;
  const ProtoToJsonResult written = ProtoToJson(signal, bytes, json);
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written.unknown_fields + written.replaced_strings + written.dropped_items, 0u);

  const JsonToProtoResult read = JsonToProto(signal, json.view());
  ASSERT_TRUE(read.ok()) << read.message << "\n" << json.view();
  EXPECT_TRUE(Scan(signal, read.bytes.view(), ScanDepth::kFull).ok());
  // Fields are written in the order they came and in the shortest form, so even the bytes agree.
  EXPECT_EQ(read.bytes.view(), bytes) << json.view();

  if (ids == Ids::kEmpty) {
    Request theirs;
    const auto status =
        google::protobuf::util::JsonStringToMessage(std::string(json.view()), &theirs);
    ASSERT_TRUE(status.ok()) << status.ToString() << "\n" << json.view();
    EXPECT_EQ(theirs.SerializeAsString(), bytes) << json.view();

    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = seed % 2 == 0;
    options.always_print_enums_as_ints = seed % 3 == 0;
    options.add_whitespace = seed % 5 == 0;
    std::string printed;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(request, &printed, options).ok());
    const JsonToProtoResult ours = JsonToProto(signal, printed);
    ASSERT_TRUE(ours.ok()) << ours.message << "\n" << printed;
    Request reread;
    ASSERT_TRUE(reread.ParseFromString(std::string(ours.bytes.view())));
    EXPECT_EQ(reread.SerializeAsString(), bytes) << printed;
  }
}

class JsonDifferential : public testing::TestWithParam<Ids> {};

TEST_P(JsonDifferential, RoundTripsRandomRequests) {
  using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
  using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
  using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
  const char* given = std::getenv("WEIR_TEST_SEED");
  const std::uint64_t first =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::uint64_t{std::random_device()()};
  for (std::uint64_t seed = first; seed < first + (given != nullptr ? 1 : 300); ++seed) {
    SCOPED_TRACE("WEIR_TEST_SEED=" + std::to_string(seed));
    CheckOne<ExportTraceServiceRequest>(Signal::kTraces, seed, GetParam());
    CheckOne<ExportMetricsServiceRequest>(Signal::kMetrics, seed, GetParam());
    CheckOne<ExportLogsServiceRequest>(Signal::kLogs, seed, GetParam());
    if (HasFailure()) {
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ids, JsonDifferential, testing::Values(Ids::kRandom, Ids::kEmpty),
                         [](const auto& test) {
                           return test.param == Ids::kRandom ? "Random" : "Empty";
                         });

// Walks our table and the generated descriptors side by side.
void CheckTable(const json::Message& ours, const Descriptor& theirs, int depth) {
  ASSERT_EQ(static_cast<int>(ours.fields.size()), theirs.field_count()) << theirs.full_name();
  ASSERT_LE(ours.fields.size(), json::kMessageFieldsMax);
  for (const json::Field& field : ours.fields) {
    SCOPED_TRACE(theirs.full_name() + "." + std::string(field.snake_name));
    const FieldDescriptor* other = theirs.FindFieldByNumber(static_cast<int>(field.number));
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(other->name(), field.snake_name);
    EXPECT_EQ(other->json_name(), field.json_name());
    EXPECT_EQ(other->is_repeated(), field.repeated());
    EXPECT_EQ(other->has_presence() && other->message_type() == nullptr,
              field.has_presence() && field.message == nullptr);
    EXPECT_EQ(other->real_containing_oneof() != nullptr,
              field.cardinality == json::Cardinality::kOneof);
    EXPECT_EQ(&field - ours.fields.data(), ours.index_by_number[field.number]);
    EXPECT_EQ(other->message_type() != nullptr, field.kind == json::Kind::kMessage);
    EXPECT_EQ(other->enum_type() != nullptr, field.kind == json::Kind::kEnum);
    if (other->enum_type() != nullptr) {
      ASSERT_EQ(static_cast<int>(field.enum_names.size()), other->enum_type()->value_count());
      for (const json::EnumName& name : field.enum_names) {
        const auto* value = other->enum_type()->FindValueByName(std::string(name.name));
        ASSERT_NE(value, nullptr) << name.name;
        EXPECT_EQ(value->number(), name.number);
      }
    }
    if (field.message != nullptr && depth > 0) {
      EXPECT_EQ(field.message->is_item, other->message_type()->name() == "Span" ||
                                            other->message_type()->name() == "LogRecord" ||
                                            other->message_type()->name() == "Metric" ||
                                            other->message_type()->name().ends_with("DataPoint"));
      CheckTable(*field.message, *other->message_type(), depth - 1);
    }
  }
}

TEST(JsonSchema, IsThePublishedSchema) {
  CheckTable(json::RequestMessage(Signal::kTraces),
             *opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest::descriptor(),
             8);
  CheckTable(
      json::RequestMessage(Signal::kMetrics),
      *opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest::descriptor(), 8);
  CheckTable(json::RequestMessage(Signal::kLogs),
             *opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest::descriptor(), 8);
}

}  // namespace
}  // namespace weir::wire

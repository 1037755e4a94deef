// Answers of OTLP servers, against protobuf's own classes and JSON.

#include "weir/wire/status_codec.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/util/json_util.h>

#include <chrono>

#include "gtest/gtest.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace weir::wire {
namespace {

using namespace std::chrono_literals;
using opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse;
using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;

template <typename Response>
Response Parse(const std::string& body, BodyFormat format) {
  Response response;
  if (format == BodyFormat::kProtobuf) {
    EXPECT_TRUE(response.ParseFromString(body));
  } else {
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(body, &response).ok()) << body;
  }
  return response;
}

class StatusCodec : public testing::TestWithParam<BodyFormat> {};
INSTANTIATE_TEST_SUITE_P(Formats, StatusCodec,
                         testing::Values(BodyFormat::kProtobuf, BodyFormat::kJson),
                         [](const auto& test) {
                           return test.param == BodyFormat::kProtobuf ? "Protobuf" : "Json";
                         });

TEST_P(StatusCodec, PartialSuccessIsWhatGeneratedClassesRead) {
  const ExportResponse response{.rejected_items = 5'000'000'000, .message = "no \"quota\""};
  const auto traces = Parse<ExportTraceServiceResponse>(
      EncodeExportResponse(Signal::kTraces, response, GetParam()), GetParam());
  EXPECT_EQ(traces.partial_success().rejected_spans(), 5'000'000'000);
  EXPECT_EQ(traces.partial_success().error_message(), response.message);
  const auto metrics = Parse<ExportMetricsServiceResponse>(
      EncodeExportResponse(Signal::kMetrics, response, GetParam()), GetParam());
  EXPECT_EQ(metrics.partial_success().rejected_data_points(), 5'000'000'000);
  const auto logs = Parse<ExportLogsServiceResponse>(
      EncodeExportResponse(Signal::kLogs, response, GetParam()), GetParam());
  EXPECT_EQ(logs.partial_success().rejected_log_records(), 5'000'000'000);
  for (const Signal signal : kSignals) {
    EXPECT_EQ(DecodeExportResponse(signal, EncodeExportResponse(signal, response, GetParam()),
                                   GetParam()),
              response);
  }
}

TEST_P(StatusCodec, AWarningHasNoRejectedItems) {
  const ExportResponse warning{.rejected_items = 0, .message = "deprecated"};
  const std::string body = EncodeExportResponse(Signal::kTraces, warning, GetParam());
  EXPECT_EQ(Parse<ExportTraceServiceResponse>(body, GetParam()).partial_success().error_message(),
            "deprecated");
  EXPECT_EQ(DecodeExportResponse(Signal::kTraces, body, GetParam()), warning);
}

TEST(StatusCodecBodies, AllAcceptedLeavesPartialSuccessUnset) {
  EXPECT_EQ(EncodeExportResponse(Signal::kTraces, {}, BodyFormat::kProtobuf), "");
  EXPECT_EQ(EncodeExportResponse(Signal::kTraces, {}, BodyFormat::kJson), "{}");
  EXPECT_EQ(DecodeExportResponse(Signal::kTraces, "", BodyFormat::kProtobuf), ExportResponse());
  EXPECT_EQ(DecodeExportResponse(Signal::kTraces, R"({"partialSuccess":{}})", BodyFormat::kJson),
            ExportResponse());
}

TEST(StatusCodecBodies, DecodesWhatOthersWrite) {
  const ExportResponse expected{.rejected_items = 3, .message = "m"};
  EXPECT_EQ(DecodeExportResponse(
                Signal::kLogs,
                R"({"future":1,"partial_success":{"error_message":"m","rejectedLogRecords":3}})",
                BodyFormat::kJson),
            expected);
  ExportLogsServiceResponse response;
  response.mutable_partial_success()->set_rejected_log_records(3);
  response.mutable_partial_success()->set_error_message("m");
  EXPECT_EQ(
      DecodeExportResponse(Signal::kLogs, response.SerializeAsString(), BodyFormat::kProtobuf),
      expected);
}

TEST(StatusCodecBodies, RefusesWhatIsNotLegal) {
  for (const char* body :
       {"", "x", "[]", R"({"partialSuccess":1})", R"({"partialSuccess":{"rejectedSpans":"x"}})"}) {
    EXPECT_EQ(DecodeExportResponse(Signal::kTraces, body, BodyFormat::kJson), std::nullopt) << body;
  }
  for (const char* body : {"\x0a\x05", "\x0a\x02\x08", "\x0b", "\xff"}) {
    EXPECT_EQ(DecodeExportResponse(Signal::kTraces, body, BodyFormat::kProtobuf), std::nullopt);
    EXPECT_EQ(DecodeRpcStatus(body, BodyFormat::kProtobuf), std::nullopt);
  }
}

TEST_P(StatusCodec, RpcStatusRoundTrips) {
  for (const RpcStatus& status :
       {RpcStatus{}, RpcStatus{14, "busy", 1500ms}, RpcStatus{8, "full", 0ns},
        RpcStatus{8, "", std::chrono::nanoseconds(1)}, RpcStatus{3, "bad \xc3\xa9\n", std::nullopt},
        RpcStatus{-1, "x", -1500ms}, RpcStatus{1, "y", 87600h}}) {
    EXPECT_EQ(DecodeRpcStatus(EncodeRpcStatus(status, GetParam()), GetParam()), status)
        << EncodeRpcStatus(status, GetParam());
  }
}

// The wire form taken apart by generated classes: details is an Any, field 1 of RetryInfo a
// Duration.
TEST(StatusCodecBodies, RetryInfoIsAnAnyOfADuration) {
  const std::string body = EncodeRpcStatus({14, "busy", 2500ms}, BodyFormat::kProtobuf);
  const std::size_t details = body.find('\x1a');
  ASSERT_NE(details, std::string::npos);
  google::protobuf::Any any;
  ASSERT_TRUE(any.ParseFromString(body.substr(details + 2)));
  EXPECT_EQ(any.type_url(), "type.googleapis.com/google.rpc.RetryInfo");
  google::protobuf::Duration duration;
  ASSERT_GE(any.value().size(), 2u);
  EXPECT_EQ(any.value()[0], '\x0a');
  ASSERT_TRUE(duration.ParseFromString(any.value().substr(2)));
  EXPECT_EQ(duration.seconds(), 2);
  EXPECT_EQ(duration.nanos(), 500'000'000);
  EXPECT_EQ(EncodeRpcStatus({14, "busy", 2500ms}, BodyFormat::kJson),
            R"({"code":14,"message":"busy","details":[{"@type":)"
            R"("type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2.500000000s"}]})");
}

TEST(StatusCodecBodies, DecodesOtherDetailsAndHosts) {
  const auto status = DecodeRpcStatus(
      R"({"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","metadata":{"a":"b"}},)"
      R"({"retryDelay":"3s","@type":"example.com/google.rpc.RetryInfo"}],"code":"8"})",
      BodyFormat::kJson);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code, 8);
  EXPECT_EQ(status->retry_delay, 3s);
  for (const char* delay : {"3", "s", "1.s", "1.0000000000s", "x1s", "99999999999s", "1.-1s"}) {
    EXPECT_EQ(DecodeRpcStatus(R"({"details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":")" +
                                  std::string(delay) + R"("}]})",
                              BodyFormat::kJson),
              std::nullopt)
        << delay;
  }
}

}  // namespace
}  // namespace weir::wire

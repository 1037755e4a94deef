#include "exporters/otlphttp/exporter.h"

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "exporters/otlphttp/factory.h"
#include "exporters/otlphttp/result.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/compression.h"
#include "tests/net/plain_http_server.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"
#include "weir/wire/json.h"

namespace weir::exporters::otlphttp {
namespace {

using net::HttpAnswer;
using net::PlainHttpServer;
using testing::HasSubstr;
using Kind = SendResult::Kind;

constexpr std::string_view kSpanJson =
    R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET /"}]}]}]})";

std::string SpanProto() {
  return std::string(wire::JsonToProto(Signal::kTraces, kSpanJson).bytes.view());
}

class Credentials final : public Extension, public ClientAuthenticator {
 public:
  absl::Status Start() override { return absl::OkStatus(); }
  absl::Status Shutdown(TimePoint) override { return absl::OkStatus(); }
  absl::Status AddHeaders(const RequestContext*, HeaderList& headers) const override {
    headers.emplace_back("authorization", "Bearer token");
    return absl::OkStatus();
  }
};

class OtlpHttpExporterTest : public testing::Test {
 protected:
  ~OtlpHttpExporterTest() override {
    if (exporter_ != nullptr) {
      EXPECT_TRUE(exporter_->Shutdown(TimePoint::max()).ok());
    }
  }

  void Make(const std::string& yaml) {
    auto created = Factory().create(harness_.Yaml(yaml), "exporters::otlp_http",
                                    harness_.ForExporter("otlp_http"));
    ASSERT_TRUE(created.ok()) << created.status();
    exporter_ = *std::move(created);
    ASSERT_TRUE(exporter_->Start().ok());
  }
  void MakeDefault(const std::string& more = "", const std::string& compression = "none") {
    Make(fmt::format("endpoint: {}\ncompression: {}\n{}", backend_.url(), compression, more));
  }

  SendResult Send(const Batch& batch) {
    std::promise<SendResult> result;
    harness_.loop_thread().RunAndWait([&] {
      exporter_->Send(batch, harness_.loop().Now() + std::chrono::seconds(20),
                      [&](SendResult sent) { result.set_value(std::move(sent)); });
    });
    return result.get_future().get();
  }
  SendResult SendOne(Signal signal, std::string_view payload) {
    Batch batch = testkit::MakeBatch(signal, payload, 1);
    SendResult result = Send(batch);
    batch.Settle(Outcome::kDelivered);
    return result;
  }

  testkit::Harness harness_;
  // Set before and read after a request.
  std::string answer_ = HttpAnswer("200 OK", "", "Content-Type: application/x-protobuf\r\n");
  PlainHttpServer::Request seen_;
  PlainHttpServer backend_{[this](const PlainHttpServer::Request& request) {
    seen_ = request;
    return answer_;
  }};
  std::unique_ptr<Exporter> exporter_;
};

TEST_F(OtlpHttpExporterTest, PostsPartsEndToEnd) {
  MakeDefault("headers: {X-Key: value, User-Agent: mine}");
  const std::pair<Signal, const char*> paths[] = {{Signal::kTraces, "/v1/traces"},
                                                  {Signal::kMetrics, "/v1/metrics"},
                                                  {Signal::kLogs, "/v1/logs"}};
  for (const auto& [signal, path] : paths) {
    Batch batch = testkit::MakeBatch(signal, "one,", 1);
    batch.Append(testkit::MakeBatch(signal, "two", 1));
    const SendResult result = Send(batch);
    batch.Settle(Outcome::kDelivered);
    EXPECT_EQ(result.kind, Kind::kDelivered) << result.message;
    EXPECT_EQ(seen_.line, fmt::format("POST {} HTTP/1.1", path));
    EXPECT_EQ(seen_.body, "one,two");
    EXPECT_EQ(seen_.headers["content-type"], "application/x-protobuf");
    EXPECT_EQ(seen_.headers["x-key"], "value");
    EXPECT_EQ(seen_.headers["user-agent"], "mine");
    EXPECT_EQ(seen_.headers.count("content-encoding"), 0u);
  }
}

TEST_F(OtlpHttpExporterTest, Compresses) {
  const std::string payload(100000, 'x');
  for (const char* const name :
       {"gzip", "zstd", "zlib", "deflate", "snappy", "x-snappy-framed", "lz4"}) {
    MakeDefault("", name);
    EXPECT_EQ(SendOne(Signal::kLogs, payload).kind, Kind::kDelivered) << name;
    EXPECT_EQ(seen_.headers["content-encoding"], name);
    const Slice body = Slice::Copy(seen_.body);
    EXPECT_TRUE(net::Decompress(*net::ParseCompression(name), {&body, 1}, 1 << 20).bytes.view() ==
                payload);
    EXPECT_TRUE(exporter_->Shutdown(TimePoint::max()).ok());
  }
  EXPECT_EQ(harness_.budget().used(), 0u);
}

TEST_F(OtlpHttpExporterTest, WritesJson) {
  MakeDefault("encoding: json");
  answer_ = HttpAnswer("200 OK", R"({"partialSuccess":{"rejectedSpans":"2"}})",
                       "Content-Type: application/json; charset=utf-8\r\n");
  const SendResult result = SendOne(Signal::kTraces, SpanProto());
  EXPECT_EQ(result.kind, Kind::kDelivered) << result.message;
  EXPECT_EQ(result.items_rejected, 2u);
  EXPECT_EQ(seen_.headers["content-type"], "application/json");
  EXPECT_EQ(seen_.body, kSpanJson);
}

TEST_F(OtlpHttpExporterTest, MalformedBytesCannotBecomeJson) {
  MakeDefault("encoding: json");
  EXPECT_EQ(SendOne(Signal::kTraces, "\xff\xff").kind, Kind::kMalformed);
}

TEST_F(OtlpHttpExporterTest, EndpointsOfASignalGoFirst) {
  Make(fmt::format("traces_endpoint: {}\ncompression: none", backend_.url("/mine")));
  EXPECT_EQ(SendOne(Signal::kTraces, "x").kind, Kind::kDelivered);
  EXPECT_EQ(seen_.line, "POST /mine HTTP/1.1");
  const SendResult nowhere = SendOne(Signal::kLogs, "x");
  EXPECT_EQ(nowhere.kind, Kind::kRefused);
  EXPECT_THAT(nowhere.message, HasSubstr("logs_endpoint"));
}

TEST_F(OtlpHttpExporterTest, RetryAfterArrives) {
  MakeDefault();
  answer_ = HttpAnswer("503 Service Unavailable", "", "Retry-After: 7\r\n");
  const SendResult result = SendOne(Signal::kTraces, "x");
  EXPECT_EQ(result.kind, Kind::kRetry);
  EXPECT_EQ(result.retry_after, std::chrono::seconds(7));
}

TEST_F(OtlpHttpExporterTest, AddsCredentials) {
  Credentials credentials;
  harness_.AddExtension("token", credentials);
  MakeDefault("auth: {authenticator: token}");
  EXPECT_EQ(SendOne(Signal::kTraces, "x").kind, Kind::kDelivered);
  EXPECT_EQ(seen_.headers["authorization"], "Bearer token");
}

TEST_F(OtlpHttpExporterTest, NobodyThereIsRetried) {
  Make("endpoint: http://127.0.0.1:1");
  const SendResult result = SendOne(Signal::kTraces, "x");
  EXPECT_EQ(result.kind, Kind::kRetry);
  EXPECT_FALSE(result.message.empty());
}

TEST(OtlpHttpConfig, Rules) {
  testkit::Harness harness;
  const auto fails = [&](const char* yaml) {
    return !Factory().create(harness.Yaml(yaml), "exporters::x", harness.ForExporter("x")).ok();
  };
  EXPECT_TRUE(fails("{}"));
  EXPECT_TRUE(fails("{endpoint: 'localhost:4318'}"));
  EXPECT_TRUE(fails("{logs_endpoint: 'ftp://x'}"));
  EXPECT_TRUE(fails("{endpoint: 'http://x', encoding: xml}"));
  EXPECT_FALSE(fails("{logs_endpoint: 'http://x/y'}"));
  EXPECT_EQ(Factory().settings(harness.Yaml("{endpoint: 'http://x'}"), "")->timeout,
            std::chrono::seconds(30));
  Config config;
  config.client.endpoint = "http://x/base/";
  EXPECT_EQ(config.Url(Signal::kMetrics), "http://x/base/v1/metrics");
}

Kind KindOf(int status) {
  net::HttpClientResponse response;
  response.status = status;
  return ResultOf(Signal::kTraces, response, std::chrono::system_clock::now()).kind;
}

TEST(OtlpHttpResult, ByTheSpecification) {
  for (const int status : {200, 202, 204}) {
    EXPECT_EQ(KindOf(status), Kind::kDelivered) << status;
  }
  for (const int status : {429, 502, 503, 504}) {
    EXPECT_EQ(KindOf(status), Kind::kRetry) << status;
  }
  EXPECT_EQ(KindOf(413), Kind::kTooLarge);
  for (const int status : {400, 422, 500}) {
    EXPECT_EQ(KindOf(status), Kind::kMalformed) << status;
  }
  for (const int status : {301, 307, 401, 403, 404, 405, 415, 501}) {
    EXPECT_EQ(KindOf(status), Kind::kRefused) << status;
  }
}

TEST(OtlpHttpResult, FailuresOfTheTransportMayPass) {
  using Failure = net::HttpClientResponse::Failure;
  const auto kind = [](Failure failure) {
    net::HttpClientResponse response;
    response.failure = failure;
    response.error = "why";
    return ResultOf(Signal::kTraces, response, std::chrono::system_clock::now()).kind;
  };
  EXPECT_EQ(kind(Failure::kUnreachable), Kind::kRetry);
  EXPECT_EQ(kind(Failure::kTimeout), Kind::kRetry);
  EXPECT_EQ(kind(Failure::kTls), Kind::kRetry);
  EXPECT_EQ(kind(Failure::kCancelled), Kind::kRetry);
  EXPECT_EQ(kind(Failure::kInvalid), Kind::kRefused);
}

TEST(OtlpHttpResult, SaysWhatTheServerSaid) {
  net::HttpClientResponse response;
  response.status = 400;
  response.headers = {{"content-type", "application/json"}};
  response.body = R"({"code":3,"message":"bad span"})";
  EXPECT_EQ(ResultOf(Signal::kTraces, response, std::chrono::system_clock::now()).message,
            "HTTP status 400: bad span");
  response.body = "not json";
  EXPECT_EQ(ResultOf(Signal::kTraces, response, std::chrono::system_clock::now()).message,
            "HTTP status 400");
}

}  // namespace
}  // namespace weir::exporters::otlphttp

#include "exporters/otlp/exporter.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "exporters/otlp/factory.h"
#include "exporters/otlp/result.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/grpc_server.h"
#include "net/server.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"
#include "weir/wire/status_codec.h"

namespace weir::exporters::otlp {
namespace {

using net::GrpcCode;
using testing::HasSubstr;
using Kind = SendResult::Kind;

// A server of all three services that remembers what it got and answers as told.
class FakeBackend final : public net::RequestHandler {
 public:
  struct Answer {
    net::GrpcStatus status;
    std::string message;
  };

  FakeBackend() {
    for (const char* const service : {"trace.v1.Trace", "metrics.v1.Metrics", "logs.v1.Logs"}) {
      router_.Add(fmt::format("/opentelemetry.proto.collector.{}Service/Export", service), *this);
    }
    auto server = net::Server::Open({.endpoint = {.address = "127.0.0.1:0"}},
                                    {.http = nullptr, .grpc = &router_}, budget_, 1);
    WEIR_CHECK(server.ok());
    server_ = *std::move(server);
    EventLoop* const loops[] = {&thread_.loop()};
    server_->Start(loops);
  }
  ~FakeBackend() override {
    server_->Shutdown(std::chrono::steady_clock::now() + std::chrono::seconds(5));
    server_.reset();
  }

  std::optional<std::size_t> OnHead(net::ServerRequest& request) override {
    path = std::string(request.head().path());
    key = std::string(request.head().Find("x-key").value_or(""));
    authorization = std::string(request.head().Find("authorization").value_or(""));
    encoding = std::string(request.head().Find("grpc-encoding").value_or(""));
    return 64 << 20;
  }
  void OnBody(net::ServerRequest& request, Slice body) override {
    received = std::string(body.view());
    request.RespondGrpc(answer.status, answer.message);
  }

  std::string endpoint() const { return fmt::format("127.0.0.1:{}", server_->port()); }

  // Set before and read after a request.
  Answer answer;
  std::string path;
  std::string key;
  std::string authorization;
  std::string encoding;
  std::string received;

 private:
  MemoryBudget budget_;
  net::GrpcRouter router_;
  LoopThread thread_{"backend"};
  std::unique_ptr<net::Server> server_;
};

class Credentials final : public Extension, public ClientAuthenticator {
 public:
  absl::Status Start() override { return absl::OkStatus(); }
  absl::Status Shutdown(TimePoint) override { return absl::OkStatus(); }
  absl::Status AddHeaders(const RequestContext*, HeaderList& headers) const override {
    headers.emplace_back("authorization", "Bearer token");
    return fails ? absl::UnavailableError("no token yet") : absl::OkStatus();
  }
  bool fails = false;
};

class OtlpExporterTest : public testing::Test {
 protected:
  ~OtlpExporterTest() override {
    if (exporter_ != nullptr) {
      EXPECT_TRUE(exporter_->Shutdown(TimePoint::max()).ok());
    }
  }

  void Make(const std::string& more = "", const std::string& compression = "none") {
    const std::string yaml =
        fmt::format("endpoint: {}\ntls: {{insecure: true}}\ncompression: {}\n{}",
                    backend_.endpoint(), compression, more);
    auto created = Factory().create(harness_.Yaml(yaml), "exporters::otlp_grpc",
                                    harness_.ForExporter("otlp_grpc"));
    ASSERT_TRUE(created.ok()) << created.status();
    exporter_ = *std::move(created);
  }

  SendResult Send(const Batch& batch) {
    std::promise<SendResult> result;
    harness_.loop_thread().RunAndWait([&] {
      exporter_->Send(batch, harness_.loop().Now() + std::chrono::seconds(20),
                      [&](SendResult sent) { result.set_value(std::move(sent)); });
    });
    return result.get_future().get();
  }
  SendResult SendOne(Signal signal = Signal::kTraces, std::string_view payload = "payload") {
    Batch batch = testkit::MakeBatch(signal, payload, 1);
    SendResult result = Send(batch);
    batch.Settle(Outcome::kDelivered);
    return result;
  }

  testkit::Harness harness_;
  FakeBackend backend_;
  std::unique_ptr<Exporter> exporter_;
};

// Scenario: a batch of two parts of each signal.
// Guarantees: the service of the signal gets the parts end to end, with the configured headers.
TEST_F(OtlpExporterTest, SendsPartsEndToEnd) {
  Make("headers: {X-Key: value}");
  ASSERT_TRUE(exporter_->Start().ok());
  const std::pair<Signal, const char*> services[] = {
      {Signal::kTraces, "trace.v1.TraceService"},
      {Signal::kMetrics, "metrics.v1.MetricsService"},
      {Signal::kLogs, "logs.v1.LogsService"}};
  for (const auto& [signal, service] : services) {
    Batch batch = testkit::MakeBatch(signal, "one,", 1);
    batch.Append(testkit::MakeBatch(signal, "two", 1));
    const SendResult result = Send(batch);
    batch.Settle(Outcome::kDelivered);
    EXPECT_EQ(result.kind, Kind::kDelivered) << result.message;
    EXPECT_EQ(backend_.received, "one,two");
    EXPECT_THAT(backend_.path, HasSubstr(service));
    EXPECT_EQ(backend_.key, "value");
    EXPECT_EQ(backend_.encoding, "");
  }
}

TEST_F(OtlpExporterTest, Compresses) {
  const std::string payload(100000, 'x');
  for (const char* const compression : {"gzip", "zstd", "snappy"}) {
    Make("", compression);
    ASSERT_TRUE(exporter_->Start().ok());
    EXPECT_EQ(SendOne(Signal::kLogs, payload).kind, Kind::kDelivered) << compression;
    EXPECT_EQ(backend_.encoding, compression);
    EXPECT_TRUE(backend_.received == payload);
    EXPECT_TRUE(exporter_->Shutdown(TimePoint::max()).ok());
  }
  EXPECT_EQ(harness_.budget().used(), 0u);
}

TEST_F(OtlpExporterTest, PartialSuccessIsCounted) {
  Make();
  ASSERT_TRUE(exporter_->Start().ok());
  backend_.answer.message = wire::EncodeExportResponse(
      Signal::kTraces, {.rejected_items = 3, .message = "too old"}, wire::BodyFormat::kProtobuf);
  const SendResult result = SendOne();
  EXPECT_EQ(result.kind, Kind::kDelivered);
  EXPECT_EQ(result.items_rejected, 3u);
  EXPECT_EQ(result.message, "too old");
}

TEST_F(OtlpExporterTest, RetryInfoArrives) {
  Make();
  ASSERT_TRUE(exporter_->Start().ok());
  backend_.answer.status =
      net::WithRetryInfo({.code = GrpcCode::kResourceExhausted, .message = "full", .details = ""},
                         std::chrono::milliseconds(1500));
  const SendResult result = SendOne();
  EXPECT_EQ(result.kind, Kind::kRetry);
  EXPECT_EQ(result.retry_after, std::chrono::milliseconds(1500));
  EXPECT_EQ(result.message, "RESOURCE_EXHAUSTED: full");
}

TEST_F(OtlpExporterTest, AddsCredentials) {
  Credentials credentials;
  harness_.AddExtension("token", credentials);
  Make("auth: {authenticator: token}");
  ASSERT_TRUE(exporter_->Start().ok());
  EXPECT_EQ(SendOne().kind, Kind::kDelivered);
  EXPECT_EQ(backend_.authorization, "Bearer token");
  credentials.fails = true;
  EXPECT_EQ(SendOne().kind, Kind::kRetry);
}

TEST_F(OtlpExporterTest, AuthenticatorThatIsNotThereFailsTheStart) {
  Make("auth: {authenticator: token}");
  EXPECT_THAT(std::string(exporter_->Start().message()), HasSubstr("token"));
}

TEST_F(OtlpExporterTest, FilesThatCannotBeReadFailTheStart) {
  Make("user_agent: x");
  auto created =
      Factory().create(harness_.Yaml("{endpoint: 'localhost:1', tls: {ca_file: /nonexistent.pem}}"),
                       "exporters::x", harness_.ForExporter("x"));
  ASSERT_TRUE(created.ok());
  EXPECT_THAT(std::string((*created)->Start().message()), HasSubstr("/nonexistent.pem"));
}

TEST_F(OtlpExporterTest, NeedsAnEndpoint) {
  EXPECT_FALSE(
      Factory().create(harness_.Yaml("{}"), "exporters::x", harness_.ForExporter("x")).ok());
  EXPECT_TRUE(Factory().settings(harness_.Yaml("{endpoint: 'a:1'}"), "exporters::x").ok());
}

Kind KindOf(GrpcCode code, const std::string& message = "", const std::string& details = "") {
  return ResultOf(Signal::kTraces,
                  {.code = code, .message = message, .body = "", .status_details = details})
      .kind;
}

TEST(OtlpResult, ByTheSpecification) {
  EXPECT_EQ(KindOf(GrpcCode::kOk), Kind::kDelivered);
  for (const GrpcCode code : {GrpcCode::kCancelled, GrpcCode::kDeadlineExceeded, GrpcCode::kAborted,
                              GrpcCode::kOutOfRange, GrpcCode::kUnavailable, GrpcCode::kDataLoss}) {
    EXPECT_EQ(KindOf(code), Kind::kRetry) << static_cast<int>(code);
  }
  for (const GrpcCode code :
       {GrpcCode::kInvalidArgument, GrpcCode::kInternal, GrpcCode::kUnknown}) {
    EXPECT_EQ(KindOf(code), Kind::kMalformed) << static_cast<int>(code);
  }
  for (const GrpcCode code :
       {GrpcCode::kNotFound, GrpcCode::kAlreadyExists, GrpcCode::kPermissionDenied,
        GrpcCode::kFailedPrecondition, GrpcCode::kUnimplemented, GrpcCode::kUnauthenticated,
        GrpcCode::kResourceExhausted}) {
    EXPECT_EQ(KindOf(code), Kind::kRefused) << static_cast<int>(code);
  }
}

TEST(OtlpResult, TooLargeSaysItsLimit) {
  const SendResult result = ResultOf(
      Signal::kTraces, {.code = GrpcCode::kResourceExhausted,
                        .message = "grpc: received message larger than max (5000000 vs. 4194304)"});
  EXPECT_EQ(result.kind, Kind::kTooLarge);
  EXPECT_EQ(result.bytes_max, 4194304u);
  EXPECT_EQ(KindOf(GrpcCode::kResourceExhausted, "gRPC message exceeds maximum size 4194304: 5"),
            Kind::kTooLarge);
}

TEST(OtlpResult, DetailsThatAreNoneChangeNothing) {
  EXPECT_EQ(KindOf(GrpcCode::kResourceExhausted, "", "\xff\xff"), Kind::kRefused);
  EXPECT_EQ(KindOf(GrpcCode::kUnavailable, "", "\xff\xff"), Kind::kRetry);
}

}  // namespace
}  // namespace weir::exporters::otlp

#include "receivers/otlp/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/compression.h"
#include "receivers/otlp/factory.h"
#include "tests/net/test_server.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"
#include "weir/wire/status_codec.h"

namespace weir::receivers::otlp {
namespace {

using net::RawClient;
using net::RawHttp2;

constexpr const char* kTraceCall = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

// A request of `spans` empty spans.
std::string Traces(int spans) {
  std::string scope;
  for (int i = 0; i < spans; ++i) {
    scope += std::string("\x12\x02\x2a\0", 4);  // A span with an empty name.
  }
  const std::string scopes = "\x12" + std::string(1, static_cast<char>(scope.size())) + scope;
  return "\x0a" + std::string(1, static_cast<char>(scopes.size())) + scopes;
}

class Gatekeeper final : public Extension, public ServerAuthenticator {
 public:
  absl::Status Start() override { return absl::OkStatus(); }
  absl::Status Shutdown(TimePoint) override { return absl::OkStatus(); }
  absl::StatusOr<HeaderList> Authenticate(const HeaderLookup& headers) const override {
    if (headers("x-key") == "good") {
      return HeaderList{{"subject", "agent"}};
    }
    return headers("x-key") == "later" ? absl::UnavailableError("ask again")
                                       : absl::UnauthenticatedError("who are you?");
  }
};

class OtlpReceiverTest : public ::testing::Test {
 protected:
  OtlpReceiverTest() {
    harness_.SetSink(Signal::kTraces, &sink_);
    harness_.SetSink(Signal::kLogs, &logs_);
    harness_.SetSink(Signal::kMetrics, nullptr);
    sink_.SettleWith(Settlement{});
    logs_.SettleWith(Settlement{});
    harness_.AddExtension("gate", gate_);
  }

  void Start(const std::string& grpc = "", const std::string& http = "",
             const std::string& more = "") {
    const std::string yaml = "protocols: {grpc: {endpoint: '127.0.0.1:0'" + grpc +
                             "}, http: {endpoint: '127.0.0.1:0'" + http + "}}\n" + more;
    auto created =
        Factory().create(harness_.Yaml(yaml), "receivers::otlp", harness_.ForReceiver("otlp"));
    ASSERT_TRUE(created.ok()) << created.status();
    receiver_.reset(static_cast<OtlpReceiver*>(created->release()));
    const absl::Status started = receiver_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }

  RawHttp2::Answer Call(std::string_view message,
                        std::vector<std::pair<std::string, std::string>> fields = {},
                        const std::string& path = kTraceCall, char flag = '\0') {
    RawHttp2 client(receiver_->grpc_port());
    client.SendFrame(net::http2::kHeaders, 4, 1, RawHttp2::GrpcBlock(path, std::move(fields)));
    client.SendFrame(net::http2::kData, 1, 1, RawHttp2::Message(message, flag));
    return client.ReadAnswer(1);
  }

  std::string Post(const std::string& path, const std::string& type, std::string_view body,
                   const std::string& more = "") {
    RawClient client(receiver_->http_port());
    client.Send("POST " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: " +
                type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more +
                "\r\n" + std::string(body));
    return client.ReceiveAll();
  }
  std::string PostProto(std::string_view body, const std::string& more = "") {
    return Post("/v1/traces", "application/x-protobuf", body, more);
  }

  std::uint64_t Books(std::uint64_t NodeBooks::*column) {
    std::uint64_t sum = 0;
    for (const NodeBooks& books : harness_.ledger().Snapshot()) {
      sum += books.*column;
    }
    return sum;
  }
  double Metric(const std::string& name, const std::string& transport) {
    for (const MetricFamily& family : harness_.metrics().Collect()) {
      for (const MetricSample& sample : family.samples) {
        if (family.name == name && sample.labels[1].second == transport) {
          return sample.value;
        }
      }
    }
    return -1;
  }
  double Requests(const std::string& transport, const std::string& outcome) {
    for (const MetricFamily& family : harness_.metrics().Collect()) {
      for (const MetricSample& sample : family.samples) {
        if (family.name == "otelcol_receiver_requests" && sample.labels[1].second == transport &&
            sample.labels[2].second == outcome) {
          return sample.value;
        }
      }
    }
    return -1;
  }

  static std::string BodyOf(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  testkit::RecordingSink sink_;
  testkit::RecordingSink logs_;
  Gatekeeper gate_;
  testkit::Harness harness_;
  std::unique_ptr<OtlpReceiver> receiver_;
};

TEST_F(OtlpReceiverTest, HandsOnWhatCameOverGrpc) {
  Start();
  const std::string request = Traces(3);
  const RawHttp2::Answer answer = Call(request);
  EXPECT_EQ(answer.Field("grpc-status"), "0");
  EXPECT_EQ(answer.body, RawHttp2::Message(""));
  EXPECT_EQ(sink_.payload(), request);
  EXPECT_EQ(sink_.items(), 3u);
  EXPECT_EQ(Metric("otelcol_receiver_accepted_spans", "grpc"), 3);
  EXPECT_EQ(Books(&NodeBooks::in), 3u);
  EXPECT_TRUE(harness_.ledger().Check().empty());
  EXPECT_EQ(harness_.budget().used(), 0u);
}

// Guarantees: a receiver that has shut down tells when its last request has been settled.
TEST_F(OtlpReceiverTest, IsIdleOnceEveryCallIsAnswered) {
  Start();
  EXPECT_TRUE(receiver_->idle());
  sink_.SettleWith(std::nullopt);
  std::thread client([&] { Call(Traces(1)); });
  EXPECT_TRUE(sink_.WaitForOffers(1));
  EXPECT_FALSE(receiver_->idle());
  for (Batch& batch : sink_.TakeBatches()) {
    batch.Settle(Outcome::kDelivered);
  }
  client.join();
  EXPECT_TRUE(receiver_->Shutdown(std::chrono::steady_clock::now() + std::chrono::seconds(5)).ok());
  EXPECT_TRUE(receiver_->idle());
}

TEST_F(OtlpReceiverTest, HandsOnWhatCameOverHttp) {
  Start();
  const std::string request = Traces(2);
  const std::string answer = PostProto(request);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("content-type: application/x-protobuf"), std::string::npos);
  EXPECT_EQ(BodyOf(answer), "");
  EXPECT_EQ(sink_.payload(), request);
  EXPECT_EQ(Metric("otelcol_receiver_accepted_spans", "http"), 2);
}

TEST_F(OtlpReceiverTest, ReadsJson) {
  Start();
  const std::string answer =
      Post("/v1/traces", "application/json; charset=utf-8",
           R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":"b"}]}]}]})");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_EQ(BodyOf(answer), "{}");
  EXPECT_EQ(sink_.items(), 2u);
  const std::string broken = Post("/v1/traces", "application/json", "{\"resourceSpans\":");
  EXPECT_TRUE(broken.starts_with("HTTP/1.1 400 ")) << broken;
  EXPECT_EQ(wire::DecodeRpcStatus(BodyOf(broken), wire::BodyFormat::kJson)->code, 3);
}

TEST_F(OtlpReceiverTest, AcceptsWhatHoldsNothing) {
  Start();
  EXPECT_EQ(Call("").Field("grpc-status"), "0");
  EXPECT_TRUE(PostProto("").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Post("/v1/traces", "application/json", "{}").starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(sink_.items(), 0u);
}

TEST_F(OtlpReceiverTest, RefusesWhatIsNotOtlp) {
  Start();
  EXPECT_EQ(Call("\xff\xff\xff").Field("grpc-status"), "3");
  const std::string answer = PostProto("\x0a\x7f");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  const auto status = wire::DecodeRpcStatus(BodyOf(answer), wire::BodyFormat::kProtobuf);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code, 3);
  EXPECT_THAT(status->message, ::testing::HasSubstr("truncated"));
}

// Scenario: a span whose inside is not protobuf; boundaries are right.
TEST_F(OtlpReceiverTest, LooksAsDeepAsItIsTold) {
  const std::string request("\x0a\x06\x12\x04\x12\x02\xff\xff", 8);
  Start();
  EXPECT_EQ(Call(request).Field("grpc-status"), "0");
  Start("", "", "validation: full");
  EXPECT_EQ(Call(request).Field("grpc-status"), "3");
}

TEST_F(OtlpReceiverTest, KnowsItsPathsMethodsAndTypes) {
  Start("", ", logs_url_path: my/logs");
  EXPECT_TRUE(Post("/my/logs", "application/json", "{}").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Post("/v1/logs", "application/json", "{}").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(Post("/v1/metrics", "application/json", "{}").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(Post("/v1/traces", "text/plain", "{}").starts_with("HTTP/1.1 415 "));
  RawClient client(receiver_->http_port());
  client.Send("GET /v1/traces HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.ReceiveAll().starts_with("HTTP/1.1 405 "));
  EXPECT_EQ(Call("", {}, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")
                .Field("grpc-status"),
            "12");
}

TEST_F(OtlpReceiverTest, LimitsSizes) {
  Start(", max_recv_msg_size_mib: 1", ", max_request_body_size: 1000");
  RawHttp2 client(receiver_->grpc_port());
  client.SendFrame(net::http2::kHeaders, 4, 1, RawHttp2::GrpcBlock(kTraceCall));
  client.SendFrame(net::http2::kData, 0, 1, std::string("\0\0\x10\0\1", 5));
  EXPECT_EQ(client.ReadAnswer(1).Field("grpc-status"), "8");
  EXPECT_TRUE(PostProto(std::string(1001, '\0')).starts_with("HTTP/1.1 413 "));
  const Slice bomb = Slice::Copy(std::string(8 << 20, '\0'));
  const Slice packed = net::Compress(net::Compression::kGzip, {&bomb, 1});
  EXPECT_EQ(Call(packed.view(), {{"grpc-encoding", "gzip"}}, kTraceCall, '\1').Field("grpc-status"),
            "8");
  const Slice small = net::Compress(net::Compression::kGzip, {&bomb, 1});
  EXPECT_TRUE(PostProto(std::string(small.view()).substr(0, 900), "Content-Encoding: gzip\r\n")
                  .starts_with("HTTP/1.1 4"));
  EXPECT_EQ(harness_.budget().used(), 0u);
}

TEST_F(OtlpReceiverTest, ReadsCompressedBodies) {
  Start();
  const std::string request = Traces(4);
  const Slice plain = Slice::Copy(request);
  const Slice packed = net::Compress(net::Compression::kZstd, {&plain, 1});
  EXPECT_TRUE(PostProto(packed.view(), "Content-Encoding: zstd\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(Call(packed.view(), {{"grpc-encoding", "zstd"}}, kTraceCall, '\1').Field("grpc-status"),
            "0");
  EXPECT_EQ(sink_.payload(), request + request);
}

TEST_F(OtlpReceiverTest, PushesBackWhenNobodyHasRoom) {
  Start();
  sink_.AnswerWith(Admission::kBusy);
  const RawHttp2::Answer answer = Call(Traces(2));
  EXPECT_EQ(answer.Field("grpc-status"), "14");
  EXPECT_NE(answer.Field("grpc-status-details-bin"), "");
  const std::string http = PostProto(Traces(2));
  EXPECT_TRUE(http.starts_with("HTTP/1.1 503 ")) << http;
  EXPECT_NE(http.find("retry-after: 1\r\n"), std::string::npos);
  sink_.AnswerWith(Admission::kAccepted);
  sink_.SettleWith(
      Settlement{.outcome = Outcome::kRetry, .retry_after = std::chrono::milliseconds(2500)});
  const std::string later = PostProto(Traces(2));
  EXPECT_NE(later.find("retry-after: 3\r\n"), std::string::npos);
  const auto status = wire::DecodeRpcStatus(BodyOf(later), wire::BodyFormat::kProtobuf);
  EXPECT_EQ(status->retry_delay, std::chrono::milliseconds(2500));
  EXPECT_EQ(Metric("otelcol_receiver_refused_spans", "http"), 4);
  EXPECT_EQ(Metric("otelcol_receiver_accepted_spans", "http"), 0);
  EXPECT_EQ(Books(&NodeBooks::refused), 6u);
  EXPECT_EQ(Books(&NodeBooks::in), 0u);
  EXPECT_EQ(Requests("http", "refused"), 2);
  EXPECT_EQ(Requests("grpc", "refused"), 1);
  EXPECT_EQ(Requests("grpc", "success"), 0);
}

TEST_F(OtlpReceiverTest, SaysWhatIsRefusedForGood) {
  Start();
  sink_.SettleWith(Settlement{.outcome = Outcome::kRefused});
  const RawHttp2::Answer answer = Call(Traces(1));
  EXPECT_EQ(answer.Field("grpc-status"), "13");
  EXPECT_EQ(answer.Field("grpc-status-details-bin"), "");
  EXPECT_TRUE(PostProto(Traces(1)).starts_with("HTTP/1.1 500 "));
  sink_.SettleWith(Settlement{.outcome = Outcome::kDropped});
  EXPECT_EQ(Call(Traces(1)).Field("grpc-status"), "0");
  EXPECT_EQ(Requests("grpc", "failure"), 1);
  EXPECT_EQ(Requests("grpc", "success"), 1);
}

TEST_F(OtlpReceiverTest, RefusesOverBudget) {
  harness_.budget().set_limit(1000);
  Start();
  const RawHttp2::Answer answer = Call(std::string(1001, '\0'));
  EXPECT_EQ(answer.Field("grpc-status"), "8");
  EXPECT_NE(answer.Field("grpc-status-details-bin"), "");
  const std::string http = PostProto(std::string(1001, '\0'));
  EXPECT_TRUE(http.starts_with("HTTP/1.1 429 ")) << http;
  EXPECT_NE(http.find("retry-after: "), std::string::npos);
}

// Scenario: the exporters' queues take the batch later, on a thread of their own.
// Guarantees: the answer waits for that, and comes.
TEST_F(OtlpReceiverTest, AnswersWhenSecuredElsewhere) {
  Start();
  sink_.SettleWith(std::nullopt);
  RawHttp2 client(receiver_->grpc_port());
  client.SendFrame(net::http2::kHeaders, 4, 1, RawHttp2::GrpcBlock(kTraceCall));
  client.SendFrame(net::http2::kData, 1, 1, RawHttp2::Message(Traces(1)));
  ASSERT_TRUE(sink_.WaitForItems(1));
  EXPECT_EQ(Metric("otelcol_receiver_accepted_spans", "grpc"), 0);
  std::vector<Batch> batches = sink_.TakeBatches();
  batches[0].Secure();
  EXPECT_EQ(client.ReadAnswer(1).Field("grpc-status"), "0");
  batches[0].Settle(Outcome::kDelivered);
  EXPECT_EQ(UnsettledTokens(), 0u);
}

TEST_F(OtlpReceiverTest, WaitsForTheDeliveryWhereAsked) {
  Start("", "", "wait: delivered");
  sink_.SettleWith(std::nullopt);
  RawHttp2 client(receiver_->grpc_port());
  client.SendFrame(net::http2::kHeaders, 4, 1, RawHttp2::GrpcBlock(kTraceCall));
  client.SendFrame(net::http2::kData, 1, 1, RawHttp2::Message(Traces(1)));
  ASSERT_TRUE(sink_.WaitForItems(1));
  std::vector<Batch> batches = sink_.TakeBatches();
  EXPECT_TRUE(batches[0].parts()[0].token.source_wants_delivery());
  batches[0].Secure();
  batches[0].Settle(Outcome::kRetry);  // Given up by the exporter: the client is told.
  EXPECT_EQ(client.ReadAnswer(1).Field("grpc-status"), "14");
  EXPECT_EQ(Metric("otelcol_receiver_accepted_spans", "grpc"), 0);
  sink_.SettleWith(Settlement{});
  EXPECT_EQ(Call(Traces(1)).Field("grpc-status"), "0");
}

// Scenario: the client is gone when its data is secured.
TEST_F(OtlpReceiverTest, SurvivesAnAnswerNobodyWaitsFor) {
  Start();
  sink_.SettleWith(std::nullopt);
  {
    RawHttp2 client(receiver_->grpc_port());
    client.SendFrame(net::http2::kHeaders, 4, 1, RawHttp2::GrpcBlock(kTraceCall));
    client.SendFrame(net::http2::kData, 1, 1, RawHttp2::Message(Traces(1)));
    ASSERT_TRUE(sink_.WaitForItems(1));
  }
  ASSERT_TRUE(receiver_->Shutdown(std::chrono::steady_clock::now()).ok());
  for (Batch& batch : sink_.TakeBatches()) {
    batch.Settle(Outcome::kAbandoned);
  }
  receiver_.reset();
  EXPECT_EQ(UnsettledTokens(), 0u);
}

TEST_F(OtlpReceiverTest, KeepsMetadataWhenAsked) {
  Start(", include_metadata: true");
  sink_.SettleWith(std::nullopt);
  RawHttp2 client(receiver_->grpc_port());
  client.SendFrame(net::http2::kHeaders, 4, 1, RawHttp2::GrpcBlock(kTraceCall, {{"tenant", "a"}}));
  client.SendFrame(net::http2::kData, 1, 1, RawHttp2::Message(Traces(1)));
  ASSERT_TRUE(sink_.WaitForItems(1));
  std::vector<Batch> batches = sink_.TakeBatches();
  ASSERT_NE(batches[0].context(), nullptr);
  EXPECT_THAT(batches[0].context()->metadata, ::testing::Contains(::testing::Pair("tenant", "a")));
  EXPECT_TRUE(batches[0].context()->peer_address.starts_with("127.0.0.1:"));
  batches[0].Settle(Outcome::kDelivered);
  EXPECT_EQ(client.ReadAnswer(1).Field("grpc-status"), "0");
}

TEST_F(OtlpReceiverTest, ChecksWhoSends) {
  Start(", auth: {authenticator: gate}", ", auth: {authenticator: gate, request_params: [x-key]}");
  EXPECT_EQ(Call(Traces(1)).Field("grpc-status"), "16");
  EXPECT_EQ(Call(Traces(1), {{"x-key", "good"}}).Field("grpc-status"), "0");
  EXPECT_EQ(Call(Traces(1), {{"x-key", "later"}}).Field("grpc-status"), "14");
  EXPECT_TRUE(PostProto(Traces(1)).starts_with("HTTP/1.1 401 "));
  EXPECT_TRUE(PostProto(Traces(1), "X-Key: good\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Post("/v1/traces?a=b&x-key=g%6fod", "application/x-protobuf", Traces(1))
                  .starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(sink_.items(), 3u);
}

TEST_F(OtlpReceiverTest, SaysWhatIsWrongWithItsConfiguration) {
  const auto error = [&](const std::string& yaml) {
    auto created =
        Factory().create(harness_.Yaml(yaml), "receivers::otlp", harness_.ForReceiver("otlp"));
    if (!created.ok()) {
      return std::string(created.status().message());
    }
    const absl::Status status = (*created)->Start();
    return std::string(status.message());
  };
  EXPECT_THAT(error("{}"), ::testing::HasSubstr("at least one of `grpc` and `http`"));
  EXPECT_THAT(error("protocols: {grpc: {endpoint: nowhere}}"),
              ::testing::HasSubstr("missing port"));
  EXPECT_THAT(error("protocols: {grpc: {endpoint: '127.0.0.1:0', auth: {authenticator: nope}}}"),
              ::testing::HasSubstr("not among service::extensions"));
  EXPECT_THAT(
      error("protocols: {http: {endpoint: '127.0.0.1:0', compression_algorithms: [rot13]}}"),
      ::testing::HasSubstr("rot13"));
  EXPECT_THAT(error("protocols: {http: {traces_url_path: /v1/logs}}"),
              ::testing::HasSubstr("path of another signal"));
}

TEST(OtlpConfigTest, DefaultsAreTheCollectors) {
  const ConfigNode node = testkit::Harness::Yaml("protocols: {grpc: , http: }");
  ConfigErrors errors;
  const Config config = ReadConfig<Config>(node, "receivers::otlp", errors);
  ASSERT_TRUE(errors.ok()) << errors.Render();
  Config expected;
  expected.protocols.grpc.emplace();
  expected.protocols.http.emplace();
  EXPECT_EQ(config, expected);
  EXPECT_EQ(config.protocols.grpc->server.endpoint, "localhost:4317");
  EXPECT_EQ(config.protocols.http->server.endpoint, "localhost:4318");
  EXPECT_EQ(config.protocols.grpc->server.message_bytes_max(), 4u << 20);
  EXPECT_EQ(config.protocols.http->server.body_bytes_max(), 20u << 20);
  EXPECT_EQ(config.protocols.http->Path(Signal::kMetrics), "/v1/metrics");
}

}  // namespace
}  // namespace weir::receivers::otlp

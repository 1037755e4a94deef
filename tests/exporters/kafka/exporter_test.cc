#include "exporters/kafka/exporter.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <future>
#include <set>
#include <string>

#include "exporters/kafka/factory.h"
#include "gtest/gtest.h"
#include "tests/kafka/mock_cluster.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"
#include "weir/wire/json.h"
#include "weir/wire/scanner.h"

namespace weir::exporters::kafka {
namespace {

using weir::kafka::testing::MockCluster;
using weir::kafka::testing::Record;

constexpr std::int16_t kProduceApi = 0;

std::string Proto(Signal signal, std::string_view json) {
  const wire::JsonToProtoResult result = wire::JsonToProto(signal, json);
  EXPECT_TRUE(result.ok()) << result.message;
  return std::string(result.bytes.view());
}

std::string Span(std::string_view trace_id, std::string_view name) {
  return R"({"traceId":")" + std::string(trace_id) + R"(","name":")" + std::string(name) + R"("})";
}

std::string Spans(std::string_view service, const std::vector<std::string>& spans) {
  std::string list;
  for (const std::string& span : spans) {
    list += (list.empty() ? "" : ",") + span;
  }
  return Proto(Signal::kTraces,
               R"({"resourceSpans":[{"resource":{"attributes":[{"key":"topic","value":{)"
               R"("stringValue":")" +
                   std::string(service) + R"("}}]},"scopeSpans":[{"spans":[)" + list + "]}]}]}");
}

const std::string kTraceA(32, 'a');
const std::string kTraceB(32, 'b');

class KafkaExporterTest : public testing::Test {
 protected:
  void TearDown() override {
    exporter_.reset();
    cluster_.CloseReaders();
  }

  void Make(const std::string& options, std::string brokers = {}) {
    if (brokers.empty()) {
      brokers = cluster_.brokers();
    }
    auto created = Factory().create(
        harness_.Yaml("{brokers: ['" + brokers + "'], producer: {linger: 1ms}, " + options + "}"),
        "exporters::kafka", harness_.ForExporter("kafka"));
    ASSERT_TRUE(created.ok()) << created.status();
    exporter_ = *std::move(created);
    ASSERT_TRUE(exporter_->Start().ok());
  }

  SendResult Send(Batch batch, TimePoint deadline = TimePoint::max()) {
    std::promise<SendResult> answer;
    harness_.loop_thread().RunAndWait([&] {
      exporter_->Send(batch, deadline,
                      [&answer](SendResult result) { answer.set_value(std::move(result)); });
    });
    SendResult result = answer.get_future().get();
    batch.Settle(Outcome::kDelivered);
    return result;
  }
  SendResult SendSpans(const std::vector<std::string>& requests) {
    Batch batch;
    for (const std::string& request : requests) {
      batch.Append(testkit::MakeBatch(
          Signal::kTraces, request,
          wire::Scan(Signal::kTraces, request, wire::ScanDepth::kStructure).items));
    }
    return Send(std::move(batch));
  }

  testkit::Harness harness_;
  MockCluster cluster_;
  std::unique_ptr<Exporter> exporter_;
};

TEST_F(KafkaExporterTest, PartsOfABatchBecomeOneMessage) {
  cluster_.CreateTopic("otlp_spans", 1);
  Make("");
  const std::string first = Spans("a", {Span(kTraceA, "one")});
  const std::string second = Spans("b", {Span(kTraceB, "two")});
  EXPECT_EQ(SendSpans({first, second}).kind, SendResult::Kind::kDelivered);
  const std::vector<Record> records = cluster_.ReadAll("otlp_spans", 1, 1);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, first + second);
  EXPECT_EQ(records[0].key, "");
  exporter_.reset();
  EXPECT_EQ(harness_.budget().used(), 0U);
}

TEST_F(KafkaExporterTest, EveryCodecArrives) {
  cluster_.CreateTopic("codecs", 1);
  std::size_t sent = 0;
  for (const std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    auto created = Factory().create(
        harness_.Yaml("{brokers: ['" + cluster_.brokers() +
                      "'], topic: codecs, producer: {compression: " + codec + "}}"),
        "exporters::kafka", harness_.ForExporter("kafka"));
    ASSERT_TRUE(created.ok()) << created.status();
    exporter_ = *std::move(created);
    ASSERT_TRUE(exporter_->Start().ok());
    EXPECT_EQ(SendSpans({Spans("a", {Span(kTraceA, std::string(500, 'x'))})}).kind,
              SendResult::Kind::kDelivered);
    ++sent;
  }
  const std::vector<Record> records = cluster_.ReadAll("codecs", 1, sent);
  ASSERT_EQ(records.size(), sent);
  for (const Record& record : records) {
    EXPECT_EQ(record.value, records[0].value);
  }
}

TEST_F(KafkaExporterTest, ARequestOverTheLimitIsCutOnItemBoundaries) {
  cluster_.CreateTopic("otlp_spans", 1);
  Make("traces: {encoding: otlp_proto}, timeout: 10s");
  std::vector<std::string> spans;
  for (int i = 0; i < 3000; ++i) {
    spans.push_back(Span(kTraceA, std::string(500, 'x')));
  }
  EXPECT_EQ(SendSpans({Spans("a", spans)}).kind, SendResult::Kind::kDelivered);
  const std::vector<Record> records = cluster_.ReadAll("otlp_spans", 1, 2);
  ASSERT_EQ(records.size(), 2U);
  std::uint64_t items = 0;
  for (const Record& record : records) {
    EXPECT_LE(record.value.size(), 1'000'000U);
    const wire::ScanResult scan = wire::Scan(Signal::kTraces, record.value, wire::ScanDepth::kFull);
    EXPECT_TRUE(scan.ok());
    items += scan.items;
  }
  EXPECT_EQ(items, 3000U);
}

TEST_F(KafkaExporterTest, TracesAreKeyedByTheirIdInHex) {
  cluster_.CreateTopic("otlp_spans", 1);
  Make("partition_traces_by_id: true");
  const std::string request =
      Spans("a", {Span(kTraceA, "1"), Span(kTraceB, "2"), Span(kTraceA, "3")});
  EXPECT_EQ(SendSpans({request, Spans("b", {Span(kTraceB, "4")})}).kind,
            SendResult::Kind::kDelivered);
  std::map<std::string, std::uint64_t> items;
  for (const Record& record : cluster_.ReadAll("otlp_spans", 1, 2)) {
    items[record.key] += wire::Scan(Signal::kTraces, record.value, wire::ScanDepth::kFull).items;
  }
  EXPECT_EQ(items, (std::map<std::string, std::uint64_t>{{kTraceA, 2}, {kTraceB, 2}}));
}

TEST_F(KafkaExporterTest, JsonIsOneRequestAMessage) {
  cluster_.CreateTopic("json", 1);
  Make("traces: {topic: json, encoding: otlp_json}");
  EXPECT_EQ(SendSpans({Spans("a", {Span(kTraceA, "1")}), Spans("b", {Span(kTraceB, "2")})}).kind,
            SendResult::Kind::kDelivered);
  const std::vector<Record> records = cluster_.ReadAll("json", 1, 1);
  ASSERT_EQ(records.size(), 1U);
  const wire::JsonToProtoResult back = wire::JsonToProto(Signal::kTraces, records[0].value);
  ASSERT_TRUE(back.ok()) << back.message;
  EXPECT_EQ(wire::Scan(Signal::kTraces, back.bytes.view(), wire::ScanDepth::kFull).items, 2U);
}

TEST_F(KafkaExporterTest, MetadataBecomesHeadersAndNamesTheTopic) {
  cluster_.CreateTopic("tenant-topic", 1);
  Make(
      "include_metadata_keys: [X-Tenant], record_headers: {static: yes-it-is}, "
      "traces: {topic_from_metadata_key: X-Topic, message_key_from_metadata_key: x-key}");
  Batch batch = testkit::MakeBatch(Signal::kTraces, Spans("a", {Span(kTraceA, "1")}), 1);
  auto context = std::make_shared<RequestContext>();
  context->metadata = {{"x-tenant", "acme"}, {"x-topic", "tenant-topic"}, {"x-key", "k1"}};
  batch.set_context(context);
  EXPECT_EQ(Send(std::move(batch)).kind, SendResult::Kind::kDelivered);
  const std::vector<Record> records = cluster_.ReadAll("tenant-topic", 1, 1);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].key, "k1");
  EXPECT_EQ(records[0].headers,
            (std::map<std::string, std::string>{{"X-Tenant", "acme"}, {"static", "yes-it-is"}}));
}

TEST_F(KafkaExporterTest, AResourceNamesItsTopic) {
  cluster_.CreateTopic("left", 1);
  cluster_.CreateTopic("right", 1);
  Make("topic_from_attribute: topic");
  EXPECT_EQ(
      SendSpans({Spans("left", {Span(kTraceA, "1")}), Spans("right", {Span(kTraceB, "2")})}).kind,
      SendResult::Kind::kDelivered);
  EXPECT_EQ(cluster_.ReadAll("left", 1, 1).size(), 1U);
  EXPECT_EQ(cluster_.ReadAll("right", 1, 1).size(), 1U);
}

// Scenario: the broker finds a message too large although the configuration did not.
TEST_F(KafkaExporterTest, TooLargeForTheBrokerIsSaid) {
  cluster_.CreateTopic("otlp_spans", 1);
  Make("");
  rd_kafka_mock_push_request_errors(cluster_.get(), kProduceApi, 1,
                                    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  EXPECT_EQ(SendSpans({Spans("a", {Span(kTraceA, "1")})}).kind, SendResult::Kind::kTooLarge);
  EXPECT_EQ(SendSpans({Spans("a", {Span(kTraceA, "1")})}).kind, SendResult::Kind::kDelivered);
}

TEST_F(KafkaExporterTest, PassingErrorsOfTheBrokerAreRetriedByTheClient) {
  cluster_.CreateTopic("otlp_spans", 1);
  Make("timeout: 10s");
  rd_kafka_mock_push_request_errors(cluster_.get(), kProduceApi, 2,
                                    RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
  EXPECT_EQ(SendSpans({Spans("a", {Span(kTraceA, "1")})}).kind, SendResult::Kind::kDelivered);
  EXPECT_EQ(cluster_.ReadAll("otlp_spans", 1, 1).size(), 1U);
}

TEST_F(KafkaExporterTest, AForbiddenTopicIsRefusedAndAnEmptyRequestIsNothing) {
  cluster_.CreateTopic("otlp_spans", 1);
  Make("");
  rd_kafka_mock_push_request_errors(cluster_.get(), kProduceApi, 1,
                                    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const SendResult refused = SendSpans({Spans("a", {Span(kTraceA, "1")})});
  EXPECT_EQ(refused.kind, SendResult::Kind::kRefused);
  EXPECT_NE(refused.message, "");
  EXPECT_EQ(Send(Batch()).kind, SendResult::Kind::kDelivered);
}

TEST_F(KafkaExporterTest, WithoutABrokerTheAnswerIsRetry) {
  Make("timeout: 300ms", "127.0.0.1:1");
  EXPECT_EQ(SendSpans({Spans("a", {Span(kTraceA, "1")})}).kind, SendResult::Kind::kRetry);
  EXPECT_EQ(Send(testkit::MakeBatch(Signal::kTraces, Spans("a", {Span(kTraceA, "1")}), 1),
                 TimePoint::min())
                .kind,
            SendResult::Kind::kRetry);
}

// Scenario: shut down while messages are on their way to a broker that does not answer.
// Guarantees: each is answered before Shutdown returns.
TEST_F(KafkaExporterTest, ShutdownAnswersWhatIsUnderWay) {
  Make("timeout: 0s", "127.0.0.1:1");
  Batch batch = testkit::MakeBatch(Signal::kTraces, Spans("a", {Span(kTraceA, "1")}), 1);
  std::atomic<int> answers{0};
  harness_.loop_thread().RunAndWait([&] {
    exporter_->Send(batch, TimePoint::max(), [&answers](const SendResult& result) {
      EXPECT_EQ(result.kind, SendResult::Kind::kRetry);
      ++answers;
    });
  });
  EXPECT_EQ(answers, 0);
  EXPECT_TRUE(exporter_->Shutdown(std::chrono::steady_clock::now()).ok());
  EXPECT_EQ(answers, 1);
  EXPECT_TRUE(exporter_->Shutdown(std::chrono::steady_clock::now()).ok());
  batch.Settle(Outcome::kAbandoned);
}

// Scenario: many batches at once to a broker that takes 300 ms to answer; then the exporter stops
// in the middle of as many. Guarantees: each batch is answered once. The producer is given what it
// can have under way and no more: with more, its thread polls without pause for as long as the
// broker takes.
TEST_F(KafkaExporterTest, WhatTheProducerCantSendYetWaitsWithoutSpinning) {
  cluster_.CreateTopic("otlp_spans", 1);
  Make("timeout: 10s");
  ASSERT_EQ(SendSpans({Spans("a", {Span(kTraceA, "0")})}).kind, SendResult::Kind::kDelivered);
  rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, 300);
  constexpr int kBatches = 20;
  std::vector<Batch> batches;
  std::atomic<int> delivered{0};
  std::atomic<int> answered{0};
  // No two share a request.
  const std::string request = Spans("a", {Span(kTraceA, std::string(600'000, 'x'))});
  const auto send_all = [&] {
    for (int i = 0; i < kBatches; ++i) {
      batches.push_back(testkit::MakeBatch(Signal::kTraces, request, 1));
    }
    for (std::size_t i = batches.size() - kBatches; i < batches.size(); ++i) {
      exporter_->Send(batches[i], TimePoint::max(), [&](const SendResult& result) {
        delivered += result.kind == SendResult::Kind::kDelivered ? 1 : 0;
        ++answered;
        answered.notify_all();
      });
    }
  };
  batches.reserve(2 * kBatches);
  const std::clock_t cpu = std::clock();
  harness_.loop_thread().RunAndWait(send_all);
  for (int seen = answered; seen < kBatches; seen = answered) {
    answered.wait(seen);
  }
  const double spent = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  EXPECT_EQ(delivered, kBatches);
  EXPECT_LT(spent, 0.5);  // A spinning thread spends the 1.2 s that four round trips take.
  harness_.loop_thread().RunAndWait(send_all);
  EXPECT_TRUE(exporter_->Shutdown(std::chrono::steady_clock::now()).ok());
  EXPECT_EQ(answered, 2 * kBatches);
  for (Batch& batch : batches) {
    batch.Settle(Outcome::kDelivered);
  }
}

TEST(KafkaErrors, AreToldApart) {
  EXPECT_EQ(ResultKindOf(RD_KAFKA_RESP_ERR__QUEUE_FULL), SendResult::Kind::kRetry);
  EXPECT_EQ(ResultKindOf(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT), SendResult::Kind::kRetry);
  EXPECT_EQ(ResultKindOf(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART), SendResult::Kind::kRetry);
  EXPECT_EQ(ResultKindOf(RD_KAFKA_RESP_ERR_INVALID_RECORD), SendResult::Kind::kMalformed);
  EXPECT_EQ(ResultKindOf(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED),
            SendResult::Kind::kRefused);
}

TEST(KafkaExporterConfig, WrongOnesAreErrors) {
  testkit::Harness harness;
  for (const char* options :
       {"{brokers: []}", "{encoding: jaeger_proto}", "{protocol_version: x}",
        "{partition_logs_by_trace_id: true, partition_logs_by_resource_attributes: true}",
        "{producer: {required_acks: 1, idempotent: true}}", "{producer: {required_acks: 2}}",
        "{producer: {compression: brotli}}", "{producer: {linger: 10s}}",
        "{record_partitioner: {extension: mine}}",
        "{record_partitioner: {sticky_key: {}, round_robin: {}}}",
        "{auth: {sasl: {mechanism: OAUTHBEARER}}}", "{auth: {sasl: {username: a}}}",
        "{auth: {plain_text: {username: a, password: b}, sasl: {username: a, password: b}}}",
        "{unknown: 1}"}) {
    EXPECT_FALSE(
        Factory()
            .create(harness.Yaml(options), "exporters::kafka", harness.ForExporter("kafka"))
            .ok())
        << options;
  }
}

TEST(KafkaExporterConfig, EveryKindOfClientCanBeMade) {
  testkit::Harness harness;
  for (const char* options :
       {"{}", "{producer: {required_acks: -1}}", "{producer: {required_acks: 0}}",
        "{producer: {required_acks: all, compression: zstd, compression_params: {level: 3}}}",
        "{record_partitioner: {round_robin: {}}}",
        "{record_partitioner: {sticky_key: {hasher: murmur2}}}", "{timeout: 0s}",
        "{auth: {plain_text: {username: a, password: b}}}",
        "{auth: {sasl: {username: a, password: b, mechanism: SCRAM-SHA-512}}, tls: {}}",
        "{tls: {insecure_skip_verify: true}, client_id: me, rack_id: r1}"}) {
    auto exporter =
        Factory().create(harness.Yaml(options), "exporters::kafka", harness.ForExporter("kafka"));
    ASSERT_TRUE(exporter.ok()) << options << exporter.status();
    EXPECT_TRUE((*exporter)->Start().ok()) << options;
    EXPECT_TRUE((*exporter)->Shutdown(std::chrono::steady_clock::now()).ok());
  }
}

}  // namespace
}  // namespace weir::exporters::kafka

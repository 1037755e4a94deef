#include "receivers/kafka/receiver.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "receivers/kafka/factory.h"
#include "receivers/kafka/topics.h"
#include "tests/kafka/mock_cluster.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"
#include "weir/wire/json.h"

namespace weir::receivers::kafka {
namespace {

using weir::kafka::testing::MockCluster;

constexpr char kTopic[] = "spans";

std::string SpanJson(std::string_view name) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":")" + std::string(name) +
         R"("}]}]}]})";
}
std::string Span(std::string_view name) {
  const wire::JsonToProtoResult result = wire::JsonToProto(Signal::kTraces, SpanJson(name));
  EXPECT_TRUE(result.ok()) << result.message;
  return std::string(result.bytes.view());
}

// Answers each offer as a function of the batch says. Thread-safe as far as one consumer goes.
class ScriptedSink final : public BatchSink {
 public:
  using Script = std::function<Admission(Batch& batch, std::uint64_t affinity)>;
  explicit ScriptedSink(Script script) : script_(std::move(script)) {}
  Admission Offer(Batch& batch, std::uint64_t affinity) override {
    return script_(batch, affinity);
  }

 private:
  const Script script_;
};

class KafkaReceiverTest : public testing::Test {
 protected:
  void TearDown() override {
    for (auto& receiver : receivers_) {
      static_cast<void>(receiver->Shutdown(std::chrono::steady_clock::now()));
    }
    receivers_.clear();
    cluster_.CloseReaders();
  }

  Receiver& Make(const std::string& options = "", BatchSink* sink = nullptr) {
    harness_.SetSink(Signal::kTraces, sink == nullptr ? &sink_ : sink);
    std::string yaml = "{brokers: ['" + cluster_.brokers() +
                       "'], group_id: g, initial_offset: earliest, max_fetch_wait: 10ms, "
                       "error_backoff: {initial_interval: 20ms}";
    if (options.find("traces:") == std::string::npos) {
      yaml += ", traces: {topics: [spans]}";
    }
    if (options.find("autocommit:") == std::string::npos) {
      yaml += ", autocommit: {interval: 50ms}";
    }
    auto created =
        Factory().create(harness_.Yaml(yaml + (options.empty() ? "" : ", " + options) + "}"),
                         "receivers::kafka", harness_.ForReceiver("kafka"));
    EXPECT_TRUE(created.ok()) << created.status();
    receivers_.push_back(*std::move(created));
    EXPECT_TRUE(receivers_.back()->Start().ok());
    return *receivers_.back();
  }
  NodeBooks Books() const {
    for (const NodeBooks& books : harness_.ledger().Snapshot()) {
      if (books.key.kind == NodeKind::kReceiver) {
        return books;
      }
    }
    return {};
  }
  static TimePoint In(std::chrono::milliseconds wait) {
    return std::chrono::steady_clock::now() + wait;
  }

  mutable testkit::Harness harness_;
  MockCluster cluster_;
  testkit::RecordingSink sink_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
};

// Scenario: of three messages the second and third are delivered before the first.
// Guarantees: nothing is committed before the first is; then all are.
TEST_F(KafkaReceiverTest, CommitsTheContiguousPartOfWhatIsDelivered) {
  cluster_.CreateTopic(kTopic, 1);
  std::vector<Part> parts;
  std::mutex mutex;
  ScriptedSink sink([&](Batch& batch, std::uint64_t) {
    Batch taken = std::move(batch);
    std::lock_guard lock(mutex);
    for (Part& part : taken.TakeParts()) {
      parts.push_back(std::move(part));
    }
    return Admission::kAccepted;
  });
  for (const char* name : {"one", "two", "three"}) {
    cluster_.Produce(kTopic, 0, Span(name));
  }
  Receiver& receiver = Make("autocommit: {enable: false}", &sink);
  while (true) {
    std::lock_guard lock(mutex);
    if (parts.size() == 3) {
      break;
    }
  }
  EXPECT_EQ(parts[0].payload.view(), Span("one"));
  parts[1].token.Settle(Outcome::kDelivered);
  parts[2].token.Settle(Outcome::kDropped);
  EXPECT_EQ(cluster_.Committed("g", kTopic, 0), -1);
  parts[0].token.Settle(Outcome::kDelivered);
  EXPECT_TRUE(cluster_.WaitForCommitted("g", kTopic, 0, 3));
  EXPECT_TRUE(receiver.Shutdown(In(std::chrono::seconds(5))).ok());
  EXPECT_EQ(Books().in, 3U);
  EXPECT_TRUE(Books().closes());
}

TEST_F(KafkaReceiverTest, ShutdownWaitsForWhatIsUnderWayAndCommitsIt) {
  cluster_.CreateTopic(kTopic, 1);
  cluster_.Produce(kTopic, 0, Span("one"), "acme");
  Receiver& receiver = Make("autocommit: {interval: 1h}");
  ASSERT_TRUE(sink_.WaitForItems(1));
  std::vector<Batch> batches = sink_.TakeBatches();
  ASSERT_EQ(batches.size(), 1U);
  ASSERT_NE(batches[0].context(), nullptr);
  EXPECT_EQ(batches[0].context()->metadata,
            (std::vector<std::pair<std::string, std::string>>{{"tenant", "acme"}}));
  std::thread later([&] { batches[0].Settle(Outcome::kDelivered); });
  EXPECT_TRUE(receiver.Shutdown(In(std::chrono::seconds(10))).ok());
  later.join();
  EXPECT_EQ(cluster_.Committed("g", kTopic, 0), 1);
  batches.clear();
  EXPECT_EQ(harness_.budget().used(), 0U);
}

// Scenario: shut down with a message that nobody settles. Guarantees: it says so, and commits
// nothing; the message may settle after the receiver is gone.
TEST_F(KafkaReceiverTest, WhatIsAbandonedIsNotCommitted) {
  cluster_.CreateTopic(kTopic, 1);
  cluster_.Produce(kTopic, 0, Span("one"));
  Receiver& receiver = Make();
  ASSERT_TRUE(sink_.WaitForItems(1));
  EXPECT_EQ(receiver.Shutdown(std::chrono::steady_clock::now()).code(),
            absl::StatusCode::kDeadlineExceeded);
  receivers_.clear();
  sink_.TakeBatches()[0].Settle(Outcome::kDelivered);
  EXPECT_EQ(cluster_.Committed("g", kTopic, 0), -1);
}

// Scenario: a message that is no OTLP between two good ones, and one that a pipeline refuses.
// Guarantees: both are kept in the dead letter file, the offset moves past them, the books close.
TEST_F(KafkaReceiverTest, PoisonIsPutAsideAndTheOffsetMoves) {
  const std::string path =
      (std::filesystem::path(testing::TempDir()) / "kafka-dead-letters").string();
  std::filesystem::remove(path);
  cluster_.CreateTopic(kTopic, 1);
  ScriptedSink sink([&](Batch& batch, std::uint64_t) {
    Batch taken = std::move(batch);
    for (Part& part : taken.TakeParts()) {
      part.token.Settle(part.payload.view() == Span("refused") ? Outcome::kRefused
                                                               : Outcome::kDelivered);
    }
    return Admission::kAccepted;
  });
  const std::string poison = "\x0a\xff\xff";
  for (const std::string& value : {Span("one"), poison, Span("refused"), Span("four")}) {
    cluster_.Produce(kTopic, 0, value);
  }
  Receiver& receiver = Make("dead_letter: {path: '" + path + "'}", &sink);
  EXPECT_TRUE(cluster_.WaitForCommitted("g", kTopic, 0, 4));
  EXPECT_TRUE(receiver.Shutdown(In(std::chrono::seconds(5))).ok());
  std::stringstream file;
  file << std::ifstream(path).rdbuf();
  const auto prefixed = [](const std::string& text) {
    return std::string(3, '\0') + static_cast<char>(text.size()) + text;
  };
  EXPECT_EQ(file.str(), prefixed(poison) + prefixed(Span("refused")));
  const NodeBooks books = Books();
  EXPECT_EQ(books.in, 4U);
  EXPECT_EQ(books.dropped_by_reason[static_cast<std::size_t>(DropReason::kDecodeError)], 1U);
  EXPECT_TRUE(books.closes());
  std::filesystem::remove(path);
}

// Scenario: the door is busy for the messages of partition 0 and open for those of partition 1.
// Guarantees: partition 1 flows on; partition 0 comes when the door opens, each message once.
TEST_F(KafkaReceiverTest, ABusyPartitionDoesNotStopAnother) {
  cluster_.CreateTopic(kTopic, 2);
  std::mutex mutex;
  std::atomic<bool> open{false};
  std::atomic<int> refusals{0};
  std::multiset<std::string> taken;
  ScriptedSink sink([&](Batch& batch, std::uint64_t) {
    if (!open && batch.parts()[0].payload.view().find("zero") != std::string_view::npos) {
      ++refusals;
      refusals.notify_all();
      return Admission::kBusy;
    }
    std::lock_guard lock(mutex);
    for (const Part& part : batch.parts()) {
      taken.emplace(part.payload.view());
    }
    Batch mine = std::move(batch);
    mine.Settle(Outcome::kDelivered);
    return Admission::kAccepted;
  });
  std::multiset<std::string> sent;
  for (int i = 0; i < 20; ++i) {
    sent.insert(Span("zero-" + std::to_string(i)));
    cluster_.Produce(kTopic, 0, Span("zero-" + std::to_string(i)));
  }
  Receiver& receiver = Make("", &sink);
  for (int seen = refusals; seen < 3; seen = refusals) {
    refusals.wait(seen);
  }
  for (int i = 0; i < 20; ++i) {
    sent.insert(Span("one-" + std::to_string(i)));
    cluster_.Produce(kTopic, 1, Span("one-" + std::to_string(i)));
  }
  EXPECT_TRUE(cluster_.WaitForCommitted("g", kTopic, 1, 20));
  EXPECT_EQ(cluster_.Committed("g", kTopic, 0), -1);
  open = true;
  EXPECT_TRUE(cluster_.WaitForCommitted("g", kTopic, 0, 20));
  EXPECT_TRUE(receiver.Shutdown(In(std::chrono::seconds(5))).ok());
  EXPECT_EQ(taken, sent);
  EXPECT_TRUE(Books().closes());
}

// Scenario: the third of ten messages can't be delivered for now, twice.
// Guarantees: it alone is handed on again; nothing past it is committed meanwhile.
TEST_F(KafkaReceiverTest, WhatFailsForNowIsReadAgainAlone) {
  cluster_.CreateTopic(kTopic, 1);
  std::mutex mutex;
  std::map<std::string, int> taken;
  ScriptedSink sink([&](Batch& batch, std::uint64_t) {
    Batch mine = std::move(batch);
    std::lock_guard lock(mutex);
    for (Part& part : mine.TakeParts()) {
      const int times = ++taken[std::string(part.payload.view())];
      const bool fails = part.payload.view() == Span("2") && times < 3;
      part.token.Settle(fails ? Outcome::kRetry : Outcome::kDelivered);
    }
    return Admission::kAccepted;
  });
  for (int i = 0; i < 10; ++i) {
    cluster_.Produce(kTopic, 0, Span(std::to_string(i)));
  }
  Receiver& receiver = Make("", &sink);
  EXPECT_TRUE(cluster_.WaitForCommitted("g", kTopic, 0, 10));
  EXPECT_TRUE(receiver.Shutdown(In(std::chrono::seconds(5))).ok());
  ASSERT_EQ(taken.size(), 10U);
  for (const auto& [payload, times] : taken) {
    EXPECT_EQ(times, payload == Span("2") ? 3 : 1);
  }
}

// Scenario: a partition may have two messages under way.
// Guarantees: no more are handed on before some settle; all arrive, each once.
TEST_F(KafkaReceiverTest, APartitionWaitsForRoom) {
  cluster_.CreateTopic(kTopic, 1);
  for (int i = 0; i < 12; ++i) {
    cluster_.Produce(kTopic, 0, Span(std::to_string(i)));
  }
  Receiver& receiver = Make("partition_messages_max: 2");
  std::uint64_t settled = 0;
  std::string all;
  while (settled < 12) {
    ASSERT_TRUE(sink_.WaitForItems(settled + 1));
    EXPECT_LE(sink_.items() - settled, 3U);
    for (Batch& batch : sink_.TakeBatches()) {
      settled += batch.items();
      batch.Settle(Outcome::kDelivered);
    }
  }
  EXPECT_TRUE(receiver.Shutdown(In(std::chrono::seconds(5))).ok());
  EXPECT_EQ(sink_.items(), 12U);
  EXPECT_EQ(cluster_.Committed("g", kTopic, 0), 12);
}

// Scenario: memory is full when a message comes. Guarantees: it is read again when there is room.
TEST_F(KafkaReceiverTest, WithoutMemoryAPartitionWaits) {
  cluster_.CreateTopic(kTopic, 1);
  harness_.budget().set_limit(1);
  cluster_.Produce(kTopic, 0, Span("one"));
  Receiver& receiver = Make();
  const std::uint64_t before = harness_.budget().refusals();
  while (harness_.budget().refusals() < before + 2) {
  }
  EXPECT_EQ(sink_.items(), 0U);
  harness_.budget().set_limit(MemoryBudget::kUnlimited);
  ASSERT_TRUE(sink_.WaitForItems(1));
  sink_.TakeBatches()[0].Settle(Outcome::kDelivered);
  EXPECT_TRUE(receiver.Shutdown(In(std::chrono::seconds(5))).ok());
}

// Scenario: a second member joins while messages are under way, and takes a partition over; then
// those messages are delivered.
// Guarantees: the old assignment commits nothing for the partition it lost; the new owner reads its
// messages again.
TEST_F(KafkaReceiverTest, ATokenOfARevokedAssignmentCommitsNothing) {
  cluster_.CreateTopic(kTopic, 2);
  cluster_.Produce(kTopic, 0, Span("zero"));
  cluster_.Produce(kTopic, 1, Span("one"));
  testkit::RecordingSink first_sink;
  testkit::RecordingSink second_sink;
  Make("session_timeout: 6s, heartbeat_interval: 100ms", &first_sink);
  ASSERT_TRUE(first_sink.WaitForItems(2));
  Make("session_timeout: 6s, heartbeat_interval: 100ms", &second_sink);
  ASSERT_TRUE(second_sink.WaitForItems(1, std::chrono::seconds(30)));
  const std::int32_t moved = second_sink.payload() == Span("zero") ? 0 : 1;
  for (Batch& batch : first_sink.TakeBatches()) {
    batch.Settle(Outcome::kDelivered);
  }
  EXPECT_TRUE(cluster_.WaitForCommitted("g", kTopic, 1 - moved, 1));
  EXPECT_EQ(cluster_.Committed("g", kTopic, moved), -1);
  for (Batch& batch : second_sink.TakeBatches()) {
    batch.Settle(Outcome::kDelivered);
  }
  EXPECT_TRUE(cluster_.WaitForCommitted("g", kTopic, moved, 1));
}

TEST_F(KafkaReceiverTest, JsonAndHeadersAsResourceAttributes) {
  cluster_.CreateTopic("json", 1);
  cluster_.Produce("json", 0, SpanJson("one"), "acme");
  Make(
      "traces: {topics: [json], encoding: otlp_json}, "
      "header_extraction: {extract_headers: true, headers: [Tenant]}");
  ASSERT_TRUE(sink_.WaitForItems(1));
  EXPECT_NE(sink_.payload().find("kafka.header.Tenant"), std::string::npos);
  EXPECT_NE(sink_.payload().find("acme"), std::string::npos);
  sink_.TakeBatches()[0].Settle(Outcome::kDelivered);
}

TEST(KafkaTopics, SayTheSignal) {
  Topics topics;
  ASSERT_TRUE(topics.Add(Signal::kTraces, {"spans", "^team-.*-spans$"}, {"^team-x-"}).ok());
  ASSERT_TRUE(topics.Add(Signal::kLogs, {"^team-.*"}, {}).ok());
  EXPECT_EQ(topics.SignalOf("spans"), Signal::kTraces);
  EXPECT_EQ(topics.SignalOf("team-a-spans"), Signal::kTraces);
  EXPECT_EQ(topics.SignalOf("team-x-spans"), Signal::kLogs);
  EXPECT_EQ(topics.SignalOf("other"), std::nullopt);
  EXPECT_FALSE(topics.Add(Signal::kMetrics, {"spans"}, {}).ok());
  EXPECT_FALSE(topics.Add(Signal::kMetrics, {"^("}, {}).ok());
}

TEST(KafkaReceiverConfig, WrongOnesAreErrors) {
  testkit::Harness harness;
  testkit::RecordingSink sink;
  harness.SetSink(Signal::kTraces, &sink);
  harness.SetSink(Signal::kLogs, &sink);
  for (const char* options :
       {"{brokers: []}", "{group_id: ''}", "{encoding: zipkin_json}", "{topic: same}",
        "{initial_offset: middle}", "{traces: {topic: a, topics: [b]}}",
        "{traces: {topics: [a], exclude_topics: [b]}}", "{heartbeat_interval: 20s}",
        "{group_rebalance_strategies: [cooperative-sticky, range]}",
        "{group_rebalance_strategy: sticky}", "{dead_letter: {path: ''}}",
        "{min_fetch_size: 10, max_fetch_size: 5}", "{validation: none}", "{unknown: 1}"}) {
    EXPECT_FALSE(
        Factory()
            .create(harness.Yaml(options), "receivers::kafka", harness.ForReceiver("kafka"))
            .ok())
        << options;
  }
}

}  // namespace
}  // namespace weir::receivers::kafka

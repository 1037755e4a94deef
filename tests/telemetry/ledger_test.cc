#include "weir/telemetry/ledger.h"

#include <set>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "telemetry/prometheus_text.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const NodeKey kReceiverKey{"otlp", NodeKind::kReceiver, Signal::kTraces, ""};

TEST(LedgerTest, EveryTermOfTheIdentityCounts) {
  MetricRegistry registry;
  Ledger ledger(registry);
  const NodeHandle node = ledger.Open(kReceiverKey);
  node->In(100);
  node->Created(10);
  node->Recovered(5);
  EXPECT_EQ(node->Books().missing(), 115);
  node->Out(60);
  node->Consumed(20);
  node->Hold(30);
  node->Drop(DropReason::kQueueFull, 3);
  node->Drop(DropReason::kSampled, 2);
  EXPECT_EQ(node->Books().missing(), 0);
  EXPECT_EQ(node->Books().dropped(), 5u);
  node->Refused(7);  // Never was in.
  EXPECT_THAT(ledger.Check(), IsEmpty());
  node->Hold(-30);
  ASSERT_THAT(ledger.Check(), SizeIs(1));
  EXPECT_EQ(ledger.Check()[0].missing(), 30);
}

TEST(LedgerTest, ANodeThatGaveMoreThanItHadDoesNotClose) {
  MetricRegistry registry;
  Ledger ledger(registry);
  const NodeHandle node = ledger.Open(kReceiverKey);
  node->Out(1);
  EXPECT_EQ(node->Books().missing(), -1);
  node->Hold(-1);
  EXPECT_EQ(node->Books().missing(), 0);  // The sum fits, yet nothing can hold less than nothing.
  EXPECT_THAT(ledger.Check(), SizeIs(1));
}

TEST(LedgerTest, HandlesOfOneKeyShareTheBooks) {
  MetricRegistry registry;
  Ledger ledger(registry);
  NodeHandle old_graph = ledger.Open(kReceiverKey);
  old_graph->In(1);
  const NodeHandle new_graph = ledger.Open(kReceiverKey);
  EXPECT_EQ(old_graph.get(), new_graph.get());
  old_graph.reset();
  new_graph->In(1);
  EXPECT_EQ(ledger.Snapshot()[0].in, 2u);
}

TEST(LedgerTest, ANodeLeavesOnlyWithClosedBooks) {
  MetricRegistry registry;
  Ledger ledger(registry);
  NodeHandle closed = ledger.Open(kReceiverKey);
  closed->In(3);
  closed->Out(3);
  closed.reset();
  EXPECT_THAT(ledger.Snapshot(), IsEmpty());

  NodeHandle open = ledger.Open({"batch", NodeKind::kProcessor, Signal::kLogs, "logs"});
  open->In(3);
  open.reset();
  ASSERT_THAT(ledger.Check(), SizeIs(1));
  EXPECT_EQ(ledger.Check()[0].key.pipeline, "logs");
}

TEST(LedgerTest, CountsFromManyThreadsAddUp) {
  MetricRegistry registry;
  Ledger ledger(registry);
  const NodeHandle node = ledger.Open(kReceiverKey);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        node->In(3);
        node->Hold(3);
        node->Hold(-3);
        node->Out(2);
        node->Drop(DropReason::kMalformed, 1);
      }
    });
  }
  threads.clear();
  EXPECT_THAT(ledger.Check(), IsEmpty());
  EXPECT_EQ(node->Books().in, 48000u);
}

TEST(LedgerTest, JsonListsNodesAndOnlyReasonsThatHappened) {
  MetricRegistry registry;
  Ledger ledger(registry);
  EXPECT_EQ(ledger.ToJson(), R"({"nodes":[]})");
  const NodeHandle node = ledger.Open({"otlp/\"x\"", NodeKind::kExporter, Signal::kMetrics, ""});
  node->In(4);
  node->Out(1);
  node->Drop(DropReason::kQueueFull, 2);
  node->Drop(DropReason::kShutdown, 1);
  EXPECT_EQ(ledger.ToJson(),
            R"({"nodes":[{"node":"otlp/\"x\"","kind":"exporter","signal":"metrics","pipeline":"",)"
            R"("in":4,"created":0,"recovered":0,"out":1,"consumed":0,"held":0,"refused":0,)"
            R"("dropped":{"queue_full":2,"shutdown":1},"missing":0}]})");
}

TEST(LedgerTest, ShowsItselfAsMetrics) {
  MetricRegistry registry;
  {
    Ledger ledger(registry);
    const NodeHandle node = ledger.Open(kReceiverKey);
    node->In(4);
    node->Hold(3);
    node->Drop(DropReason::kDecodeError, 1);
    const std::string page = RenderPrometheusText(registry);
    EXPECT_THAT(page, HasSubstr("weir_ledger_items_total{node=\"otlp\",kind=\"receiver\","
                                "signal=\"traces\",pipeline=\"\",flow=\"in\"} 4\n"));
    EXPECT_THAT(page, HasSubstr("flow=\"dropped\"} 1\n"));
    EXPECT_THAT(page, HasSubstr("weir_ledger_held_items{node=\"otlp\",kind=\"receiver\","
                                "signal=\"traces\",pipeline=\"\"} 3\n"));
    EXPECT_THAT(page, HasSubstr("reason=\"decode_error\"} 1\n"));
    EXPECT_THAT(page, Not(HasSubstr("queue_full")));
    node->Hold(-3);
    node->Out(3);
  }
  EXPECT_THAT(RenderPrometheusText(registry), IsEmpty());
}

TEST(DropReasonTest, NamesAreDistinctWords) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    const std::string_view name = DropReasonName(static_cast<DropReason>(i));
    EXPECT_THAT(std::string(name), ::testing::MatchesRegex("[a-z_]+"));
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(DropReasonName(DropReason::kRefusedPermanent), "refused_permanent");
  EXPECT_EQ(DropReasonName(DropReason::kUnsettled), "unsettled");
  EXPECT_EQ(DropReasonName(DropReason::kInternal), "internal");
  EXPECT_TRUE(IsDropByIntent(DropReason::kSampled));
  EXPECT_FALSE(IsDropByIntent(DropReason::kShutdown));
}

}  // namespace
}  // namespace weir

// What holds for every exporter behind the pipeline's queue: each item is delivered or counted, and
// a destination that is not there is a reason to try again, within the deadline.

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "fmt/format.h"
#include "pipeline/export_queue.h"
#include "tests/contract/subject.h"
#include "weir/component/delivery.h"
#include "weir/testkit/recording.h"

namespace weir::contract {
namespace {

using testkit::Harness;
using testkit::RecordingTracker;

constexpr int kItems = 10;

class ExporterTest : public ::testing::TestWithParam<const FactoryInfo*> {
 protected:
  ExporterTest() {
    ConfigErrors errors;
    examples_ = Examples(info_, errors);
    EXPECT_TRUE(errors.ok()) << errors.Render();
    for (Example& example : examples_) {
      example.options = Relocate(info_, example.options, nobody_.address());
    }
  }

  // Whether it sends over a network: then its examples lead to a port where nobody answers.
  bool IsNetworked() const {
    return info_.config->HasField("endpoint") || info_.config->HasField("brokers");
  }

  std::vector<Signal> SignalsCarried() const {
    std::vector<Signal> carried;
    std::ranges::copy_if(kSignals, std::back_inserter(carried),
                         [this](Signal signal) { return info_.signals.Has(signal); });
    return carried;
  }

  std::unique_ptr<Exporter> MakeStarted(const Example& example, Harness& harness) {
    auto created =
        Builtin()
            .FindExporter(info_.type)
            ->create(example.options, ConfigPath(info_), harness.ForExporter(example.id));
    EXPECT_TRUE(created.ok()) << created.status();
    if (!created.ok() || (NamesAbsolutePath(example.options) && !(*created)->Start().ok())) {
      return nullptr;
    }
    if (!NamesAbsolutePath(example.options)) {
      EXPECT_TRUE((*created)->Start().ok());
    }
    return *std::move(created);
  }

  const FactoryInfo& info_ = *GetParam();
  WorkingFolder folder_;
  UnreachablePort nobody_;
  std::vector<Example> examples_;
};

TEST_P(ExporterTest, SettingsOfTheStackAreRead) {
  for (const Example& example : examples_) {
    EXPECT_TRUE(
        Builtin().FindExporter(info_.type)->settings(example.options, ConfigPath(info_)).ok());
  }
}

// Scenario: a batch of each signal through the exporter's queue, which is then drained; a networked
// exporter finds nobody at the other end.
TEST_P(ExporterTest, EveryItemIsDeliveredOrCounted) {
  const std::uint64_t unsettled = UnsettledTokens();
  for (const Example& example : examples_) {
    for (const Signal signal : SignalsCarried()) {
      SCOPED_TRACE(fmt::format("{} of {}", example.id, SignalName(signal)));
      Harness harness;
      const std::unique_ptr<Exporter> exporter = MakeStarted(example, harness);
      if (exporter == nullptr) {
        continue;
      }
      const auto settings =
          *Builtin().FindExporter(info_.type)->settings(example.options, ConfigPath(info_));
      const NodeHandle books = harness.ledger().Open(
          {.node = example.id, .kind = NodeKind::kExporter, .signal = signal, .pipeline = ""});
      const ExporterContext context = harness.ForExporter(example.id);
      RecordingTracker tracker;
      auto queue = std::make_unique<pipeline::ExportQueue>(
          pipeline::ExportQueue::Parts{.exporter_id = example.id,
                                       .signal = signal,
                                       .settings = settings,
                                       .exporter = *exporter,
                                       .loop = harness.loop(),
                                       .books = *books,
                                       .metrics = context.metrics,
                                       .logger = context.logger,
                                       .budget = harness.budget()});
      queue->Enqueue(testkit::MakeBatch(signal, MakeRequest(signal, kItems), kItems, &tracker),
                     queue->AddBatcher(std::nullopt));
      std::promise<std::uint64_t> drained;
      const TimePoint deadline =
          std::chrono::steady_clock::now() + std::chrono::seconds(IsNetworked() ? 1 : 10);
      harness.loop().Post([&] {
        queue->Drain(deadline, [&drained](std::uint64_t items) { drained.set_value(items); });
      });
      const std::uint64_t abandoned = drained.get_future().get();
      ASSERT_TRUE(
          exporter->Shutdown(std::chrono::steady_clock::now() + std::chrono::seconds(10)).ok());
      harness.loop_thread().RunAndWait([] {});
      const NodeBooks totals = books->Books();
      EXPECT_TRUE(totals.closes()) << "missing " << totals.missing() << ", held " << totals.held;
      EXPECT_EQ(0, totals.held);
      EXPECT_EQ(kItems, totals.in);
      EXPECT_EQ(kItems, totals.out + totals.dropped());
      EXPECT_TRUE(tracker.secured().has_value());
      EXPECT_TRUE(tracker.delivered().has_value());
      if (IsNetworked()) {
        EXPECT_EQ(kItems, abandoned);
      } else {
        EXPECT_EQ(kItems, totals.out);
      }
      harness.loop_thread().StopAndJoin();
    }
  }
  EXPECT_EQ(unsettled, UnsettledTokens());
}

// Scenario: the destination's port is closed.
// Guarantees: Send answers kRetry, once, and not much later than the deadline.
TEST_P(ExporterTest, ADestinationThatIsNotThereIsTriedAgain) {
  if (!IsNetworked()) {
    GTEST_SKIP() << "not a networked exporter";
  }
  for (const Example& example : examples_) {
    if (NamesAbsolutePath(example.options)) {
      continue;  // Certificates that are not there are an error of another kind.
    }
    Harness harness;
    const std::unique_ptr<Exporter> exporter = MakeStarted(example, harness);
    ASSERT_NE(nullptr, exporter);
    const Signal signal = SignalsCarried().front();
    Batch batch = testkit::MakeBatch(signal, MakeRequest(signal, kItems), kItems);
    std::promise<SendResult> answer;
    const TimePoint start = std::chrono::steady_clock::now();
    harness.loop().Post([&] {
      exporter->Send(batch, start + std::chrono::seconds(2),
                     [&answer](SendResult result) { answer.set_value(std::move(result)); });
    });
    std::future<SendResult> future = answer.get_future();
    ASSERT_EQ(std::future_status::ready, future.wait_for(std::chrono::seconds(30)));
    const SendResult result = future.get();
    EXPECT_EQ(SendResult::Kind::kRetry, result.kind) << result.message;
    EXPECT_FALSE(result.message.empty());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    batch.Settle(Outcome::kDropped);
    EXPECT_TRUE(
        exporter->Shutdown(std::chrono::steady_clock::now() + std::chrono::seconds(10)).ok());
    harness.loop_thread().StopAndJoin();
  }
}

INSTANTIATE_TEST_SUITE_P(Every, ExporterTest,
                         ::testing::ValuesIn(ComponentsOf(ComponentKind::kExporter)), TestName);

}  // namespace
}  // namespace weir::contract

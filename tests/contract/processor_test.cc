// What holds for every processor, whatever it does: no item vanishes, and what becomes of an item
// downstream reaches the source it came from.

#include <gtest/gtest.h>

#include "fmt/format.h"
#include "tests/contract/subject.h"
#include "weir/component/delivery.h"
#include "weir/testkit/recording.h"
#include "weir/wire/scanner.h"

namespace weir::contract {
namespace {

using testkit::Harness;
using testkit::RecordingTracker;

constexpr int kItems = 10;

// Counts what comes out, as the lane does, and gives it the end the test asks for.
class CountingOutput final : public BatchOutput {
 public:
  CountingOutput(NodeLedger& books, Outcome outcome) : books_(books), outcome_(outcome) {}
  void Emit(Batch batch) override {
    if (batch.empty()) {
      return;
    }
    std::string request;
    for (const Part& part : batch.parts()) {
      request += part.payload.view();
    }
    const wire::ScanResult scan = wire::Scan(batch.signal(), request, wire::ScanDepth::kStructure);
    EXPECT_TRUE(scan.ok()) << wire::ScanErrorName(scan.error);
    EXPECT_EQ(batch.items(), scan.items);
    items_ += batch.items();
    books_.Out(batch.items());
    batch.Settle(outcome_);
  }
  std::uint64_t items() const { return items_; }

 private:
  NodeLedger& books_;
  const Outcome outcome_;
  std::uint64_t items_ = 0;
};

class ProcessorTest : public ::testing::TestWithParam<const FactoryInfo*> {
 protected:
  ProcessorTest() {
    ConfigErrors errors;
    examples_ = Examples(info_, errors);
    EXPECT_TRUE(errors.ok()) << errors.Render();
    for (Example& example : examples_) {
      example.options = Relocate(info_, example.options, nobody_.address());
    }
  }

  // Runs `request` through one instance for each example and signal and checks the books. `check`
  // sees what came out and what the source was told.
  template <typename Check>
  void ForEach(int malformed, Outcome outcome, const Check& check) {
    const std::uint64_t unsettled = UnsettledTokens();
    for (const Example& example : examples_) {
      bool made = false;
      for (const Signal signal : kSignals) {
        if (info_.signals.Has(signal)) {
          SCOPED_TRACE(fmt::format("{} of {}", example.id, SignalName(signal)));
          made = RunOne(example, signal, malformed, outcome, check) || made;
        }
      }
      EXPECT_TRUE(made) << example.id << " can be made for no signal";
    }
    EXPECT_EQ(unsettled, UnsettledTokens());
  }

 private:
  // False when the example is not meant for this signal.
  template <typename Check>
  bool RunOne(const Example& example, Signal signal, int malformed, Outcome outcome,
              const Check& check) {
    Harness harness;
    const auto created =
        Builtin()
            .FindProcessor(info_.type)
            ->create(example.options, ConfigPath(info_), harness.ForProcessor(example.id, signal));
    if (!created.ok()) {
      return false;  // An example may be for one signal only, and says so.
    }
    Processor& processor = **created;
    EXPECT_TRUE(processor.Start().ok());
    CountingOutput output(harness.books(), outcome);
    RecordingTracker tracker;
    harness.books().In(kItems);
    processor.Process(
        testkit::MakeBatch(signal, MakeRequest(signal, kItems, malformed), kItems, &tracker),
        output);
    processor.Flush(output);
    EXPECT_TRUE(processor.Shutdown(harness.lane().Now()).ok());

    const NodeBooks books = harness.books().Books();
    EXPECT_TRUE(books.closes()) << "missing " << books.missing() << ", held " << books.held;
    EXPECT_EQ(0, books.held) << "a flush leaves nothing behind";
    if (books.created == 0 && books.consumed == 0) {
      EXPECT_EQ(kItems, output.items() + books.dropped());
    }
    EXPECT_TRUE(tracker.secured().has_value());
    EXPECT_TRUE(tracker.delivered().has_value());
    if (tracker.delivered().has_value()) {
      check(books, output, tracker);
    }
    return true;
  }

 protected:
  const FactoryInfo& info_ = *GetParam();
  UnreachablePort nobody_;
  std::vector<Example> examples_;
};

TEST_P(ProcessorTest, EveryItemIsPassedOnOrCounted) {
  ForEach(
      -1, Outcome::kDelivered,
      [](const NodeBooks& books, const CountingOutput&, const RecordingTracker& tracker) {
        EXPECT_TRUE(tracker.delivered()->ok());
        EXPECT_EQ(0U, books.dropped_by_reason[static_cast<std::size_t>(DropReason::kMalformed)]);
        EXPECT_EQ(0U, books.dropped_by_reason[static_cast<std::size_t>(DropReason::kUnsettled)]);
      });
}

// Scenario: the guard at the door looks at structure only, so bytes inside an item may be anything.
// Guarantees: at most that item is lost, with a reason; its neighbours pass or are dropped by
// intent.
TEST_P(ProcessorTest, AMalformedItemCostsNoOther) {
  ForEach(3, Outcome::kDelivered,
          [](const NodeBooks& books, const CountingOutput&, const RecordingTracker&) {
            std::uint64_t lost = 0;
            for (std::size_t reason = 0; reason < kDropReasonCount; ++reason) {
              lost += IsDropByIntent(static_cast<DropReason>(reason))
                          ? 0
                          : books.dropped_by_reason[reason];
            }
            EXPECT_LE(lost, 1U);
          });
}

// Scenario: what stands behind the processor has no room, or refuses for good.
// Guarantees: the source is told, unless the processor let everything go before.
TEST_P(ProcessorTest, RefusalsTravelBackToTheSource) {
  for (const Outcome outcome : {Outcome::kRetry, Outcome::kRefused, Outcome::kAbandoned}) {
    ForEach(-1, outcome,
            [outcome](const NodeBooks& books, const CountingOutput& output,
                      const RecordingTracker& tracker) {
              if (output.items() > 0 && books.consumed == 0) {
                EXPECT_EQ(outcome, tracker.delivered()->outcome);
              }
            });
  }
}

TEST_P(ProcessorTest, FlushOfNothingEmitsNothing) {
  for (const Example& example : examples_) {
    Harness harness;
    auto created = Create(info_, example, harness);
    ASSERT_TRUE(created.ok()) << created.status();
    auto& processor = dynamic_cast<Processor&>(**created);
    CountingOutput output(harness.books(), Outcome::kDelivered);
    processor.Flush(output);
    EXPECT_EQ(0U, output.items());
  }
}

INSTANTIATE_TEST_SUITE_P(Every, ProcessorTest,
                         ::testing::ValuesIn(ComponentsOf(ComponentKind::kProcessor)), TestName);

}  // namespace
}  // namespace weir::contract

#include "pipeline/lane.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "weir/testkit/recording.h"

namespace weir::pipeline {
namespace {

using testkit::MakeBatch;

// Counts what it is given and fails when two threads are inside at once.
class Exclusive final : public BatchOutput {
 public:
  void Emit(Batch batch) override {
    EXPECT_FALSE(inside_.exchange(true, std::memory_order_acquire));
    items += batch.items();  // Plain on purpose: the baton has to order it.
    batch.Settle(Outcome::kDelivered);
    inside_.store(false, std::memory_order_release);
  }
  std::uint64_t items = 0;

 private:
  std::atomic<bool> inside_{false};
};

TEST(LaneTest, RunsOnTheCallersThreadWhenIdle) {
  LoopThread thread("lanes");
  struct Recorder final : BatchOutput {
    void Emit(Batch batch) override {
      where = std::this_thread::get_id();
      batch.Settle(Outcome::kDelivered);
    }
    std::thread::id where;
  } recorder;
  Lane lane(16, thread.loop(), Lane::Mode::kInline, recorder);
  Batch batch = MakeBatch(Signal::kTraces, "a", 1);
  EXPECT_EQ(lane.Offer(batch, 0), Admission::kAccepted);
  EXPECT_EQ(recorder.where, std::this_thread::get_id());
  thread.StopAndJoin();
}

// Scenario: an output that blocks while others offer (a full ring).
// Guarantees: Offer says kBusy, leaves the batch untouched, and never runs the lane twice.
TEST(LaneTest, AFullRingIsBusy) {
  LoopThread thread("lanes");
  // The first batch waits inside until the test opens the gate.
  struct Gate final : BatchOutput {
    void Emit(Batch batch) override {
      if (std::exchange(first, false)) {
        entered.set_value();
        opened.get_future().wait();
      }
      batch.Settle(Outcome::kDelivered);
    }
    bool first = true;
    std::promise<void> entered;
    std::promise<void> opened;
  } gate;
  Lane lane(2, thread.loop(), Lane::Mode::kInline, gate);
  std::thread holder([&] {
    Batch batch = MakeBatch(Signal::kTraces, "a", 1);
    EXPECT_EQ(lane.Offer(batch, 0), Admission::kAccepted);
  });
  gate.entered.get_future().wait();
  for (int i = 0; i < 2; ++i) {
    Batch batch = MakeBatch(Signal::kTraces, "a", 1);
    EXPECT_EQ(lane.Offer(batch, 0), Admission::kAccepted);
  }
  Batch refused = MakeBatch(Signal::kTraces, "a", 7);
  EXPECT_EQ(lane.Offer(refused, 0), Admission::kBusy);
  EXPECT_EQ(refused.items(), 7U);
  refused.Settle(Outcome::kRetry);
  gate.opened.set_value();
  holder.join();
  thread.StopAndJoin();
}

class LaneModeTest : public ::testing::TestWithParam<Lane::Mode> {};

// Scenario: four producers and timers share one lane (run under ThreadSanitizer).
// Guarantees: the stages run one at a time, see all that was accepted, and nothing waits for a
// wake-up that never comes.
TEST_P(LaneModeTest, OneAtATimeAndNothingLost) {
  constexpr int kProducers = 4;
  constexpr int kBatches = 5000;
  LoopThread thread("lanes");
  Exclusive output;
  std::atomic<std::uint64_t> accepted{0};
  {
    Lane lane(64, thread.loop(), GetParam(), output);
    std::vector<std::thread> producers;
    for (int p = 0; p < kProducers; ++p) {
      producers.emplace_back([&] {
        for (int i = 0; i < kBatches; ++i) {
          Batch batch = MakeBatch(Signal::kTraces, "a", 1);
          while (lane.Offer(batch, 0) == Admission::kBusy) {
            std::this_thread::yield();
          }
          accepted.fetch_add(1, std::memory_order_relaxed);
        }
      });
    }
    for (std::thread& producer : producers) {
      producer.join();
    }
    std::promise<std::uint64_t> seen;
    lane.Post([&] { lane.Post([&] { seen.set_value(output.items); }); });
    // A task is run ahead of the ring, so it is asked again until the ring is empty as well.
    std::uint64_t items = seen.get_future().get();
    while (items < accepted.load(std::memory_order_relaxed)) {
      std::promise<std::uint64_t> again;
      lane.Post([&] { again.set_value(output.items); });
      items = again.get_future().get();
    }
    EXPECT_EQ(items, static_cast<std::uint64_t>(kProducers * kBatches));
    thread.RunAndWait([] {});
    thread.StopAndJoin();
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, LaneModeTest,
                         ::testing::Values(Lane::Mode::kInline, Lane::Mode::kThread));

TEST(LaneTest, TimersRunUnderTheBaton) {
  LoopThread thread("lanes");
  Exclusive output;
  Lane lane(16, thread.loop(), Lane::Mode::kInline, output);
  std::promise<void> fired;
  lane.PostAfter(std::chrono::milliseconds(1), [&] { fired.set_value(); });
  fired.get_future().wait();
  thread.StopAndJoin();
}

// Scenario: a lane is destroyed with batches that nobody ran.
// Guarantees: they are settled as abandoned, so their source delivers again.
TEST(LaneTest, DestroyingAbandonsWhatIsLeft) {
  testkit::RecordingTracker tracker;
  Exclusive output;
  auto thread = std::make_unique<LoopThread>("lanes");
  thread->StopAndJoin();  // Nothing runs a kThread lane any more.
  auto lane = std::make_unique<Lane>(16, thread->loop(), Lane::Mode::kThread, output);
  Batch batch = MakeBatch(Signal::kTraces, "a", 1, &tracker);
  EXPECT_EQ(lane->Offer(batch, 0), Admission::kAccepted);
  thread.reset();  // A loop goes before the lane whose task it may still hold.
  lane.reset();
  ASSERT_TRUE(tracker.delivered().has_value());
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kAbandoned);
}

}  // namespace
}  // namespace weir::pipeline

#include "pipeline/switch_door.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

#include "weir/testkit/recording.h"

namespace weir::pipeline {
namespace {

using testkit::MakeBatch;

// Says when somebody is in it after it was closed.
class Target final : public BatchSink {
 public:
  Admission Offer(Batch& batch, std::uint64_t) override {
    EXPECT_TRUE(open);  // Plain on purpose: the switch has to order it.
    count.fetch_add(1, std::memory_order_relaxed);
    Batch taken = std::move(batch);
    taken.Settle(Outcome::kDelivered);
    return Admission::kAccepted;
  }
  bool open = true;
  std::atomic<std::uint64_t> count{0};
};

// Scenario: four threads offer without pause while the target is replaced again and again (run
// under ThreadSanitizer).
// Guarantees: nobody is in a target after Switch has returned, and no offer is lost or refused.
TEST(SwitchDoorTest, NobodyIsLeftBehind) {
  std::vector<std::unique_ptr<Target>> targets;
  targets.push_back(std::make_unique<Target>());
  SwitchDoor door(targets.back().get());
  std::atomic<std::uint64_t> offered{0};
  {
    std::vector<std::jthread> producers;
    for (int i = 0; i < 4; ++i) {
      producers.emplace_back([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          Batch batch = MakeBatch(Signal::kTraces, "a", 1);
          EXPECT_EQ(door.Offer(batch, 0), Admission::kAccepted);
          offered.fetch_add(1, std::memory_order_relaxed);
        }
      });
    }
    for (int i = 0; i < 200; ++i) {
      targets.push_back(std::make_unique<Target>());
      door.Switch(targets.back().get());
      targets[targets.size() - 2]->open = false;
    }
  }
  std::uint64_t taken = 0;
  for (const auto& target : targets) {
    taken += target->count.load(std::memory_order_relaxed);
  }
  EXPECT_EQ(taken, offered.load(std::memory_order_relaxed));
}

// Guarantees: Switch waits for an offer that is inside, while new ones go to the new target.
TEST(SwitchDoorTest, WaitsForWhoIsInside) {
  struct Slow final : BatchSink {
    Admission Offer(Batch&, std::uint64_t) override {
      entered.set_value();
      leave.get_future().wait();
      return Admission::kBusy;
    }
    std::promise<void> entered;
    std::promise<void> leave;
  } slow;
  Target next;
  SwitchDoor door(&slow);
  std::thread inside([&] {
    Batch batch = MakeBatch(Signal::kTraces, "a", 1);
    EXPECT_EQ(door.Offer(batch, 0), Admission::kBusy);
    batch.Settle(Outcome::kRetry);
  });
  slow.entered.get_future().wait();
  auto switched = std::async(std::launch::async, [&] { door.Switch(&next); });
  while (door.target() != &next) {
    std::this_thread::yield();
  }
  Batch batch = MakeBatch(Signal::kTraces, "b", 1);
  EXPECT_EQ(door.Offer(batch, 0), Admission::kAccepted);
  EXPECT_EQ(switched.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  slow.leave.set_value();
  switched.get();
  inside.join();
}

}  // namespace
}  // namespace weir::pipeline

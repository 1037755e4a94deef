#include "weir/base/event_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace weir {
namespace {

TEST(EventLoopTest, RunsPostedWorkInOrder) {
  LoopThread thread("test");
  std::vector<int> seen;
  for (int i = 0; i < 3; ++i) {
    thread.loop().Post([&seen, i] { seen.push_back(i); });
  }
  thread.RunAndWait([] {});
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2}));
}

TEST(EventLoopTest, RunsTimersByTimeAndSkipsCancelledOnes) {
  LoopThread thread("test");
  std::vector<int> seen;
  std::atomic<bool> done{false};
  thread.RunAndWait([&] {
    EventLoop& loop = thread.loop();
    const TimePoint now = loop.Now();
    loop.ScheduleAt(now + std::chrono::milliseconds(4), [&] {
      seen.push_back(2);
      done.store(true, std::memory_order_release);
      done.notify_one();
    });
    loop.ScheduleAt(now + std::chrono::milliseconds(1), [&] { seen.push_back(1); });
    loop.Cancel(loop.ScheduleAt(now + std::chrono::milliseconds(2), [&] { seen.push_back(9); }));
  });
  done.wait(false);
  EXPECT_EQ(seen, (std::vector<int>{1, 2}));
}

// Scenario: a task is asked for from another thread, many times, while the loop runs it.
// Guarantees: the last asking is followed by a run, so nothing waits for a wake-up that never
// comes.
TEST(EventLoopTest, AnAskingIsNeverLost) {
  struct Counter final : LoopTask {
    void Run() override {
      seen.store(asked.load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    std::atomic<int> asked{0};
    std::atomic<int> seen{0};
  };
  Counter counter;
  LoopThread thread("test");
  for (int i = 1; i <= 20000; ++i) {
    counter.asked.store(i, std::memory_order_relaxed);
    thread.loop().Notify(counter);
  }
  thread.RunAndWait([] {});
  EXPECT_EQ(counter.seen.load(std::memory_order_relaxed), 20000);
}

}  // namespace
}  // namespace weir

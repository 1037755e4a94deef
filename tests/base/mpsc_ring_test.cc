#include "weir/base/mpsc_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "tests/base/interleaving.h"

namespace weir {
namespace {

TEST(MpscRingTest, IsFullAtItsCapacityAndKeepsOrder) {
  MpscRing<int> ring(4);
  for (int i = 0; i < 4; ++i) {
    int item = i;
    EXPECT_TRUE(ring.TryPush(item));
  }
  int refused = 9;
  EXPECT_FALSE(ring.TryPush(refused));
  EXPECT_EQ(refused, 9);
  for (int i = 0; i < 4; ++i) {
    int item = -1;
    ASSERT_TRUE(ring.TryPop(item));
    EXPECT_EQ(item, i);
  }
  int none = -1;
  EXPECT_FALSE(ring.TryPop(none));
}

TEST(MpscRingTest, LeavesARefusedItemAlone) {
  MpscRing<std::unique_ptr<int>> ring(2);
  for (int i = 0; i < 2; ++i) {
    auto item = std::make_unique<int>(i);
    EXPECT_TRUE(ring.TryPush(item));
    EXPECT_EQ(item, nullptr);
  }
  auto refused = std::make_unique<int>(7);
  EXPECT_FALSE(ring.TryPush(refused));
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(*refused, 7);
}

TEST(MpscRingTest, PublishedTellsWhetherAPositionWaits) {
  MpscRing<int> ring(2);
  const std::uint64_t position = ring.NextPosition();
  EXPECT_FALSE(ring.Published(position));
  int item = 1;
  ASSERT_TRUE(ring.TryPush(item));
  EXPECT_TRUE(ring.Published(position));
  ASSERT_TRUE(ring.TryPop(item));
  EXPECT_FALSE(ring.Published(position));
}

// Fibers switch stacks behind ThreadSanitizer's back.
#if !defined(__SANITIZE_THREAD__)

using SteppedRing = MpscRing<int, testing::SteppedAtomic>;

struct Scenario {
  std::unique_ptr<SteppedRing> ring;
  std::vector<int> pushed;
  std::vector<int> popped;

  std::function<void()> Producer(int first, int count) {
    return [this, first, count] {
      for (int i = first; i < first + count; ++i) {
        int item = i;
        if (ring->TryPush(item)) {
          pushed.push_back(i);
        }
      }
    };
  }
  std::function<void()> Consumer(int tries) {
    return [this, tries] {
      for (int i = 0; i < tries; ++i) {
        int item = -1;
        if (ring->TryPop(item)) {
          popped.push_back(item);
        }
      }
    };
  }
  // What was pushed comes out once, each producer's items (same hundreds) in order.
  void Check() {
    int item = -1;
    while (ring->TryPop(item)) {
      popped.push_back(item);
    }
    std::vector<int> in = pushed;
    std::vector<int> out = popped;
    std::sort(in.begin(), in.end());
    std::sort(out.begin(), out.end());
    ASSERT_EQ(in, out);
    for (std::size_t i = 0; i < popped.size(); ++i) {
      for (std::size_t j = i + 1; j < popped.size(); ++j) {
        ASSERT_TRUE(popped[i] / 100 != popped[j] / 100 || popped[i] < popped[j]);
      }
    }
    ASSERT_LE(pushed.size(), popped.size());
  }
};

std::size_t RunAll(std::size_t capacity,
                   const std::function<std::vector<std::function<void()>>(Scenario&)>& bodies) {
  Scenario scenario;
  return testing::Interleaver().RunAll(
      [&] {
        scenario = Scenario();
        scenario.ring = std::make_unique<SteppedRing>(capacity);
        return bodies(scenario);
      },
      [&] { scenario.Check(); });
}

// Scenario: two producers claim the same position, a consumer looks at any moment in between.
// Guarantees: in every interleaving nothing is lost, doubled or reordered.
TEST(MpscRingInterleavingTest, TwoProducersAndAConsumer) {
  const std::size_t schedules = RunAll(2, [](Scenario& s) -> std::vector<std::function<void()>> {
    return {s.Producer(100, 1), s.Producer(200, 1), s.Consumer(2)};
  });
  EXPECT_GT(schedules, 1000U);
}

// Scenario: a producer laps a ring of two while the consumer empties it.
// Guarantees: a slot is not reused before its item was taken, and full is told apart from empty.
TEST(MpscRingInterleavingTest, AProducerThatLaps) {
  const std::size_t schedules = RunAll(2, [](Scenario& s) -> std::vector<std::function<void()>> {
    return {s.Producer(100, 3), s.Consumer(3)};
  });
  EXPECT_GT(schedules, 1000U);
}

// Scenario: two producers bring three items to a ring with two slots; nobody consumes meanwhile.
// Guarantees: exactly two of them get in.
TEST(MpscRingInterleavingTest, MoreItemsThanSlots) {
  Scenario scenario;
  testing::Interleaver().RunAll(
      [&]() -> std::vector<std::function<void()>> {
        scenario = Scenario();
        scenario.ring = std::make_unique<SteppedRing>(2);
        return {scenario.Producer(100, 2), scenario.Producer(200, 1)};
      },
      [&] {
        ASSERT_EQ(scenario.pushed.size(), 2U);
        scenario.Check();
      });
}

#endif

// Scenario: four producers and a consumer that gives way now and then (run under ThreadSanitizer).
// Guarantees: contents are visible to the consumer, none is lost, each producer's order holds.
TEST(MpscRingStressTest, ManyProducers) {
  constexpr int kProducers = 4;
  constexpr int kItems = 20000;
  MpscRing<std::unique_ptr<int>> ring(64);
  std::vector<std::thread> producers;
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&ring, p] {
      for (int i = 0; i < kItems; ++i) {
        auto item = std::make_unique<int>(p * kItems + i);
        while (!ring.TryPush(item)) {
          std::this_thread::yield();
        }
      }
    });
  }
  std::vector<int> last(kProducers, -1);
  for (int taken = 0; taken < kProducers * kItems;) {
    std::unique_ptr<int> item;
    if (!ring.TryPop(item)) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_NE(item, nullptr);
    const int producer = *item / kItems;
    ASSERT_GT(*item % kItems, last[producer]);
    last[producer] = *item % kItems;
    ++taken;
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  std::unique_ptr<int> none;
  EXPECT_FALSE(ring.TryPop(none));
}

}  // namespace
}  // namespace weir

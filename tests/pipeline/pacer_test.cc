#include "pipeline/pacer.h"

#include <gtest/gtest.h>

namespace weir::pipeline {
namespace {

constexpr std::size_t kBacklog = 2 * Pacer::kBacklogBytes;

// So many ticks in which the destination takes `bytes_per_second`.
void Feed(Pacer& pacer, int ticks, double bytes_per_second) {
  for (int i = 0; i < ticks; ++i) {
    pacer.Delivered(static_cast<std::size_t>(bytes_per_second * 0.02));
    pacer.Tick();
  }
}

TEST(Pacer, HoldsBackWhereTheBacklogIsGoneWithinASecond) {
  Pacer pacer;
  EXPECT_FALSE(pacer.Update(kBacklog));  // Nothing is known of the destination yet.
  EXPECT_FALSE(pacer.paced());
  Feed(pacer, 50, 1.5 * kBacklog);
  EXPECT_FALSE(pacer.Update(kBacklog));
  EXPECT_TRUE(pacer.paced());
  EXPECT_TRUE(pacer.Update(Pacer::kBacklogBytes));  // Ends: the backlog is small again.
  EXPECT_FALSE(pacer.paced());
}

TEST(Pacer, ASlowDestinationIsNotWaitedFor) {
  Pacer pacer;
  Feed(pacer, 50, 0.5 * kBacklog);
  pacer.Update(kBacklog);
  EXPECT_FALSE(pacer.paced());
}

TEST(Pacer, ADestinationThatStopsEndsItSoon) {
  Pacer pacer;
  Feed(pacer, 50, 4.0 * kBacklog);
  pacer.Update(kBacklog);
  ASSERT_TRUE(pacer.paced());
  Feed(pacer, 3, 0);
  EXPECT_FALSE(pacer.Update(kBacklog));
  Feed(pacer, 5, 0);
  EXPECT_TRUE(pacer.Update(kBacklog));
  EXPECT_TRUE(pacer.moving());
  Feed(pacer, 200, 0);
  EXPECT_FALSE(pacer.moving());
}

}  // namespace
}  // namespace weir::pipeline

#include "receivers/kafka/offset_tracker.h"

#include "gtest/gtest.h"

namespace weir::receivers::kafka {
namespace {

using Verdict = OffsetTracker::Verdict;

TEST(OffsetTracker, CommitsUpToTheFirstOpenOne) {
  OffsetTracker offsets;
  for (const std::int64_t offset : {10, 11, 15, 16}) {
    EXPECT_EQ(offsets.Begin(offset), Verdict::kTake);
  }
  EXPECT_EQ(offsets.committable(), std::nullopt);
  offsets.Settle(11);
  EXPECT_EQ(offsets.committable(), std::nullopt);
  offsets.Settle(10);
  EXPECT_EQ(offsets.committable(), 12);  // 12 to 14 do not exist: 12 reads on at 15.
  offsets.Settle(16);
  EXPECT_EQ(offsets.committable(), 12);
  offsets.Settle(15);
  EXPECT_EQ(offsets.committable(), 17);
  EXPECT_EQ(offsets.window(), 0U);
  EXPECT_EQ(offsets.next(), 17);
}

TEST(OffsetTracker, AFailedOneIsTakenAgainAndThoseBehindItAreNot) {
  OffsetTracker offsets;
  for (std::int64_t offset = 0; offset < 4; ++offset) {
    EXPECT_EQ(offsets.Begin(offset), Verdict::kTake);
  }
  offsets.Settle(0);
  offsets.Fail(1);
  offsets.Settle(2);
  EXPECT_EQ(offsets.first_failed(), 1);
  EXPECT_EQ(offsets.committable(), 1);
  EXPECT_EQ(offsets.Begin(1), Verdict::kTake);
  EXPECT_EQ(offsets.first_failed(), std::nullopt);
  EXPECT_EQ(offsets.Begin(1), Verdict::kSkip);  // Under way.
  EXPECT_EQ(offsets.Begin(2), Verdict::kSkip);  // Done.
  EXPECT_EQ(offsets.Begin(3), Verdict::kSkip);
  EXPECT_EQ(offsets.Begin(4), Verdict::kTake);
  offsets.Settle(1);
  EXPECT_EQ(offsets.committable(), 3);
}

// The failed one settles before those behind it come by once more: they are done, not new.
TEST(OffsetTracker, WhatIsReadAgainAsAskedIsNoRewind) {
  OffsetTracker offsets;
  for (std::int64_t offset = 0; offset < 3; ++offset) {
    EXPECT_EQ(offsets.Begin(offset), Verdict::kTake);
  }
  offsets.Fail(0);
  offsets.Settle(1);
  offsets.Settle(2);
  offsets.ReadAgainFrom(0);
  EXPECT_EQ(offsets.Begin(0), Verdict::kTake);
  offsets.Settle(0);
  EXPECT_EQ(offsets.committable(), 3);
  EXPECT_EQ(offsets.Begin(1), Verdict::kSkip);
  EXPECT_EQ(offsets.Begin(2), Verdict::kSkip);
  EXPECT_EQ(offsets.Begin(3), Verdict::kTake);
  offsets.Settle(3);
  EXPECT_EQ(offsets.Begin(1), Verdict::kRewound);  // Nobody asked for this.
}

TEST(OffsetTracker, ALogMadeAnewIsNoticed) {
  OffsetTracker offsets;
  EXPECT_EQ(offsets.Begin(100), Verdict::kTake);
  EXPECT_EQ(offsets.Begin(5), Verdict::kRewound);
  offsets.Settle(100);
  EXPECT_EQ(offsets.Begin(100), Verdict::kRewound);
}

TEST(OffsetTracker, UnknownOffsetsAreNothing) {
  OffsetTracker offsets;
  offsets.Settle(1);
  offsets.Fail(1);
  EXPECT_EQ(offsets.committable(), std::nullopt);
  EXPECT_EQ(offsets.first_failed(), std::nullopt);
}

}  // namespace
}  // namespace weir::receivers::kafka

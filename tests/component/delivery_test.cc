#include "weir/component/delivery.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

#include "weir/testkit/recording.h"

namespace weir {
namespace {

using testkit::RecordingTracker;
using Interest = DeliveryTracker::Interest;

TEST(DeliveryTest, SecuresThenDelivers) {
  RecordingTracker tracker;
  DeliveryToken token = tracker.Begin();
  token.Secure();
  ASSERT_TRUE(tracker.secured().has_value());
  EXPECT_EQ(tracker.secured()->outcome, Outcome::kDelivered);
  EXPECT_FALSE(tracker.delivered().has_value());
  token.Settle(Outcome::kRefused);
  EXPECT_EQ(tracker.secured()->outcome, Outcome::kDelivered);
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kRefused);
}

TEST(DeliveryTest, SettlingSecuresWithTheSameOutcome) {
  RecordingTracker tracker;
  tracker.Begin().Settle({.outcome = Outcome::kRetry, .retry_after = std::chrono::seconds(3)});
  EXPECT_EQ(tracker.secured()->outcome, Outcome::kRetry);
  EXPECT_EQ(tracker.secured()->retry_after, std::chrono::seconds(3));
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kRetry);
}

TEST(DeliveryTest, ATrackerOfSecuredHearsOnlyThat) {
  RecordingTracker tracker(Interest::kSecured);
  DeliveryToken token = tracker.Begin();
  token.Secure();
  EXPECT_TRUE(tracker.secured().has_value());
  EXPECT_FALSE(token.settled());
  token.Settle(Outcome::kDelivered);
  EXPECT_FALSE(tracker.delivered().has_value());
}

// Scenario: a stage loses a token.
// Guarantees: the source hears of it and the process counts it.
TEST(DeliveryTest, AForgottenTokenSettlesItself) {
  const std::uint64_t before = UnsettledTokens();
  RecordingTracker tracker;
  { const DeliveryToken token = tracker.Begin(); }
  EXPECT_EQ(UnsettledTokens(), before + 1);
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kRefused);
  { const DeliveryToken untracked = DeliveryToken::Untracked(); }
  EXPECT_EQ(UnsettledTokens(), before + 2);
}

TEST(DeliveryTest, ASplitWaitsForAllSharesAndTellsTheWorst) {
  RecordingTracker tracker;
  DeliveryToken first = tracker.Begin();
  DeliveryToken second = first.Split();
  first.Settle(Outcome::kDelivered);
  EXPECT_FALSE(tracker.secured().has_value());
  second.Settle(Outcome::kRetry);
  EXPECT_EQ(tracker.secured()->outcome, Outcome::kRetry);
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kRetry);
}

TEST(DeliveryTest, ASplitAfterSecuringWaitsForDeliveryOnly) {
  RecordingTracker tracker;
  DeliveryToken first = tracker.Begin();
  first.Secure();
  DeliveryToken second = first.Split();
  first.Settle(Outcome::kDelivered);
  EXPECT_FALSE(tracker.delivered().has_value());
  second.Settle(Outcome::kDropped);
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kDropped);
}

struct ForkCase {
  Outcome left;
  Outcome right;
  Outcome secured;
  Outcome delivered;
};

class ForkTest : public ::testing::TestWithParam<ForkCase> {};

// Scenario: a fan-out whose branches end without being queued.
// Guarantees: one success is enough; a request is refused only when every branch refused it.
TEST_P(ForkTest, TellsTheBest) {
  RecordingTracker tracker;
  std::array<DeliveryToken, 2> branches;
  tracker.Begin().Fork(branches);
  branches[0].Settle(GetParam().left);
  EXPECT_FALSE(tracker.delivered().has_value());
  branches[1].Settle(GetParam().right);
  EXPECT_EQ(tracker.secured()->outcome, GetParam().secured);
  EXPECT_EQ(tracker.delivered()->outcome, GetParam().delivered);
}

INSTANTIATE_TEST_SUITE_P(
    Outcomes, ForkTest,
    ::testing::Values(
        ForkCase{Outcome::kDelivered, Outcome::kRetry, Outcome::kDelivered, Outcome::kDelivered},
        ForkCase{Outcome::kRetry, Outcome::kDelivered, Outcome::kDelivered, Outcome::kDelivered},
        ForkCase{Outcome::kRetry, Outcome::kRetry, Outcome::kRetry, Outcome::kRetry},
        ForkCase{Outcome::kRefused, Outcome::kDelivered, Outcome::kDelivered, Outcome::kDelivered},
        ForkCase{Outcome::kRefused, Outcome::kRefused, Outcome::kRefused, Outcome::kRefused},
        ForkCase{Outcome::kDropped, Outcome::kDropped, Outcome::kDropped, Outcome::kDropped},
        // What was abandoned has to come again, whatever the other branch did.
        ForkCase{Outcome::kDelivered, Outcome::kAbandoned, Outcome::kDelivered,
                 Outcome::kAbandoned}));

TEST(DeliveryTest, AForkIsSecuredWhenEveryBranchIs) {
  RecordingTracker tracker(Interest::kSecured);
  std::array<DeliveryToken, 2> branches;
  tracker.Begin().Fork(branches);
  branches[0].Secure();
  EXPECT_FALSE(tracker.secured().has_value());
  branches[1].Secure();
  EXPECT_EQ(tracker.secured()->outcome, Outcome::kDelivered);
  const std::uint64_t unsettled = UnsettledTokens();
  branches[0].Settle(Outcome::kDelivered);
  branches[1].Settle(Outcome::kDelivered);
  EXPECT_EQ(UnsettledTokens(), unsettled);
}

TEST(DeliveryTest, AForkOfASecuredTokenWaitsForDeliveryOnly) {
  RecordingTracker tracker;
  DeliveryToken token = tracker.Begin();
  token.Secure();
  std::array<DeliveryToken, 2> branches;
  token.Fork(branches);
  branches[0].Settle(Outcome::kDelivered);
  branches[1].Settle(Outcome::kRefused);
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kDelivered);
}

TEST(DeliveryTest, ForksAndSplitsNest) {
  RecordingTracker tracker;
  DeliveryToken first = tracker.Begin();
  DeliveryToken second = first.Split();
  std::array<DeliveryToken, 2> branches;
  first.Fork(branches);
  DeliveryToken half = branches[1].Split();
  branches[0].Settle(Outcome::kRetry);
  branches[1].Settle(Outcome::kDelivered);
  half.Settle(Outcome::kDelivered);
  EXPECT_FALSE(tracker.delivered().has_value());
  second.Settle(Outcome::kDelivered);
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kDelivered);
}

// Scenario: shares settle on many threads at once (run under ThreadSanitizer).
// Guarantees: each event fires once, after every share.
TEST(DeliveryTest, SharesSettleFromManyThreads) {
  for (int round = 0; round < 200; ++round) {
    RecordingTracker tracker;
    std::vector<DeliveryToken> tokens;
    tokens.push_back(tracker.Begin());
    for (int i = 1; i < 4; ++i) {
      tokens.push_back(tokens.front().Split());
    }
    std::vector<std::thread> threads;
    for (DeliveryToken& token : tokens) {
      threads.emplace_back([&token] {
        token.Secure();
        token.Settle(Outcome::kDelivered);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    ASSERT_EQ(tracker.delivered()->outcome, Outcome::kDelivered);
  }
}

}  // namespace
}  // namespace weir

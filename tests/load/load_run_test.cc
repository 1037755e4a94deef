#include "load/load_run.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/compression.h"
#include "tests/load/manual_loop.h"
#include "tests/load/otlp_items.h"

namespace weir::load {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using namespace std::chrono_literals;

struct Sent {
  Signal signal;
  std::string body;
  TimePoint at;
  AnswerDone done;
};

class ScriptedTransport final : public Transport {
 public:
  ScriptedTransport(EventLoop& loop, std::vector<Sent>& sent) : loop_(loop), sent_(sent) {}

  void Send(Signal signal, Slice body, TimePoint, AnswerDone done) override {
    sent_.push_back({signal, std::string(body.view()), loop_.Now(), std::move(done)});
  }

 private:
  EventLoop& loop_;
  std::vector<Sent>& sent_;
};

class LoadRunTest : public testing::Test {
 protected:
  LoadRunTest() {
    options_.items_per_request = 10;
    options_.concurrency = 4;
    options_.count = 100;
    options_.numbered = true;
  }

  void Start(std::size_t transports = 1) {
    ASSERT_TRUE(options_.Validate().ok()) << options_.Validate();
    std::vector<std::unique_ptr<Transport>> made;
    for (std::size_t i = 0; i < transports; ++i) {
      sent_by_.push_back(std::make_unique<std::vector<Sent>>());
      made.push_back(std::make_unique<ScriptedTransport>(loop_, *sent_by_.back()));
    }
    run_ = std::make_unique<LoadRun>(
        loop_, options_, std::move(made), statistics_, [this] { ++ended_; },
        [] { return std::uint64_t{1700000000000000000}; });
    run_->Start();
  }
  std::vector<Sent>& sent() { return *sent_by_.front(); }
  void Reply(std::size_t index, Answer answer = {}) {
    AnswerDone done = std::move(sent()[index].done);
    done(std::move(answer));
  }
  static Answer PushBack(std::optional<std::chrono::nanoseconds> delay = {}) {
    return {.outcome = Outcome::kTryAgain,
            .code = "UNAVAILABLE",
            .message = "busy",
            .retry_delay = delay};
  }
  static Answer Refusal() { return {.outcome = Outcome::kPermanent, .code = "INTERNAL"}; }
  void ExpectBooksAddUp() {
    EXPECT_EQ(statistics_.sent,
              statistics_.acknowledged + statistics_.rejected + statistics_.failed_items());
    std::uint64_t errors = 0;
    for (const auto& [code, count] : statistics_.errors) {
      errors += count;
    }
    EXPECT_LE(statistics_.answers_ok + errors, statistics_.tries);
  }

  LoadOptions options_;
  ManualLoop loop_;
  Statistics statistics_;
  int ended_ = 0;
  std::vector<std::unique_ptr<std::vector<Sent>>> sent_by_;
  std::unique_ptr<LoadRun> run_;
};

TEST_F(LoadRunTest, SendsExactlyTheCountWithEveryNumberOnce) {
  options_.count = 57;
  Start();
  EXPECT_EQ(sent().size(), 4u);  // The concurrency.
  for (std::size_t i = 0; i < sent().size(); ++i) {
    Reply(i);
  }
  EXPECT_EQ(sent().size(), 6u);
  std::set<std::uint64_t> numbers;
  for (const Sent& request : sent()) {
    for (const Item& item : ItemsOf(request.signal, request.body)) {
      EXPECT_TRUE(numbers.insert(item.sequence.value()).second);
    }
  }
  EXPECT_EQ(numbers.size(), 57u);
  EXPECT_EQ(*numbers.rbegin(), 56u);
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(statistics_.acknowledged, 57u);
  EXPECT_TRUE(statistics_.all_acknowledged());
  EXPECT_EQ(loop_.timers(), 0u);
  ExpectBooksAddUp();
}

TEST_F(LoadRunTest, ConnectionsTakeTurns) {
  Start(2);
  EXPECT_EQ(sent_by_[0]->size(), 2u);
  EXPECT_EQ(sent_by_[1]->size(), 2u);
}

TEST_F(LoadRunTest, WaitsAsLongAsTheServerAsks) {
  options_.count = 10;
  Start();
  Reply(0, PushBack(3s));
  EXPECT_EQ(run_->in_flight(), 1u);
  loop_.Advance(2999ms);
  EXPECT_EQ(sent().size(), 1u);
  loop_.Advance(1ms);
  ASSERT_EQ(sent().size(), 2u);
  EXPECT_EQ(sent()[1].body, sent()[0].body);  // The same numbers.
  Reply(1);
  EXPECT_EQ(ended_, 1);
  EXPECT_TRUE(statistics_.all_acknowledged());
  EXPECT_EQ(statistics_.retries, 1u);
  EXPECT_THAT(statistics_.errors, ElementsAre(Pair("UNAVAILABLE", 1)));
  EXPECT_THAT(statistics_.unacknowledged.List(), IsEmpty());
}

TEST_F(LoadRunTest, APushBackOfHoursIsARefusal) {
  options_.count = 10;
  Start();
  Reply(0, PushBack(1h));
  EXPECT_EQ(ended_, 1);
  EXPECT_THAT(statistics_.failed, ElementsAre(Pair("UNAVAILABLE", 10)));
}

// Guarantees: tries are bounded, and the waits between them grow.
TEST_F(LoadRunTest, GivesUpAfterItsRetries) {
  options_.count = 10;
  options_.retries_max = 3;
  Start();
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(sent().size(), i + 1);
    Reply(i, PushBack());
    loop_.Advance(5s);
  }
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(sent().size(), 4u);
  EXPECT_GE(sent()[1].at - sent()[0].at, 50ms);
  EXPECT_THAT(statistics_.failed, ElementsAre(Pair("UNAVAILABLE", 10)));
  EXPECT_THAT(statistics_.unacknowledged.List(), ElementsAre(Pair(0, 9)));
  EXPECT_EQ(statistics_.last_error, "busy");
  ExpectBooksAddUp();
}

TEST_F(LoadRunTest, PermanentErrorsAreNotTriedAgain) {
  Start();
  Reply(1, Refusal());
  EXPECT_EQ(sent().size(), 5u);  // Its place is taken by the next request.
  EXPECT_THAT(statistics_.failed, ElementsAre(Pair("INTERNAL", 10)));
  EXPECT_THAT(statistics_.unacknowledged.List(), ElementsAre(Pair(10, 19)));
}

TEST_F(LoadRunTest, PartialSuccessCountsWhatWasRejected) {
  options_.count = 20;
  Start();
  Reply(0, {.rejected = 3, .message = "too old"});
  Reply(1, {.rejected = 1000});  // More than there were.
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(statistics_.acknowledged, 7u);
  EXPECT_EQ(statistics_.rejected, 13u);
  EXPECT_FALSE(statistics_.all_acknowledged());
  EXPECT_THAT(statistics_.unacknowledged.List(), ElementsAre(Pair(0, 19)));
  ExpectBooksAddUp();
}

TEST_F(LoadRunTest, KeepsToItsRate) {
  options_.count = 0;
  options_.rate = 100;  // Ten requests a second.
  options_.duration = 2s;
  Start();
  for (std::size_t answered = 0; ended_ == 0;) {
    loop_.Advance(10ms);
    for (; answered < sent().size(); ++answered) {
      Reply(answered);
    }
  }
  EXPECT_EQ(sent().size(), 20u);
  EXPECT_EQ(sent()[10].at - sent()[0].at, 1s);
}

// Scenario: a server that answers nothing for ten seconds.
// Guarantees: afterwards a second of the rate is made up for, not ten.
TEST_F(LoadRunTest, CatchesUpOnASecondAtMost) {
  options_.count = 0;
  options_.rate = 100;
  options_.duration = 1h;
  Start();
  loop_.Advance(10s);
  EXPECT_EQ(sent().size(), 4u);
  for (std::size_t i = 0; i < sent().size(); ++i) {
    Reply(i);
  }
  EXPECT_EQ(sent().size(), 4u + 11);
}

TEST_F(LoadRunTest, DurationEndsSendingAndAnswersAreWaitedFor) {
  options_.count = 0;
  options_.duration = 1s;
  Start();
  loop_.Advance(1s);
  Reply(0);
  Reply(1);
  EXPECT_EQ(sent().size(), 4u);
  Reply(2, PushBack());  // Tried again although sending has ended.
  loop_.Advance(1s);
  ASSERT_EQ(sent().size(), 5u);
  Reply(4);
  EXPECT_EQ(ended_, 0);
  Reply(3);
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(statistics_.acknowledged, 40u);
}

TEST_F(LoadRunTest, WhatIsNeverAnsweredIsGivenUp) {
  options_.count = 20;
  options_.drain_timeout = 5s;
  Start();
  Reply(0);
  loop_.Advance(4999ms);
  EXPECT_EQ(ended_, 0);
  loop_.Advance(1ms);
  EXPECT_EQ(ended_, 1);
  EXPECT_THAT(statistics_.failed, ElementsAre(Pair("unanswered", 10)));
  Reply(1);  // Too late, and counted no more.
  EXPECT_EQ(statistics_.acknowledged, 10u);
  EXPECT_EQ(ended_, 1);
  ExpectBooksAddUp();
}

TEST_F(LoadRunTest, StopWaitsForAnswersButNotForRetries) {
  Start();
  Reply(0, PushBack(20s));
  run_->Stop();
  EXPECT_THAT(statistics_.failed, ElementsAre(Pair("UNAVAILABLE", 10)));
  Reply(1);
  Reply(2, PushBack());
  EXPECT_EQ(ended_, 0);
  run_->Stop();  // Again does nothing.
  loop_.Advance(LoadRun::kStopGrace);
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(sent().size(), 4u);
  EXPECT_EQ(statistics_.acknowledged, 10u);
  EXPECT_THAT(statistics_.failed, ElementsAre(Pair("UNAVAILABLE", 20), Pair("unanswered", 10)));
  EXPECT_EQ(loop_.timers(), 0u);
  ExpectBooksAddUp();
}

TEST_F(LoadRunTest, AbandonEndsAtOnce) {
  Start();
  Reply(0, PushBack(20s));
  run_->Abandon();
  EXPECT_EQ(ended_, 1);
  EXPECT_THAT(statistics_.failed, ElementsAre(Pair("UNAVAILABLE", 10), Pair("unanswered", 30)));
  run_->Abandon();
  run_->Stop();
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(loop_.timers(), 0u);
}

TEST_F(LoadRunTest, DestroyedWhileSendingLeavesNothingBehind) {
  Start();
  Reply(0, PushBack());
  run_.reset();
  EXPECT_EQ(loop_.timers(), 0u);
  EXPECT_EQ(ended_, 0);
}

TEST_F(LoadRunTest, BodiesAreCompressed) {
  options_.compression = net::Compression::kSnappy;
  options_.count = 10;
  Start();
  const Slice body = Slice::Copy(sent()[0].body);
  const net::Decompressed plain =
      net::Decompress(net::Compression::kSnappyFramed, {&body, 1}, 1 << 20);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(ItemsOf(Signal::kTraces, plain.bytes.view()).size(), 10u);
  EXPECT_EQ(statistics_.bytes, body.size());
}

TEST(LoadOptions, NamesAllThatIsOutOfRange) {
  LoadOptions options;
  EXPECT_TRUE(options.Validate().ok());
  options.signals.clear();
  options.rate = -1;
  options.concurrency = 0;
  options.connections = 0;
  options.items_per_request = 0;
  options.timeout = 0s;
  options.headers = {{"", "value"}};
  const std::string message(options.Validate().message());
  for (const char* name : {"--signal", "--rate", "--concurrency", "--connections",
                           "--items-per-request", "--timeout", "--header"}) {
    EXPECT_THAT(message, testing::HasSubstr(name));
  }
  LoadOptions large;
  large.items_per_request = 1000;
  large.item_bytes = 1 << 20;
  EXPECT_FALSE(large.Validate().ok());
  LoadOptions endless;
  endless.rate = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(endless.Validate().ok());
}

}  // namespace
}  // namespace weir::load

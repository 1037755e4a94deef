#include "pipeline/export_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"

namespace weir::pipeline {
namespace {

using testkit::MakeBatch;
using testkit::RecordingTracker;
using Kind = SendResult::Kind;

// Answers each request by a function, at once, or keeps the answer for the test to give.
class ScriptedExporter final : public Exporter {
 public:
  absl::Status Start() override { return absl::OkStatus(); }
  absl::Status Shutdown(TimePoint) override { return absl::OkStatus(); }
  void Send(const Batch& batch, TimePoint, SendDone done) override {
    std::string request;
    for (const Part& part : batch.parts()) {
      request += part.payload.view();
    }
    requests.push_back(request);
    if (answer != nullptr) {
      done(answer(request));
    } else {
      waiting.push_back(std::move(done));
    }
  }

  // All on the loop thread.
  std::function<SendResult(const std::string& request)> answer = [](const std::string&) {
    return SendResult{};
  };
  std::vector<std::string> requests;
  std::deque<SendDone> waiting;
};

class ExportQueueTest : public ::testing::Test {
 protected:
  ExportQueueTest() {
    settings_.retry_on_failure.initial_interval = std::chrono::milliseconds(1);
    settings_.retry_on_failure.max_interval = std::chrono::milliseconds(1);
  }

  void Open(std::optional<BatcherSettings> batcher = std::nullopt) {
    books_ = harness_.ledger().Open({.node = "fake", .kind = NodeKind::kExporter});
    queue_ = std::make_unique<ExportQueue>(ExportQueue::Parts{.exporter_id = "fake",
                                                              .signal = Signal::kTraces,
                                                              .settings = settings_,
                                                              .exporter = exporter_,
                                                              .loop = harness_.loop(),
                                                              .books = *books_,
                                                              .metrics = scope_,
                                                              .logger = logger_,
                                                              .budget = harness_.budget()});
    edge_ = std::make_unique<QueueEdge>(*queue_, batcher);
  }

  std::unique_ptr<RecordingTracker> Send(std::string_view payload, std::uint64_t items = 1) {
    auto tracker = std::make_unique<RecordingTracker>();
    edge_->Emit(MakeBatch(Signal::kTraces, payload, items, tracker.get()));
    return tracker;
  }

  std::uint64_t Drain(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    std::promise<std::uint64_t> abandoned;
    harness_.loop().Post([&] {
      queue_->Drain(harness_.loop().Now() + limit,
                    [&](std::uint64_t items) { abandoned.set_value(items); });
    });
    return abandoned.get_future().get();
  }

  void OnLoop(EventLoop::Task task) { harness_.loop_thread().RunAndWait(std::move(task)); }

  // Of a scripted exporter without an answer: one that waits, or that one and all to come.
  void AnswerOne() {
    OnLoop([this] {
      SendDone done = std::move(exporter_.waiting.front());
      exporter_.waiting.pop_front();
      done(SendResult{});
    });
  }
  void AnswerFromNowOn() {
    OnLoop([this] {
      exporter_.answer = [](const std::string&) { return SendResult{}; };
      exporter_.waiting.front()(SendResult{});
    });
  }

  void TearDown() override {
    harness_.loop_thread().StopAndJoin();
    queue_.reset();
    EXPECT_TRUE(books_->Books().closes()) << "missing " << books_->Books().missing();
    EXPECT_EQ(books_->Books().held, 0);
    EXPECT_EQ(UnsettledTokens(), unsettled_before_);
  }

  std::uint64_t Dropped(DropReason reason) const {
    return books_->Books().dropped_by_reason[static_cast<std::size_t>(reason)];
  }

  const std::uint64_t unsettled_before_ = UnsettledTokens();
  testkit::Harness harness_;
  ExporterSettings settings_;
  ScriptedExporter exporter_;
  Logger logger_;
  MetricScope scope_{harness_.metrics()};
  NodeHandle books_;
  std::unique_ptr<ExportQueue> queue_;
  std::unique_ptr<QueueEdge> edge_;
};

TEST_F(ExportQueueTest, SecuresWhenQueuedAndDelivers) {
  Open();
  const auto tracker = Send("a", 3);
  EXPECT_TRUE(tracker->secured().has_value());
  ASSERT_TRUE(tracker->WaitForDelivered());
  EXPECT_EQ(tracker->delivered()->outcome, Outcome::kDelivered);
  EXPECT_EQ(books_->Books().out, 3U);
}

TEST_F(ExportQueueTest, WithoutAQueueItIsSecuredWhenDelivered) {
  settings_.sending_queue.enabled = false;
  exporter_.answer = nullptr;
  Open();
  const auto tracker = Send("a");
  OnLoop([] {});
  EXPECT_FALSE(tracker->secured().has_value());
  OnLoop([this] { exporter_.waiting.front()(SendResult{}); });
  EXPECT_TRUE(tracker->WaitForSecured());
}

TEST_F(ExportQueueTest, MergesAMovedBatch) {
  Open(BatcherSettings{.items_min = 4});
  const auto first = Send("a", 2);
  const auto second = Send("b", 2);
  ASSERT_TRUE(second->WaitForDelivered());
  OnLoop([this] { EXPECT_EQ(exporter_.requests, std::vector<std::string>{"ab"}); });
}

TEST_F(ExportQueueTest, AMovedBatchLeavesByAge) {
  Open(BatcherSettings{.items_min = 1000, .timeout = std::chrono::milliseconds(5)});
  const auto tracker = Send("a");
  EXPECT_TRUE(tracker->WaitForDelivered());
}

// Scenario: a destination that answers nothing, and more requests than the queue holds.
// Guarantees: what does not fit is refused for now and counted; the rest is untouched.
TEST_F(ExportQueueTest, AFullQueueRefuses) {
  settings_.sending_queue.queue_size = 2;
  settings_.sending_queue.num_consumers = 1;
  exporter_.answer = nullptr;
  Open();
  const auto first = Send("a");
  const auto second = Send("b");
  const auto third = Send("c");
  EXPECT_EQ(third->secured()->outcome, Outcome::kRetry);
  EXPECT_EQ(books_->Books().refused, 1U);  // Its source offers it again.
  EXPECT_EQ(Dropped(DropReason::kQueueFull), 0U);
  EXPECT_EQ(queue_->size(), 2);
  OnLoop([this] { exporter_.waiting.front()(SendResult{}); });
  ASSERT_TRUE(first->WaitForDelivered());
  const auto fourth = Send("d");
  EXPECT_EQ(fourth->secured()->outcome, Outcome::kDelivered);
  EXPECT_EQ(Drain(std::chrono::milliseconds(1)), 2U);
  EXPECT_EQ(second->delivered()->outcome, Outcome::kAbandoned);
}

// Scenario: the same, but what does not fit is one copy of a fan-out, or nobody's to send again.
// Guarantees: it is a loss, and counted as one.
TEST_F(ExportQueueTest, ACopyThatDoesNotFitIsLost) {
  settings_.sending_queue.queue_size = 1;
  exporter_.answer = nullptr;
  Open();
  const auto first = Send("a");
  RecordingTracker tracker;
  std::vector<Batch> copies = MakeBatch(Signal::kTraces, "b", 3, &tracker).Fork(2);
  edge_->Emit(std::move(copies[0]));
  copies[1].Settle(Outcome::kDelivered);
  edge_->Emit(MakeBatch(Signal::kTraces, "c", 2));
  EXPECT_EQ(Dropped(DropReason::kQueueFull), 5U);
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kDelivered);
  Drain(std::chrono::milliseconds(1));
}

TEST_F(ExportQueueTest, BlockOnOverflowWaitsForRoom) {
  settings_.sending_queue.queue_size = 1;
  settings_.sending_queue.block_on_overflow = true;
  exporter_.answer = nullptr;
  Open();
  const auto first = Send("a");
  const auto second = Send("b");
  OnLoop([] {});
  EXPECT_FALSE(second->secured().has_value());
  OnLoop([this] {
    exporter_.waiting.front()(SendResult{});
    exporter_.answer = [](const std::string&) { return SendResult{}; };
  });
  EXPECT_TRUE(second->WaitForDelivered());
}

// A queue of 1000 requests in front of a moved batch of 100 items holds 1000 batches of 100.
TEST_F(ExportQueueTest, AMovedBatchCountsAsAShare) {
  settings_.sending_queue.queue_size = 10;
  exporter_.answer = nullptr;
  Open(BatcherSettings{.items_min = 100, .timeout = std::chrono::hours(1)});
  std::vector<std::unique_ptr<RecordingTracker>> trackers;
  for (int i = 0; i < 100; ++i) {
    trackers.push_back(Send("a", 10));
    EXPECT_EQ(trackers.back()->secured()->outcome, Outcome::kDelivered);
  }
  trackers.push_back(Send("a", 10));
  EXPECT_EQ(trackers.back()->secured()->outcome, Outcome::kRetry);
  Drain(std::chrono::milliseconds(1));
}

TEST_F(ExportQueueTest, RetriesWhatFailsForNow) {
  int failures = 3;
  exporter_.answer = [&](const std::string&) {
    return SendResult{.kind = failures-- > 0 ? Kind::kRetry : Kind::kDelivered};
  };
  Open();
  const auto tracker = Send("a");
  ASSERT_TRUE(tracker->WaitForDelivered());
  EXPECT_EQ(tracker->delivered()->outcome, Outcome::kDelivered);
  OnLoop([this] { EXPECT_EQ(exporter_.requests.size(), 4U); });
}

TEST_F(ExportQueueTest, GivesUpAfterMaxElapsedTime) {
  settings_.retry_on_failure.max_elapsed_time = std::chrono::milliseconds(5);
  exporter_.answer = [](const std::string&) { return SendResult{.kind = Kind::kRetry}; };
  Open();
  const auto tracker = Send("a");
  ASSERT_TRUE(tracker->WaitForDelivered());
  EXPECT_EQ(tracker->delivered()->outcome, Outcome::kRetry);
  EXPECT_EQ(Dropped(DropReason::kRetryExhausted), 1U);
}

TEST_F(ExportQueueTest, WithoutRetriesAFailureIsTheEnd) {
  settings_.retry_on_failure.enabled = false;
  exporter_.answer = [](const std::string&) { return SendResult{.kind = Kind::kRetry}; };
  Open();
  const auto tracker = Send("a");
  ASSERT_TRUE(tracker->WaitForDelivered());
  EXPECT_EQ(Dropped(DropReason::kRetryDisabled), 1U);
}

// Scenario: one poisoned request inside a merged batch of sixteen.
// Guarantees: only its items are lost; everybody else's arrive.
TEST_F(ExportQueueTest, OnlyTheCulpritIsLost) {
  exporter_.answer = [](const std::string& request) {
    return SendResult{.kind = request.find('!') == std::string::npos ? Kind::kDelivered
                                                                     : Kind::kMalformed};
  };
  Open(BatcherSettings{.items_min = 16});
  std::vector<std::unique_ptr<RecordingTracker>> trackers;
  for (int i = 0; i < 16; ++i) {
    trackers.push_back(Send(i == 11 ? "!" : std::string(1, static_cast<char>('a' + i))));
  }
  for (int i = 0; i < 16; ++i) {
    ASSERT_TRUE(trackers[i]->WaitForDelivered());
    EXPECT_EQ(trackers[i]->delivered()->outcome, i == 11 ? Outcome::kRefused : Outcome::kDelivered);
  }
  EXPECT_EQ(Dropped(DropReason::kRefusedPermanent), 1U);
  EXPECT_EQ(books_->Books().out, 15U);
}

TEST_F(ExportQueueTest, ARefusalThatIsNotAboutDataIsNotBisected) {
  exporter_.answer = [](const std::string&) { return SendResult{.kind = Kind::kRefused}; };
  Open(BatcherSettings{.items_min = 2});
  const auto first = Send("a");
  const auto second = Send("b");
  ASSERT_TRUE(second->WaitForDelivered());
  OnLoop([this] { EXPECT_EQ(exporter_.requests.size(), 1U); });
  EXPECT_EQ(Dropped(DropReason::kRefusedPermanent), 2U);
}

// Scenario: a destination that takes two parts at most.
// Guarantees: everything arrives in smaller requests, and later batches are cut beforehand.
TEST_F(ExportQueueTest, TooLargeIsCut) {
  exporter_.answer = [](const std::string& request) {
    return SendResult{.kind = request.size() > 2048 ? Kind::kTooLarge : Kind::kDelivered};
  };
  Open(BatcherSettings{.items_min = 8});
  std::vector<std::unique_ptr<RecordingTracker>> trackers;
  for (int i = 0; i < 16; ++i) {
    trackers.push_back(Send(std::string(1000, 'a')));
  }
  EXPECT_EQ(Drain(), 0U);
  for (const auto& tracker : trackers) {
    EXPECT_EQ(tracker->delivered()->outcome, Outcome::kDelivered);
  }
}

TEST_F(ExportQueueTest, ASingleItemThatIsTooLargeIsDropped) {
  exporter_.answer = [](const std::string&) { return SendResult{.kind = Kind::kTooLarge}; };
  Open();
  const auto tracker = Send("a");
  ASSERT_TRUE(tracker->WaitForDelivered());
  EXPECT_EQ(Dropped(DropReason::kTooLarge), 1U);
}

TEST_F(ExportQueueTest, PartialSuccessIsCounted) {
  exporter_.answer = [](const std::string&) { return SendResult{.items_rejected = 2}; };
  Open();
  const auto tracker = Send("a", 5);
  ASSERT_TRUE(tracker->WaitForDelivered());
  EXPECT_EQ(tracker->delivered()->outcome, Outcome::kDelivered);
  EXPECT_EQ(books_->Books().out, 3U);
  EXPECT_EQ(Dropped(DropReason::kRejectedPartial), 2U);
}

// Scenario: shutdown while the destination is down, with retries, a backlog and open batches.
// Guarantees: the drain ends at its deadline, and what it abandons is counted and told.
TEST_F(ExportQueueTest, DrainAbandonsAtTheDeadline) {
  settings_.sending_queue.num_consumers = 1;
  exporter_.answer = [](const std::string&) { return SendResult{.kind = Kind::kRetry}; };
  Open(BatcherSettings{.items_min = 2, .timeout = std::chrono::hours(1)});
  const auto first = Send("a", 2);
  const auto second = Send("b", 2);
  const auto open = Send("c");
  EXPECT_EQ(Drain(std::chrono::milliseconds(20)), 5U);
  for (const auto* tracker : {first.get(), second.get(), open.get()}) {
    EXPECT_EQ(tracker->delivered()->outcome, Outcome::kAbandoned);
  }
  EXPECT_EQ(Dropped(DropReason::kShutdown), 5U);
}

TEST_F(ExportQueueTest, DrainSendsOpenBatches) {
  Open(BatcherSettings{.items_min = 100, .timeout = std::chrono::hours(1)});
  const auto tracker = Send("a");
  EXPECT_EQ(Drain(), 0U);
  EXPECT_EQ(tracker->delivered()->outcome, Outcome::kDelivered);
}

// Scenario: lanes push more than the ring holds while the loop is busy elsewhere.
// Guarantees: nothing is refused but by the queue's own size, and nothing is lost.
TEST_F(ExportQueueTest, MoreThanTheRingHolds) {
  settings_.sending_queue.queue_size = 100000;
  Open(BatcherSettings{.items_min = 500});
  std::promise<void> release;
  harness_.loop().Post([&] { release.get_future().wait(); });
  std::vector<std::unique_ptr<RecordingTracker>> trackers;
  for (int i = 0; i < 5000; ++i) {
    trackers.push_back(Send("a"));
  }
  release.set_value();
  EXPECT_EQ(Drain(), 0U);
  EXPECT_EQ(books_->Books().out, 5000U);
}

// Scenario: a source sends faster than a destination that takes what it gets at once; then the
// destination stops answering.
// Guarantees: with a backlog the answers wait, but not those of a fan-out's copies; nothing waits
// for a destination that has stopped.
TEST_F(ExportQueueTest, ABacklogPacesItsSource) {
  settings_.sending_queue.num_consumers = 1;
  exporter_.answer = nullptr;
  Open();
  const std::string payload(std::size_t{1} << 20, 'x');
  std::vector<std::unique_ptr<RecordingTracker>> trackers;
  for (int i = 0; i < 40; ++i) {
    trackers.push_back(Send(payload));
    EXPECT_TRUE(trackers.back()->secured().has_value());
  }
  const TimePoint give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (trackers.back()->secured().has_value()) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    AnswerOne();
    trackers.push_back(Send(payload));
  }
  RecordingTracker shared;
  std::vector<Batch> copies = MakeBatch(Signal::kTraces, "b", 1, &shared).Fork(2);
  edge_->Emit(std::move(copies[0]));
  copies[1].Settle(Outcome::kDelivered);
  EXPECT_TRUE(shared.secured().has_value());
  EXPECT_TRUE(trackers.back()->WaitForSecured());
  EXPECT_FALSE(trackers.back()->delivered().has_value());
  AnswerFromNowOn();
  EXPECT_EQ(Drain(), 0U);
}

// Scenario: the same with a batcher, and a request too small to wake the loop that is held back.
// Guarantees: it does not wait for its batch to fill up once pacing ends.
TEST_F(ExportQueueTest, WhatIsHeldBackDoesNotWaitForItsBatch) {
  settings_.sending_queue.num_consumers = 1;
  exporter_.answer = nullptr;
  Open(BatcherSettings{.items_min = 1000, .timeout = std::chrono::hours(1)});
  const std::string payload(std::size_t{1} << 20, 'x');
  std::vector<std::unique_ptr<RecordingTracker>> trackers;
  for (int i = 0; i < 40; ++i) {
    trackers.push_back(Send(payload, 1000));
  }
  const TimePoint give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (trackers.back()->secured().has_value()) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    AnswerOne();
    trackers.push_back(Send(payload, 1000));
    OnLoop([] {});
    trackers.push_back(Send("small"));
  }
  EXPECT_TRUE(trackers.back()->WaitForSecured());
  EXPECT_FALSE(trackers.back()->delivered().has_value());
  AnswerFromNowOn();
  EXPECT_EQ(Drain(), 0U);
}

// Scenario: a reload puts another edge before a queue at work, with the batch of the old one open.
// Guarantees: the old edge's batch leaves at once, the new one's are merged its own way, and each
// is counted where it belongs.
TEST_F(ExportQueueTest, AnEdgeComesAndGoesWhileTheQueueLives) {
  Open(BatcherSettings{.items_min = 1000, .timeout = std::chrono::hours(1)});
  const auto first = Send("old");
  QueueEdge next(*queue_, std::nullopt);
  const auto second = std::make_unique<RecordingTracker>();
  next.Emit(MakeBatch(Signal::kTraces, "new", 1, second.get()));
  EXPECT_TRUE(second->WaitForDelivered()) << "a new edge waits for the timer of an old one";
  EXPECT_FALSE(first->delivered().has_value());
  edge_->Retire();
  EXPECT_TRUE(first->WaitForDelivered());
  const auto third = std::make_unique<RecordingTracker>();
  next.Emit(MakeBatch(Signal::kTraces, "more", 1, third.get()));
  EXPECT_TRUE(third->WaitForDelivered());
  OnLoop([&] { EXPECT_EQ(exporter_.requests, (std::vector<std::string>{"new", "old", "more"})); });
  EXPECT_EQ(Drain(), 0U);
}

// Scenario: an edge is retired while one of its batches waits for room (block_on_overflow).
// Guarantees: the batch is sent once there is room.
TEST_F(ExportQueueTest, ARetiredEdgesWaitingBatchIsSent) {
  settings_.sending_queue.queue_size = 1;
  settings_.sending_queue.block_on_overflow = true;
  OnLoop([&] { exporter_.answer = nullptr; });
  Open();
  const auto first = Send("a");
  const auto second = Send("b");
  edge_->Retire();
  EXPECT_FALSE(second->secured().has_value());
  OnLoop([&] {
    exporter_.answer = [](const std::string&) { return SendResult{}; };
    for (SendDone& done : std::exchange(exporter_.waiting, {})) {
      done(SendResult{});
    }
  });
  EXPECT_TRUE(first->WaitForDelivered());
  EXPECT_TRUE(second->WaitForDelivered());
  EXPECT_EQ(Drain(), 0U);
}

}  // namespace
}  // namespace weir::pipeline

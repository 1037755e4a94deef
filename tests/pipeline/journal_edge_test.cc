#include "pipeline/journal_edge.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"

namespace weir::pipeline {
namespace {

using testkit::MakeBatch;
using testkit::RecordingTracker;

// Answers every request with `kind`, and remembers what it was given.
class RecordingExporter final : public Exporter {
 public:
  absl::Status Start() override { return absl::OkStatus(); }
  absl::Status Shutdown(TimePoint) override { return absl::OkStatus(); }
  void Send(const Batch& batch, TimePoint, SendDone done) override {
    {
      std::lock_guard lock(mutex_);
      for (const Part& part : batch.parts()) {
        requests_.emplace_back(part.payload.view());
      }
      if (batch.context() != nullptr) {
        peers_.push_back(batch.context()->peer_address);
      }
    }
    done(SendResult{.kind = kind});
  }
  std::vector<std::string> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  std::vector<std::string> peers() const {
    std::lock_guard lock(mutex_);
    return peers_;
  }

  std::atomic<SendResult::Kind> kind{SendResult::Kind::kDelivered};

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::string> peers_;
};

// One process: a journal with two readers, the queues of two exporters, and the edge before them.
class Process {
 public:
  struct Destination {
    explicit Destination(testkit::Harness& harness) : scope(harness.metrics()) {}

    RecordingExporter exporter;
    MetricScope scope;
    NodeHandle books;
    std::unique_ptr<DurableBacklog> backlog;
    std::unique_ptr<ExportQueue> queue;
  };

  Process(const std::string& directory, ExporterSettings settings, std::size_t budget_bytes) {
    harness_.budget().set_limit(budget_bytes);
    auto opened = journal::Journal::Open({.directory = directory, .fsync = journal::Fsync::kNever},
                                         journal::PosixDisk(), {"one", "two"});
    EXPECT_TRUE(opened.ok()) << opened.status();
    journal_ = *std::move(opened);
    edge_ = std::make_unique<JournalEdge>(journal_, 7);
    settings.sending_queue.num_consumers = 2;
    settings.retry_on_failure.initial_interval = std::chrono::milliseconds(1);
    settings.retry_on_failure.max_interval = std::chrono::milliseconds(1);
    settings.retry_on_failure.max_elapsed_time = Duration(0);
    const std::array<std::string, 2> names = {"one", "two"};
    for (std::size_t i = 0; i < 2; ++i) {
      destinations_[i] = std::make_unique<Destination>(harness_);
      Destination& destination = *destinations_[i];
      destination.books = harness_.ledger().Open({.node = names[i], .kind = NodeKind::kExporter});
      destination.backlog = std::make_unique<DurableBacklog>(harness_.budget());
      destination.backlog->Attach(journal_->reader(i), journal_->recovered().next_sequence);
      const auto held = static_cast<std::int64_t>(destination.backlog->recovered().items);
      destination.books->Recovered(static_cast<std::uint64_t>(held));
      destination.books->Hold(held);
      destination.queue =
          std::make_unique<ExportQueue>(ExportQueue::Parts{.exporter_id = names[i],
                                                           .signal = Signal::kTraces,
                                                           .settings = settings,
                                                           .exporter = destination.exporter,
                                                           .loop = harness_.loop(),
                                                           .books = *destination.books,
                                                           .metrics = destination.scope,
                                                           .logger = logger_,
                                                           .budget = harness_.budget(),
                                                           .backlog = destination.backlog.get()});
      edge_->AddTarget(*destination.queue, i, std::nullopt, nullptr);
    }
  }

  void Start() {
    for (const auto& destination : destinations_) {
      destination->queue->Start();
    }
  }

  // As a daemon stops: what is in flight ends, the rest stays.
  void Stop() {
    for (const auto& destination : destinations_) {
      std::promise<std::uint64_t> drained;
      harness_.loop().Post([&, queue = destination->queue.get()] {
        queue->Drain(harness_.loop().Now() + std::chrono::seconds(10),
                     [&](std::uint64_t items) { drained.set_value(items); });
      });
      EXPECT_EQ(drained.get_future().get(), 0U);
    }
    EXPECT_TRUE(journal_->Close().ok());
    harness_.loop_thread().StopAndJoin();
    for (const auto& destination : destinations_) {
      EXPECT_TRUE(destination->books->Books().closes());
    }
  }

  bool WaitForOut(std::size_t index, std::uint64_t items) {
    const TimePoint give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (books(index).out < items) {
      if (std::chrono::steady_clock::now() > give_up) {
        return false;
      }
      harness_.loop_thread().RunAndWait([] {});
    }
    harness_.loop_thread().RunAndWait([] {});  // Counted, and let go of, in one turn.
    return true;
  }

  void Emit(Batch batch) { edge_->Emit(std::move(batch)); }
  // As a reload does that replaces the pipeline.
  void RetireEdge() {
    edge_->Retire();
    edge_.reset();
  }
  RecordingExporter& exporter(std::size_t index) { return destinations_[index]->exporter; }
  NodeBooks books(std::size_t index) { return destinations_[index]->books->Books(); }
  DurableBacklog& backlog(std::size_t index) { return *destinations_[index]->backlog; }
  std::uint64_t waiting(std::size_t index) { return journal_->reader(index).backlog().items; }
  MemoryBudget& budget() { return harness_.budget(); }

 private:
  testkit::Harness harness_;
  Logger logger_;
  std::unique_ptr<journal::Journal> journal_;
  std::array<std::unique_ptr<Destination>, 2> destinations_;
  std::unique_ptr<JournalEdge> edge_;
};

class JournalEdgeTest : public ::testing::Test {
 protected:
  JournalEdgeTest()
      : directory_(std::filesystem::path(::testing::TempDir()) /
                   ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~JournalEdgeTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Process> Open(std::size_t budget_bytes = std::size_t{1} << 30) {
    auto process = std::make_unique<Process>(directory_.string(), settings_, budget_bytes);
    process->Start();
    return process;
  }

  // Lives until no thread can call it any more.
  RecordingTracker& NewTracker(
      DeliveryTracker::Interest interest = DeliveryTracker::Interest::kDurable) {
    return trackers_.emplace_back(interest);
  }

  const std::filesystem::path directory_;
  ExporterSettings settings_;

 private:
  std::list<RecordingTracker> trackers_;
};

TEST_F(JournalEdgeTest, ADeliveredRecordIsGone) {
  auto process = Open();
  RecordingTracker& tracker = NewTracker();
  process->Emit(MakeBatch(Signal::kTraces, "a", 3, &tracker));
  ASSERT_TRUE(tracker.WaitForSecured());
  EXPECT_EQ(tracker.secured()->outcome, Outcome::kDelivered);
  ASSERT_TRUE(process->WaitForOut(0, 3));
  ASSERT_TRUE(process->WaitForOut(1, 3));
  process->Stop();
  process = Open();
  EXPECT_EQ(process->waiting(0), 0U);
  EXPECT_EQ(process->waiting(1), 0U);
  process->Stop();
}

// Scenario: one destination is dead; the daemon stops and starts again with both well.
// Guarantees: what was answered is delivered by the next process, to that destination alone, with
// its parts and its context.
TEST_F(JournalEdgeTest, WhatIsLeftIsDeliveredByTheNextProcess) {
  auto process = Open();
  process->exporter(1).kind = SendResult::Kind::kRetry;
  auto context = std::make_shared<RequestContext>();
  context->peer_address = "10.1.2.3:4567";
  context->metadata = {{"tenant", "a"}, {"tenant", "b"}};
  context->auth = {{"subject", "s"}};
  RecordingTracker& tracker = NewTracker();
  Batch batch = MakeBatch(Signal::kTraces, "first", 1, &tracker);
  batch.AppendPart({.payload = Slice::Copy("second"),
                    .items = 2,
                    .token = DeliveryToken::Untracked(),
                    .weight = 0});
  batch.set_context(context);
  process->Emit(std::move(batch));
  ASSERT_TRUE(tracker.WaitForSecured());
  ASSERT_TRUE(process->WaitForOut(0, 3));
  process->Stop();
  EXPECT_EQ(process->books(1).held, 3);
  EXPECT_EQ(process->books(1).dropped(), 0U);

  process = Open();
  ASSERT_TRUE(process->WaitForOut(1, 3));
  EXPECT_EQ(process->exporter(1).requests(), (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(process->exporter(1).peers(), (std::vector<std::string>{"10.1.2.3:4567"}));
  EXPECT_EQ(process->books(1).recovered, 3U);
  EXPECT_TRUE(process->exporter(0).requests().empty());
  process->Stop();
}

// Scenario: a dead destination, and far more data than there is memory for.
// Guarantees: memory stays bounded, every request is answered, and all of it is delivered in the
// end.
TEST_F(JournalEdgeTest, WhatMemoryDoesNotHoldWaitsOnDisk) {
  constexpr std::size_t kBudget = std::size_t{8} << 20;
  constexpr int kRequests = 400;
  settings_.sending_queue.queue_size = 10000;
  auto process = Open(kBudget);
  process->exporter(1).kind = SendResult::Kind::kRetry;
  const std::string payload(100'000, 'x');
  for (int i = 0; i < kRequests; ++i) {
    RecordingTracker& tracker = NewTracker();
    process->Emit(MakeBatch(Signal::kTraces, payload, 1, &tracker));
    ASSERT_TRUE(tracker.WaitForSecured());
    ASSERT_TRUE(tracker.secured()->ok());
  }
  ASSERT_TRUE(process->WaitForOut(0, kRequests));
  EXPECT_EQ(process->waiting(1), std::uint64_t{kRequests});
  EXPECT_GT(process->backlog(1).unread_records(), std::uint64_t{kRequests} / 2);
  process->exporter(1).kind = SendResult::Kind::kDelivered;
  ASSERT_TRUE(process->WaitForOut(1, kRequests));
  EXPECT_LE(process->budget().peak(), kBudget);
  process->Stop();
}

// Scenario: the queue of one destination is full, that of the other is not; then both are.
// Guarantees: the first copy is lost and counted, the other goes on; a request that fits nowhere is
// refused and nobody's loss.
TEST_F(JournalEdgeTest, AFullQueueLosesItsOwnCopyOnly) {
  settings_.sending_queue.queue_size = 1;
  auto process = Open();
  process->exporter(0).kind = SendResult::Kind::kRetry;
  RecordingTracker& first = NewTracker();
  process->Emit(MakeBatch(Signal::kTraces, "a", 1, &first));
  ASSERT_TRUE(first.WaitForSecured());
  ASSERT_TRUE(process->WaitForOut(1, 1));
  process->exporter(1).kind = SendResult::Kind::kRetry;
  RecordingTracker& second = NewTracker();
  process->Emit(MakeBatch(Signal::kTraces, "b", 2, &second));
  ASSERT_TRUE(second.WaitForSecured());
  EXPECT_TRUE(second.secured()->ok());
  EXPECT_EQ(process->books(0).dropped(), 2U);
  RecordingTracker& third = NewTracker();
  process->Emit(MakeBatch(Signal::kTraces, "c", 4, &third));
  ASSERT_TRUE(third.WaitForSecured());
  EXPECT_EQ(third.secured()->outcome, Outcome::kRetry);
  EXPECT_EQ(process->books(0).dropped(), 2U);
  EXPECT_EQ(process->books(0).refused, 4U);
  EXPECT_EQ(process->books(1).refused, 4U);
  process->Stop();
}

// Scenario: a reload replaces an edge while one of its requests waits for room; room comes later.
// Guarantees: the request is its sender's again, and nobody calls the edge that is gone.
TEST_F(JournalEdgeTest, ARetiredEdgeHandsBackWhatWaits) {
  settings_.sending_queue.queue_size = 1;
  settings_.sending_queue.when_full = WhenFull::kBlock;
  auto process = Open();
  process->exporter(0).kind = SendResult::Kind::kRetry;
  process->exporter(1).kind = SendResult::Kind::kRetry;
  RecordingTracker& first = NewTracker();
  process->Emit(MakeBatch(Signal::kTraces, "a", 1, &first));
  ASSERT_TRUE(first.WaitForSecured());
  RecordingTracker& second = NewTracker();
  process->Emit(MakeBatch(Signal::kTraces, "b", 2, &second));
  EXPECT_FALSE(second.secured().has_value());
  process->RetireEdge();
  ASSERT_TRUE(second.secured().has_value());
  EXPECT_EQ(second.secured()->outcome, Outcome::kRetry);
  EXPECT_EQ(process->books(0).refused, 2U);
  process->exporter(0).kind = SendResult::Kind::kDelivered;
  process->exporter(1).kind = SendResult::Kind::kDelivered;
  ASSERT_TRUE(process->WaitForOut(0, 1));
  ASSERT_TRUE(process->WaitForOut(1, 1));
  process->Stop();
}

// Scenario: the source waits for the delivery itself, with one destination that takes a while.
TEST_F(JournalEdgeTest, ASourceMayWaitForTheDelivery) {
  auto process = Open();
  process->exporter(1).kind = SendResult::Kind::kRetry;
  RecordingTracker& tracker = NewTracker(DeliveryTracker::Interest::kDelivered);
  process->Emit(MakeBatch(Signal::kTraces, "a", 1, &tracker));
  ASSERT_TRUE(tracker.WaitForSecured());
  ASSERT_TRUE(process->WaitForOut(0, 1));
  EXPECT_FALSE(tracker.delivered().has_value());
  process->exporter(1).kind = SendResult::Kind::kDelivered;
  ASSERT_TRUE(tracker.WaitForDelivered());
  EXPECT_EQ(tracker.delivered()->outcome, Outcome::kDelivered);
  process->Stop();
}

TEST_F(JournalEdgeTest, TheOldestGoesWhereAsked) {
  settings_.sending_queue.queue_size = 100;
  settings_.sending_queue.when_full = WhenFull::kDropOldest;
  settings_.sending_queue.max_size.bytes = 2'000'000;
  auto process = Open(std::size_t{1} << 20);
  process->exporter(1).kind = SendResult::Kind::kRetry;
  for (int i = 0; i < 40; ++i) {
    RecordingTracker& tracker = NewTracker();
    process->Emit(MakeBatch(Signal::kTraces, std::string(100'000, 'x'), 1, &tracker));
    ASSERT_TRUE(tracker.WaitForSecured());
    ASSERT_TRUE(tracker.secured()->ok()) << i;
    ASSERT_TRUE(process->WaitForOut(0, static_cast<std::uint64_t>(i) + 1));
  }
  EXPECT_EQ(process->books(0).dropped(), 0U);
  EXPECT_GE(process->books(1).dropped(), 20U);
  EXPECT_EQ(process->books(1).dropped() + process->waiting(1), 40U);
  process->Stop();
}

TEST(RequestContextBytes, ComeBackAsTheyWere) {
  RequestContext context;
  context.peer_address = "[::1]:1";
  context.metadata = {{"a", ""}, {"", "b"}};
  context.auth = {{"subject", std::string(300, 's')}};
  const Slice bytes = EncodeContext(context);
  const auto back = DecodeContext(bytes.view());
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(*back, context);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeContext(bytes.view().substr(0, size)), nullptr) << size;
  }
}

}  // namespace
}  // namespace weir::pipeline

// The journal on the real disk, with its own thread.

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "journal/file_io.h"
#include "journal/journal.h"
#include "tests/journal/records.h"

namespace weir::journal::testing {
namespace {

using ::testing::HasSubstr;

class DiskTest : public ::testing::Test {
 protected:
  DiskTest() {
    directory_ =
        std::filesystem::path(::testing::TempDir()) /
        (std::string("journal.") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    options_.directory = directory_.string();
  }
  ~DiskTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Journal> Open(std::vector<std::string> readers = {"a"}) {
    auto journal = Journal::Open(options_, PosixDisk(), std::move(readers));
    EXPECT_TRUE(journal.ok()) << journal.status();
    return journal.ok() ? *std::move(journal) : nullptr;
  }

  std::filesystem::path directory_;
  Options options_;
};

// Counts answers; waits for so many.
class Answers {
 public:
  AppendDone Expect() {
    return [this](const absl::Status& status, Sequence sequence) {
      const std::lock_guard lock(mutex_);
      ++answers_;
      errors_ += status.ok() ? 0 : 1;
      sequences_.push_back(sequence);
      changed_.notify_all();
    };
  }
  void WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return answers_ >= count; });
  }
  std::size_t errors() {
    const std::lock_guard lock(mutex_);
    return errors_;
  }
  std::vector<Sequence> sequences() {
    const std::lock_guard lock(mutex_);
    return sequences_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t answers_ = 0;
  std::size_t errors_ = 0;
  std::vector<Sequence> sequences_;
};

// Scenario: many producers append at once and wait for their answers.
// Guarantees: fewer syncs than appends, sequences without gaps, everything is read back.
TEST_F(DiskTest, ProducersShareSyncs) {
  constexpr std::size_t kProducers = 8;
  constexpr std::size_t kEach = 50;
  options_.segment_bytes = 1 << 20;
  std::unique_ptr<Journal> journal = Open();
  Answers answers;
  std::vector<std::thread> producers;
  for (std::size_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      for (std::size_t i = 0; i < kEach; ++i) {
        journal->Append(MakeRecord((p * 1000) + i, 5000), 0, answers.Expect());
      }
    });
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  answers.WaitFor(kProducers * kEach);
  EXPECT_EQ(answers.errors(), 0U);
  EXPECT_LT(journal->syncs(), kProducers * kEach / 2);
  const std::vector<Sequence> sequences = answers.sequences();
  EXPECT_TRUE(std::ranges::is_sorted(sequences));
  EXPECT_EQ(sequences.back(), kProducers * kEach);
  journal.reset();
  journal = Open();
  std::size_t read = 0;
  for (;;) {
    const ReadResult result = journal->reader(0).Read(100000);
    if (result.records.empty()) {
      break;
    }
    for (const StoredRecord& stored : result.records) {
      EXPECT_TRUE(SameRecord(stored.record, MakeRecord(NumberOf(stored.record), 5000)));
      journal->reader(0).Acknowledge(stored.sequence);
      ++read;
    }
  }
  EXPECT_EQ(read, kProducers * kEach);
  ASSERT_TRUE(journal->Checkpoint().ok());
  EXPECT_EQ(journal->bytes_on_disk(), 0U);
}

// Scenario: readers, acknowledgements and checkpoints beside producers. For ThreadSanitizer.
TEST_F(DiskTest, EverythingAtOnce) {
  constexpr std::size_t kRecords = 400;
  options_.segment_bytes = 256 << 10;
  options_.fsync = Fsync::kInterval;
  options_.fsync_interval = std::chrono::milliseconds(5);
  options_.position_sync_interval = std::chrono::milliseconds(5);
  std::unique_ptr<Journal> journal = Open({"live", "late"});
  Answers answers;
  std::thread producer([&] {
    for (std::size_t i = 0; i < kRecords; ++i) {
      journal->Append(
          MakeRecord(i, 2000, 0b11), 0b01,
          [&, done = answers.Expect()](const absl::Status& status, Sequence sequence) mutable {
            journal->reader(0).Acknowledge(sequence);
            done(status, sequence);
          });
    }
  });
  std::size_t read = 0;
  while (read < kRecords) {
    for (const StoredRecord& stored : journal->reader(1).Read(20000).records) {
      ++read;
      journal->reader(1).Acknowledge(stored.sequence);
    }
    EXPECT_GE(journal->bytes_on_disk(), 0U);
    ASSERT_TRUE(journal->Checkpoint().ok());
  }
  producer.join();
  answers.WaitFor(kRecords);
  EXPECT_EQ(answers.errors(), 0U);
  EXPECT_EQ(journal->reader(0).backlog().records, 0U);
  EXPECT_TRUE(journal->Close().ok());
  EXPECT_EQ(journal->bytes_on_disk(), 0U);
  EXPECT_EQ(journal->damage(), Damage{});
}

TEST_F(DiskTest, TwoJournalsCannotShareADirectory) {
  const std::unique_ptr<Journal> first = Open();
  const auto second = Journal::Open(options_, PosixDisk(), {"a"});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another process"));
}

TEST_F(DiskTest, AMissingDirectoryIsAnError) {
  options_.directory += "/missing";
  EXPECT_EQ(Journal::Open(options_, PosixDisk(), {"a"}).status().code(),
            absl::StatusCode::kNotFound);
}

// Scenario: a journal that version 1 wrote, with a segment that was closed, one that was not (and
// has a torn tail), positions of two readers and totals.
// Guarantees: this version reads it. tests/journal/golden/README.md says what is in it.
TEST_F(DiskTest, ReadsVersion1) {
  const std::filesystem::path golden =
      std::filesystem::path(WEIR_SOURCE_DIR) / "tests/journal/golden/v1";
  for (const auto& entry : std::filesystem::directory_iterator(golden)) {
    std::filesystem::copy(entry.path(), directory_);
  }
  const std::unique_ptr<Journal> journal = Open({"kafka", "otlp/2"});
  EXPECT_EQ(journal->damage(), Damage{});
  EXPECT_EQ(journal->recovered().segments, 2U);
  EXPECT_EQ(journal->recovered().records, 7U);
  EXPECT_EQ(journal->recovered().torn_bytes, 21U);
  EXPECT_EQ(journal->recovered().totals, (Totals{{"in", 1234}, {"out", 1200}}));
  // Number i has i * 100 bytes; even ones are for kafka, all for otlp/2, which has acknowledged 2
  // and 3.
  const auto numbers = [&journal](std::size_t reader) {
    std::vector<std::uint64_t> found;
    for (const StoredRecord& stored : journal->reader(reader).Read(SIZE_MAX).records) {
      const std::uint64_t number = NumberOf(stored.record);
      EXPECT_EQ(stored.sequence, number);
      EXPECT_TRUE(SameRecord(stored.record, MakeRecord(number, number * 100)));
      found.push_back(number);
    }
    return found;
  };
  EXPECT_THAT(numbers(0), ::testing::ElementsAre(2, 4, 6));
  EXPECT_THAT(numbers(1), ::testing::ElementsAre(1, 4, 5, 6, 7));
}

// Writes tests/journal/golden/v1 anew, into the folder that WEIR_JOURNAL_GOLDEN names: for the next
// version of the format. Run with --gtest_also_run_disabled_tests.
TEST_F(DiskTest, DISABLED_WritesGolden) {
  const char* const target = std::getenv("WEIR_JOURNAL_GOLDEN");
  ASSERT_NE(target, nullptr);
  options_.own_thread = false;
  options_.totals = [] { return Totals{{"in", 1234}, {"out", 1200}}; };
  const auto append = [](Journal& journal, std::uint64_t number) {
    journal.Append(MakeRecord(number, number * 100, number % 2 == 0 ? 0b11 : 0b01), 0,
                   [](const absl::Status& status, Sequence) { EXPECT_TRUE(status.ok()); });
    journal.Commit();
  };
  std::unique_ptr<Journal> journal = Open({"otlp/2", "kafka"});
  for (const std::uint64_t number : {1, 2, 3, 4}) {
    append(*journal, number);
  }
  journal->reader(0).Acknowledge(2);
  journal->reader(0).Acknowledge(3);
  journal.reset();
  journal = Open({"otlp/2", "kafka"});
  for (const std::uint64_t number : {5, 6, 7}) {
    append(*journal, number);
  }
  ASSERT_TRUE(journal->Checkpoint().ok());
  for (const char* const name :
       {"0000000000000001.segment", "0000000000000002.segment", "positions"}) {
    std::filesystem::copy(directory_ / name, std::filesystem::path(target) / name,
                          std::filesystem::copy_options::overwrite_existing);
  }
  std::ofstream(std::filesystem::path(target) / "0000000000000002.segment", std::ios::app)
      << "WREC and torn by kill";
}

}  // namespace
}  // namespace weir::journal::testing

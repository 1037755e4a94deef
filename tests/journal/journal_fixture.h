// JournalTest has a journal on a simulated disk, without a thread and with a clock that stands
// still.

#ifndef WEIR_TESTS_JOURNAL_JOURNAL_FIXTURE_H_
#define WEIR_TESTS_JOURNAL_JOURNAL_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "journal/format.h"
#include "journal/journal.h"
#include "tests/journal/records.h"
#include "tests/journal/sim_disk.h"

namespace weir::journal::testing {

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    options_.directory = "d";
    options_.segment_bytes = 64 << 10;
    options_.own_thread = false;
    options_.clock = [this] { return now_; };
    LogOptions log;
    log.sampling_enabled = false;
    log.writer = [this](std::string_view line) { log_ += line; };
    log_output_ = OpenLog(std::move(log)).value();
    options_.logger = Logger(*log_output_);
  }

  void Open(std::vector<std::string> readers = {"a"}) {
    auto journal = Journal::Open(options_, disk_, std::move(readers));
    ASSERT_TRUE(journal.ok()) << journal.status();
    journal_ = *std::move(journal);
  }
  void Reopen(std::vector<std::string> readers = {"a"}) {
    journal_.reset();
    log_.clear();
    Open(std::move(readers));
  }
  void Kill() {
    disk_.FailAfter(0);
    // The first operation that fails may get part of its way.
    EXPECT_FALSE(disk_.SyncDirectory(options_.directory).ok());
    journal_.reset();
    disk_.Killed();
  }

  // Appends records first..last and commits them; the statuses and sequences of the answers.
  absl::Status Append(std::uint64_t first, std::uint64_t last, std::size_t payload_bytes = 1000,
                      ReaderMask destinations = 1, ReaderMask live = 0) {
    absl::Status result;
    for (std::uint64_t number = first; number <= last; ++number) {
      journal_->Append(MakeRecord(number, payload_bytes, destinations), live,
                       [this, &result](const absl::Status& status, Sequence sequence) {
                         result.Update(status);
                         ++answers_;
                         if (status.ok()) {
                           sequences_.push_back(sequence);
                         }
                       });
    }
    journal_->Commit();
    return result;
  }

  std::vector<std::uint64_t> ReadNumbers(std::size_t reader = 0, std::size_t bytes = SIZE_MAX) {
    std::vector<std::uint64_t> numbers;
    for (const StoredRecord& stored : journal_->reader(reader).Read(bytes).records) {
      numbers.push_back(NumberOf(stored.record));
      last_read_ = stored.sequence;
    }
    return numbers;
  }

  std::vector<std::string> Segments() const {
    std::vector<std::string> segments;
    for (const std::string& path : disk_.Paths()) {
      if (path.starts_with(options_.directory + "/0")) {
        segments.push_back(path);
      }
    }
    return segments;
  }
  void Change(const std::string& path, const std::function<void(std::string&)>& change) {
    std::string content = disk_.Content(path);
    ASSERT_FALSE(content.empty()) << path;
    change(content);
    disk_.SetContent(path, std::move(content));
  }
  void Flip(const std::string& path, std::size_t offset) {
    Change(path, [offset](std::string& content) { content.at(offset) ^= 0x10; });
  }

  static std::vector<std::uint64_t> Range(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t number = first; number <= last; ++number) {
      numbers.push_back(number);
    }
    return numbers;
  }

  SimDisk disk_;
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
  std::string log_;
  std::unique_ptr<LogOutput> log_output_;
  Options options_;
  std::unique_ptr<Journal> journal_;
  std::vector<Sequence> sequences_;
  int answers_ = 0;
  Sequence last_read_ = 0;
};

}  // namespace weir::journal::testing

#endif  // WEIR_TESTS_JOURNAL_JOURNAL_FIXTURE_H_

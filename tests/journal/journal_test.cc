#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/journal/journal_fixture.h"

namespace weir::journal::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(JournalTest, KeepsEverythingOfARecord) {
  Open({"a", "b"});
  ASSERT_TRUE(Append(5, 5, 3333, 0b10).ok());
  ASSERT_TRUE(Append(6, 6, 0, 0b11).ok());
  Reopen({"a", "b"});
  const std::vector<StoredRecord> records = journal_->reader(1).Read(SIZE_MAX).records;
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].sequence, 1U);
  EXPECT_TRUE(SameRecord(records[0].record, MakeRecord(5, 3333)));
  EXPECT_EQ(records[0].record.destinations, 0b10U);
  EXPECT_TRUE(SameRecord(records[1].record, MakeRecord(6, 0)));
  EXPECT_THAT(ReadNumbers(0), ElementsAre(6));
  EXPECT_THAT(ReadNumbers(0), IsEmpty());
  EXPECT_THAT(ReadNumbers(1), IsEmpty());
}

TEST_F(JournalTest, CommitsWhatWaitsWithOneSync) {
  Open();
  const std::uint64_t before = journal_->syncs();
  ASSERT_TRUE(Append(1, 40).ok());
  EXPECT_EQ(answers_, 40);
  EXPECT_EQ(journal_->syncs() - before, 1U);
}

TEST_F(JournalTest, LiveRecordsAreNotRead) {
  Open();
  ASSERT_TRUE(Append(1, 1, 100, 1, 1).ok());
  ASSERT_TRUE(Append(2, 3, 100).ok());
  journal_->reader(0).Skip(sequences_[1]);
  EXPECT_EQ(journal_->reader(0).unread_records(), 1U);
  EXPECT_THAT(ReadNumbers(), ElementsAre(3));
  journal_->reader(0).Return(sequences_[0]);
  EXPECT_EQ(journal_->reader(0).unread_records(), 1U);
  EXPECT_THAT(ReadNumbers(), ElementsAre(1));
  journal_->reader(0).Acknowledge(sequences_[0]);
  journal_->reader(0).Return(sequences_[0]);
  EXPECT_THAT(ReadNumbers(), IsEmpty());
  EXPECT_EQ(journal_->reader(0).backlog().records, 2U);
}

TEST_F(JournalTest, ReadsInPiecesAndByBudget) {
  Open();
  ASSERT_TRUE(Append(1, 4, 1000).ok());
  EXPECT_THAT(ReadNumbers(0, 1), ElementsAre(1));
  EXPECT_THAT(ReadNumbers(0, 2500), ElementsAre(2, 3));
  MemoryBudget budget(100);
  const ReadResult refused = journal_->reader(0).Read(SIZE_MAX, &budget);
  EXPECT_TRUE(refused.refused_by_budget);
  EXPECT_THAT(refused.records, IsEmpty());
  EXPECT_EQ(budget.used(), 0U);
  budget.set_limit(5000);
  {
    const ReadResult read = journal_->reader(0).Read(SIZE_MAX, &budget);
    EXPECT_EQ(read.records.size(), 1U);
    EXPECT_GE(budget.used(), 1000U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST_F(JournalTest, BacklogIsKnownAfterOpening) {
  Open();
  EXPECT_EQ(journal_->reader(0).backlog().oldest, std::nullopt);
  ASSERT_TRUE(Append(1, 3, 1000).ok());
  const Backlog before = journal_->reader(0).backlog();
  EXPECT_EQ(before.records, 3U);
  EXPECT_EQ(before.items, 3U + 6U + 1U);  // Of two parts, of three, of one.
  EXPECT_GT(before.bytes, 3000U);
  for (const bool killed : {false, true}) {
    if (killed) {
      Kill();
      Open();
    } else {
      Reopen();
    }
    const Backlog after = journal_->reader(0).backlog();
    EXPECT_EQ(after.records, before.records);
    EXPECT_EQ(after.items, before.items);
    EXPECT_EQ(after.bytes, before.bytes);
    ASSERT_TRUE(after.oldest.has_value());
    EXPECT_EQ(after.oldest->time_since_epoch(), std::chrono::seconds(1'700'000'000));
  }
}

// Scenario: two readers, one of which is stuck on one record while the other goes on.
// Guarantees: only the segment with that record stays; data is not written twice.
TEST_F(JournalTest, AStuckReaderHoldsOneSegmentOnly) {
  Open({"fast", "stuck"});
  const std::uint64_t records = 600;  // Of a kilobyte: ten segments.
  for (std::uint64_t i = 1; i <= records; i += 20) {
    ASSERT_TRUE(Append(i, i + 19, 1000, 0b11, 0b11).ok());
  }
  EXPECT_LT(journal_->bytes_on_disk(), records * 1200);
  const std::size_t all = Segments().size();
  ASSERT_GE(all, 9U);
  for (const Sequence sequence : sequences_) {
    journal_->reader(0).Acknowledge(sequence);
    if (sequence != 100) {
      journal_->reader(1).Acknowledge(sequence);
    }
  }
  ASSERT_TRUE(journal_->Checkpoint().ok());
  EXPECT_EQ(Segments().size(), 2U);  // And the one that is written to.
  Reopen({"fast", "stuck"});
  EXPECT_EQ(journal_->damage(), Damage{});
  EXPECT_THAT(ReadNumbers(0), IsEmpty());
  EXPECT_THAT(ReadNumbers(1), ElementsAre(100));
  journal_->reader(1).Acknowledge(100);
  ASSERT_TRUE(journal_->Close().ok());
  EXPECT_THAT(Segments(), IsEmpty());
  EXPECT_EQ(journal_->bytes_on_disk(), 0U);
}

TEST_F(JournalTest, SequencesGoOnAfterEverythingIsGone) {
  Open();
  ASSERT_TRUE(Append(1, 5, 10, 1, 1).ok());
  for (const Sequence sequence : sequences_) {
    journal_->reader(0).Acknowledge(sequence);
  }
  Reopen();
  EXPECT_THAT(Segments(), IsEmpty());
  ASSERT_TRUE(Append(6, 6).ok());
  EXPECT_EQ(sequences_.back(), 6U);
}

TEST_F(JournalTest, AnIntervalSyncsLaterAndAllAtOnce) {
  options_.fsync = Fsync::kInterval;
  options_.fsync_interval = std::chrono::seconds(1);
  Open();
  const std::uint64_t before = journal_->syncs();
  ASSERT_TRUE(Append(1, 3).ok());
  ASSERT_TRUE(Append(4, 6).ok());
  EXPECT_EQ(answers_, 6);
  EXPECT_EQ(journal_->syncs(), before);
  now_ += std::chrono::seconds(1);
  journal_->Commit();
  EXPECT_EQ(journal_->syncs(), before + 1);
  journal_->Commit();
  EXPECT_EQ(journal_->syncs(), before + 1);
  // A failed one moves what it was for to a new segment.
  ASSERT_TRUE(Append(7, 8).ok());
  disk_.set_failing_syncs(1);
  now_ += std::chrono::seconds(1);
  journal_->Commit();
  EXPECT_EQ(Append(9, 9).code(), absl::StatusCode::kUnavailable);
  disk_.set_failing_syncs(0);
  ASSERT_TRUE(Append(10, 10).ok());
  now_ += std::chrono::seconds(1);
  journal_->Commit();
  disk_.FailAfter(0);
  journal_.reset();
  disk_.PowerLoss();
  Open();
  EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 10));
}

TEST_F(JournalTest, ASizeLimitRefusesUntilSpaceIsBack) {
  options_.max_size_bytes = 1 << 20;
  Open();
  std::uint64_t number = 1;
  while (Append(number, number, 10000, 1, 1).ok()) {
    ASSERT_LT(++number, 200U);
  }
  EXPECT_LE(journal_->bytes_on_disk(), options_.max_size_bytes);
  EXPECT_GT(journal_->bytes_on_disk(), options_.max_size_bytes * 8 / 10);
  EXPECT_EQ(Append(500, 500, 10000).code(), absl::StatusCode::kResourceExhausted);
  for (Sequence sequence = 1; sequence <= 20; ++sequence) {
    journal_->reader(0).Acknowledge(sequence);
  }
  EXPECT_TRUE(Append(501, 501, 10000).ok());
}

TEST_F(JournalTest, DropOldestLeavesWhatTheCallerHas) {
  Open();
  ASSERT_TRUE(Append(1, 1, 1000, 1, 1).ok());
  ASSERT_TRUE(Append(2, 6, 1000).ok());
  EXPECT_THAT(ReadNumbers(0, 1), ElementsAre(2));
  const Dropped dropped = journal_->reader(0).DropOldest(1500);
  EXPECT_EQ(dropped.records, 2U);  // 3 and 4.
  EXPECT_EQ(dropped.items, 1U + 3U);
  EXPECT_EQ(dropped.items_by_signal[SignalIndex(kSignals[0])], 1U);
  EXPECT_EQ(dropped.items_by_signal[SignalIndex(kSignals[1])], 3U);
  EXPECT_GE(dropped.bytes, 2000U);
  EXPECT_THAT(ReadNumbers(), ElementsAre(5, 6));
  EXPECT_EQ(journal_->reader(0).DropOldest(1).records, 0U);
  EXPECT_EQ(journal_->reader(0).backlog().records, 4U);
}

TEST_F(JournalTest, ANewReaderStartsAtTheTailAndAnAbsentOneHolds) {
  Open({"old"});
  ASSERT_TRUE(Append(1, 5).ok());
  Reopen({"new"});
  EXPECT_THAT(journal_->recovered().absent_readers, ElementsAre("old"));
  EXPECT_THAT(log_, HasSubstr("reader=old"));
  EXPECT_THAT(ReadNumbers(), IsEmpty());
  ASSERT_TRUE(Append(6, 7).ok());
  EXPECT_THAT(ReadNumbers(), ElementsAre(6, 7));
  EXPECT_EQ(journal_->absent_backlogs().at("old").records, 5U);
  EXPECT_EQ(journal_->Forget("new").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(journal_->Forget("other").code(), absl::StatusCode::kNotFound);
  Reopen({"new", "old"});
  EXPECT_THAT(ReadNumbers(1), ElementsAre(1, 2, 3, 4, 5));
  Reopen({"new"});
  ASSERT_TRUE(journal_->Forget("old").ok());
  EXPECT_THAT(journal_->absent_backlogs(), IsEmpty());
  EXPECT_EQ(journal_->Forget("old").code(), absl::StatusCode::kNotFound);
  const std::size_t segments = Segments().size();
  ASSERT_TRUE(journal_->Checkpoint().ok());
  EXPECT_EQ(Segments().size(), segments - 1);
  Reopen({"new", "old"});
  EXPECT_THAT(ReadNumbers(0), ElementsAre(6, 7));
  EXPECT_THAT(ReadNumbers(1), IsEmpty());
}

TEST_F(JournalTest, TotalsStayWhereNobodyHasNewOnes) {
  const Totals totals = {{"in", 5}, {"dropped", UINT64_MAX}};
  options_.totals = [&totals] { return totals; };
  Open();
  options_.totals = nullptr;
  Reopen();
  EXPECT_EQ(journal_->recovered().totals, totals);
  Reopen();
  EXPECT_EQ(journal_->recovered().totals, totals);
}

TEST_F(JournalTest, ALockedDirectoryIsRefused) {
  Open();
  const auto second = Journal::Open(options_, disk_, {"a"});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(JournalTest, ARecordThatIsTooLargeIsRefusedForGood) {
  Open();
  Record record = MakeRecord(1, 10);
  record.context = Slice::Copy(std::string(kHeadBytesMax, 'x'));
  absl::Status answer;
  journal_->Append(std::move(record), 0,
                   [&answer](const absl::Status& status, Sequence) { answer = status; });
  EXPECT_EQ(answer.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(JournalTest, WhatIsAppendedAfterCloseIsRefused) {
  Open();
  ASSERT_TRUE(journal_->Close().ok());
  absl::Status answer;
  journal_->Append(MakeRecord(1, 10), 0,
                   [&answer](const absl::Status& status, Sequence) { answer = status; });
  EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
}

TEST_F(JournalTest, FindsTheQueuesOfACollector) {
  std::string database(4096, '\0');
  database.replace(16, 4, "\xED\xDA\x0C\xED", 4);
  disk_.SetContent("d/exporter_otlp__traces", database);
  disk_.SetContent("d/exporter_otlp_2_logs", database);
  disk_.SetContent("d/receiver_filelog_", database);
  disk_.SetContent("d/exporter_notes", "mine");
  EXPECT_THAT(FindForeignQueues(disk_, "d"),
              ElementsAre("exporter_otlp_2_logs", "exporter_otlp__traces"));
}

}  // namespace
}  // namespace weir::journal::testing

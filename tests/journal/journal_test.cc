#include "journal/journal.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "journal/format.h"
#include "tests/journal/records.h"
#include "tests/journal/sim_disk.h"

namespace weir::journal::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

TEST_F(JournalTest, ABitFlipCostsOneRecord) {
  Open();
  ASSERT_TRUE(Append(1, 9).ok());
  journal_.reset();
  const std::string segment = Segments().at(0);
  const std::size_t payload =
      disk_.Content(segment).find(std::string(MakeRecord(4, 1000).parts[0].bytes.view()));
  Flip(segment, payload + 5);
  Open();
  EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2, 3, 5, 6, 7, 8, 9));
  EXPECT_EQ(journal_->damage(), (Damage{.records = 1, .segments_damaged = 1}));
  EXPECT_THAT(log_, HasSubstr("is damaged and lost"));
  EXPECT_EQ(journal_->reader(0).backlog().records, 8U);
  // The segment is kept, also when it is reclaimed.
  const std::string aside = "d/quarantine/" + segment.substr(2);
  for (Sequence sequence = 1; sequence <= 9; ++sequence) {
    journal_->reader(0).Acknowledge(sequence);
  }
  ASSERT_TRUE(journal_->Close().ok());
  EXPECT_THAT(Segments(), IsEmpty());
  EXPECT_FALSE(disk_.Content(aside).empty());
}

// Scenario: a killed journal, so that its segment has no footer, in which a head or a payload is
// damaged; everything is on the disk, as the records behind say.
TEST_F(JournalTest, DamageInAnOpenSegmentIsFoundWhenItIsOpened) {
  for (const bool in_head : {false, true}) {
    options_.directory = in_head ? "head" : "payload";
    Open();
    for (std::uint64_t number = 1; number <= 9; ++number) {
      ASSERT_TRUE(Append(number, number).ok());
    }
    Kill();
    const std::string segment = Segments().at(0);
    const std::string context = "record 4";
    const std::size_t head = disk_.Content(segment).find(context);
    Flip(segment, in_head ? head + 1 : head + 100);
    Open();
    EXPECT_EQ(journal_->damage(), (Damage{.records = 1, .segments_damaged = 1}));
    EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2, 3, 5, 6, 7, 8, 9));
    EXPECT_FALSE(disk_.Content(options_.directory + "/quarantine/" + SegmentName(1)).empty());
    // Said once.
    Kill();
    Open();
    EXPECT_EQ(journal_->damage(), Damage{});
    EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2, 3, 5, 6, 7, 8, 9));
    journal_.reset();
  }
}

TEST_F(JournalTest, ATornTailIsCutOff) {
  Open();
  ASSERT_TRUE(Append(1, 3).ok());
  Kill();
  const std::string segment = Segments().at(0);
  const std::size_t whole = disk_.Content(segment).size();
  std::string torn;
  EncodeRecordHead(MakeRecord(4, 1000), 4, 3, 123, torn);
  Change(segment, [&](std::string& content) { content += torn + std::string(100, 'x'); });
  Open();
  EXPECT_EQ(journal_->recovered().torn_bytes, torn.size() + 100);
  EXPECT_EQ(journal_->damage(), Damage{});
  EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2, 3));
  EXPECT_EQ(disk_.Content(segment).substr(whole).find(torn), std::string::npos);
  Reopen();
  EXPECT_EQ(journal_->recovered().torn_bytes, 0U);
}

TEST_F(JournalTest, ATruncatedSegmentIsDamage) {
  Open();
  ASSERT_TRUE(Append(1, 9).ok());
  journal_.reset();
  Change(Segments().at(0), [](std::string& content) { content.resize(5000); });
  Open();
  EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(journal_->damage(), (Damage{.records = 5, .segments_damaged = 1}));
}

TEST_F(JournalTest, ADeletedSegmentIsCountedAndTheRestIsRead) {
  Open();
  for (std::uint64_t i = 1; i <= 180; i += 20) {
    ASSERT_TRUE(Append(i, i + 19).ok());
  }
  journal_.reset();
  const std::vector<std::string> segments = Segments();
  ASSERT_GE(segments.size(), 3U);
  ASSERT_TRUE(disk_.Unlink(segments[1]).ok());
  Open();
  EXPECT_EQ(journal_->damage(), (Damage{.segments_missing = 1}));
  EXPECT_THAT(log_, HasSubstr("segments_missing=1"));
  const std::vector<std::uint64_t> numbers = ReadNumbers();
  EXPECT_GT(numbers.size(), 100U);
  EXPECT_LT(numbers.size(), 180U);
  EXPECT_EQ(numbers.back(), 180U);
  Reopen();
  EXPECT_EQ(journal_->damage(), Damage{});
}

TEST_F(JournalTest, AnUnknownVersionIsLeftAlone) {
  Open();
  ASSERT_TRUE(Append(1, 3).ok());
  journal_.reset();
  const std::string segment = Segments().at(0);
  Change(segment, [](std::string& content) {
    content[8] = 9;                                 // The version,
    content[44] = static_cast<char>(~content[44]);  // and so another checksum.
  });
  const std::string content = disk_.Content(segment);
  Open();
  EXPECT_THAT(journal_->recovered().ignored_files, ElementsAre(segment.substr(2)));
  EXPECT_THAT(log_, HasSubstr("does not know"));
  EXPECT_THAT(ReadNumbers(), IsEmpty());
  ASSERT_TRUE(Append(4, 4).ok());
  EXPECT_THAT(ReadNumbers(), ElementsAre(4));
  journal_->reader(0).Acknowledge(last_read_);
  journal_.reset();
  EXPECT_EQ(disk_.Content(segment), content);
  // A version that knows it again finds what it had.
  Change(segment, [](std::string& changed) {
    changed[8] = 1;
    changed[44] = static_cast<char>(~changed[44]);
  });
  Open();
  EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2, 3));
}

TEST_F(JournalTest, LostPositionsDeliverEverythingAgain) {
  options_.totals = [] { return Totals{{"out", 7}}; };
  Open({"a", "b"});
  ASSERT_TRUE(Append(1, 5, 100, 0b11).ok());
  ReadNumbers(0);
  for (Sequence sequence = 1; sequence <= 3; ++sequence) {
    journal_->reader(0).Acknowledge(sequence);
  }
  Reopen({"a", "b"});
  EXPECT_EQ(journal_->recovered().totals, (Totals{{"out", 7}}));
  EXPECT_THAT(ReadNumbers(0), ElementsAre(4, 5));
  journal_.reset();
  for (const bool removed : {false, true}) {
    if (removed) {
      ASSERT_TRUE(disk_.Unlink("d/positions").ok());
    } else {
      disk_.SetContent("d/positions", std::string(1000, 'x'));
    }
    // "b" is known from the segments.
    Open({"a", "c"});
    EXPECT_TRUE(journal_->recovered().positions_lost);
    EXPECT_THAT(log_, HasSubstr("positions of the journal are lost"));
    EXPECT_EQ(journal_->damage(), Damage{});
    EXPECT_THAT(ReadNumbers(0), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(ReadNumbers(1), IsEmpty());
    EXPECT_EQ(journal_->absent_backlogs().at("b").records, 5U);
    journal_.reset();
  }
}

TEST_F(JournalTest, OneDamagedSlotFallsBackToTheOther) {
  Open();
  ASSERT_TRUE(Append(1, 5, 100).ok());
  journal_->reader(0).Acknowledge(1);
  ASSERT_TRUE(journal_->Checkpoint().ok());
  journal_->reader(0).Acknowledge(2);
  ASSERT_TRUE(journal_->Checkpoint().ok());
  Kill();
  const std::string content = disk_.Content("d/positions");
  for (const std::size_t slot : {std::size_t{0}, content.size() / 2}) {
    std::string damaged = content;
    damaged[slot + 45] ^= 1;
    disk_.SetContent("d/positions", damaged);
    Open();
    EXPECT_FALSE(journal_->recovered().positions_lost);
    EXPECT_THAT(ReadNumbers().size(), ::testing::AnyOf(3, 4));
    Kill();
  }
}

TEST_F(JournalTest, AFullDiskIsPushbackAndHeals) {
  Open();
  ASSERT_TRUE(Append(1, 10).ok());
  disk_.set_capacity(disk_.used_bytes() + 5000);
  EXPECT_EQ(Append(11, 30).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(log_, HasSubstr("cannot write"));
  // What is small enough still fits.
  ASSERT_TRUE(Append(31, 31).ok());
  disk_.set_capacity(SimDisk::kUnlimited);
  ASSERT_TRUE(Append(32, 33).ok());
  EXPECT_THAT(log_, HasSubstr("writes again"));
  std::vector<std::uint64_t> expected = Range(1, 10);
  expected.insert(expected.end(), {31, 32, 33});
  EXPECT_EQ(ReadNumbers(), expected);
  Reopen();
  EXPECT_EQ(journal_->damage(), Damage{});
  EXPECT_EQ(ReadNumbers(), expected);
}

// Scenario: the disk is full of what has been acknowledged already.
TEST_F(JournalTest, AFullDiskIsReclaimedAtOnce) {
  Open();
  ASSERT_TRUE(Append(1, 100, 1000, 1, 1).ok());
  for (const Sequence sequence : sequences_) {
    journal_->reader(0).Acknowledge(sequence);
  }
  disk_.set_capacity(disk_.used_bytes() + 100);
  EXPECT_TRUE(Append(101, 120).ok());
}

TEST_F(JournalTest, AFailedSyncIsWrittenAgainElsewhere) {
  Open();
  ASSERT_TRUE(Append(1, 3).ok());
  disk_.set_failing_syncs(1);
  EXPECT_EQ(Append(4, 6).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(answers_, 6);
  disk_.set_failing_syncs(0);
  ASSERT_TRUE(Append(7, 9).ok());
  EXPECT_EQ(sequences_, (std::vector<Sequence>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(Segments().size(), 2U);
  disk_.FailAfter(0);
  journal_.reset();
  disk_.PowerLoss();
  Open();
  EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2, 3, 7, 8, 9));
  EXPECT_EQ(journal_->damage(), Damage{});
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

TEST_F(JournalTest, ADiskThatFailsToReadLosesNothing) {
  Open();
  ASSERT_TRUE(Append(1, 2).ok());
  disk_.FailAfter(0);
  const ReadResult failed = journal_->reader(0).Read(SIZE_MAX);
  EXPECT_TRUE(failed.disk_failed);
  EXPECT_THAT(failed.records, IsEmpty());
  disk_.FailAfter(SimDisk::kUnlimited / 2);
  EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2));
  EXPECT_EQ(journal_->damage(), Damage{});
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

// What disks and people do to a journal: damage, full disks, failing syncs.

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

using DamageTest = JournalTest;

TEST_F(DamageTest, ABitFlipCostsOneRecord) {
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
TEST_F(DamageTest, DamageInAnOpenSegmentIsFoundWhenItIsOpened) {
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

TEST_F(DamageTest, ATornTailIsCutOff) {
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

TEST_F(DamageTest, ATruncatedSegmentIsDamage) {
  Open();
  ASSERT_TRUE(Append(1, 9).ok());
  journal_.reset();
  Change(Segments().at(0), [](std::string& content) { content.resize(5000); });
  Open();
  EXPECT_THAT(ReadNumbers(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(journal_->damage(), (Damage{.records = 5, .segments_damaged = 1}));
}

TEST_F(DamageTest, ADeletedSegmentIsCountedAndTheRestIsRead) {
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

TEST_F(DamageTest, AnUnknownVersionIsLeftAlone) {
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

TEST_F(DamageTest, LostPositionsDeliverEverythingAgain) {
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

TEST_F(DamageTest, OneDamagedSlotFallsBackToTheOther) {
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

TEST_F(DamageTest, AFullDiskIsPushbackAndHeals) {
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
TEST_F(DamageTest, AFullDiskIsReclaimedAtOnce) {
  Open();
  ASSERT_TRUE(Append(1, 100, 1000, 1, 1).ok());
  for (const Sequence sequence : sequences_) {
    journal_->reader(0).Acknowledge(sequence);
  }
  disk_.set_capacity(disk_.used_bytes() + 100);
  EXPECT_TRUE(Append(101, 120).ok());
}

// Scenario: the same, all of it in the segment that is being written.
TEST_F(DamageTest, AFullDiskIsReclaimedFromTheSegmentAtHand) {
  Open();
  ASSERT_TRUE(Append(1, 10).ok());
  disk_.set_capacity(disk_.used_bytes() + 100);
  EXPECT_EQ(Append(11, 20).code(), absl::StatusCode::kResourceExhausted);
  for (const Sequence sequence : sequences_) {
    journal_->reader(0).Acknowledge(sequence);
  }
  EXPECT_TRUE(Append(21, 25).ok());
}

TEST_F(DamageTest, AFailedSyncIsWrittenAgainElsewhere) {
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

TEST_F(DamageTest, ADiskThatFailsToReadLosesNothing) {
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

}  // namespace
}  // namespace weir::journal::testing

// The pieces under the journal: ranges, bytes of segments and positions.

#include <cstdint>
#include <random>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "journal/format.h"
#include "journal/positions.h"
#include "journal/range_set.h"
#include "journal/segment_scan.h"
#include "tests/journal/records.h"
#include "tests/journal/sim_disk.h"

namespace weir::journal::testing {
namespace {

TEST(RangeSet, IsASet) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    RangeSet ranges;
    std::set<std::uint64_t> model;
    for (int step = 0; step < 200; ++step) {
      const std::uint64_t value = random() % 60;
      if (random() % 3 == 0) {
        ranges.Remove(value);
        model.erase(value);
      } else {
        const std::uint64_t end = value + (random() % 5);
        ranges.Add(value, end);
        for (std::uint64_t i = value; i < end; ++i) {
          model.insert(i);
        }
      }
      std::uint64_t expected_missing = value;
      while (model.contains(expected_missing)) {
        ++expected_missing;
      }
      ASSERT_EQ(ranges.FirstMissing(value), expected_missing);
      ASSERT_EQ(ranges.End(), model.empty() ? 0 : *model.rbegin() + 1);
      std::uint64_t before = 0;
      for (const auto& [begin, end] : ranges.ranges()) {
        ASSERT_LT(begin, end);
        ASSERT_TRUE(before == 0 || begin > before);
        before = end;
      }
      for (std::uint64_t i = 0; i < 70; ++i) {
        ASSERT_EQ(ranges.Contains(i), model.contains(i)) << i;
      }
    }
  }
}

TEST(Format, Crc32cIsTheStandardOne) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), Crc32c("123456789"));
  EXPECT_EQ(Crc32c(""), 0U);
}

TEST(Format, SegmentNamesAreNumbers) {
  EXPECT_EQ(SegmentName(7), "0000000000000007.segment");
  EXPECT_EQ(SegmentNumber("0000000000000007.segment"), 7U);
  for (const char* const name :
       {"7.segment", "000000000000000x.segment", "0000000000000007.segment2", "positions", "",
        "-000000000000007.segment"}) {
    EXPECT_EQ(SegmentNumber(name), std::nullopt) << name;
  }
}

TEST(Format, AHeaderWithAnyBitFlippedIsNotGood) {
  const SegmentHeader header{.number = 3, .first_sequence = 9, .readers = {"a", "otlp/2"}};
  const std::string bytes = EncodeSegmentHeader(header);
  SegmentHeader decoded;
  ASSERT_EQ(DecodeSegmentHeader(bytes, decoded), HeaderState::kGood);
  EXPECT_EQ(decoded.readers, header.readers);
  EXPECT_EQ(decoded.first_sequence, 9U);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const bool version = bit / 8 >= 8 && bit / 8 < 12;
    // The checksum holds with our version, so the version is what flipped.
    EXPECT_EQ(DecodeSegmentHeader(flipped, decoded),
              version ? HeaderState::kGood : HeaderState::kDamaged)
        << bit;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeSegmentHeader(bytes.substr(0, size), decoded), HeaderState::kDamaged);
  }
}

TEST(Format, ARecordWithAnyByteChangedIsRefused) {
  const Record record = MakeRecord(2, 100);
  std::string bytes;
  std::string payload;
  for (const Part& part : record.parts) {
    payload += part.bytes.view();
  }
  EncodeRecordHead(record, 5, 4, Crc32c(payload), bytes);
  bytes += payload;
  bytes.resize(AlignedUp(bytes.size()));
  ASSERT_EQ(bytes.size(), RecordBytes(record));
  const std::size_t covered = bytes.size() - (bytes.size() - AlignedUp(bytes.size() - 7));
  const std::optional<StoredRecord> stored = DecodeRecord(Slice::Copy(bytes));
  ASSERT_TRUE(stored.has_value());
  EXPECT_TRUE(SameRecord(stored->record, record));
  for (std::size_t i = 0; i + 8 < covered; ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] + 1);
    EXPECT_FALSE(DecodeRecord(Slice::Copy(changed)).has_value()) << i;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeRecord(Slice::Copy(bytes.substr(0, size))).has_value());
  }
}

TEST(Format, PositionsComeBack) {
  Positions positions{.synced = 5, .next = 90};
  positions.readers["a"].Add(0, 7);
  positions.readers["a"].Add(9, 12);
  positions.readers["b"];
  positions.totals = {{"out", 12}, {"dropped", UINT64_MAX}};
  const std::string bytes = EncodePositions(positions);
  EXPECT_EQ(DecodePositions(bytes), positions);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodePositions(bytes.substr(0, size)), std::nullopt);
  }
  EXPECT_EQ(DecodePositions(bytes + "x"), std::nullopt);
}

// Scenario: far more scattered acknowledgements than the file was made for.
TEST(PositionFile, Grows) {
  SimDisk disk;
  PositionFile file(disk, "d", PositionFile::Load(disk, "d"));
  Positions positions;
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < 10000; ++i) {
      positions.readers["a"].Add((i * 2) + (static_cast<std::uint64_t>(round) * 20000));
    }
    ASSERT_TRUE(file.Write(positions).ok());
    ASSERT_TRUE(file.Sync().ok());
    EXPECT_EQ(PositionFile::Load(disk, "d").positions, positions);
  }
}

}  // namespace
}  // namespace weir::journal::testing

#include "weir/wire/varint.h"

#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "google/protobuf/io/coded_stream.h"
#include "gtest/gtest.h"

namespace weir::wire {
namespace {

const char* End(const std::string& bytes) { return bytes.data() + bytes.size(); }

TEST(Varint, ReadsBackWhatItWrites) {
  for (int bits = 0; bits <= 64; ++bits) {
    const std::uint64_t top =
        bits == 64 ? std::numeric_limits<std::uint64_t>::max() : (std::uint64_t{1} << bits) - 1;
    for (const std::uint64_t value : {top, top + 1, top / 3}) {
      std::array<char, kVarintBytesMax> buffer;
      char* const end = WriteVarint(buffer.data(), value);
      EXPECT_EQ(end - buffer.data(), static_cast<std::ptrdiff_t>(VarintSize(value)));
      EXPECT_EQ(VarintSize(value), google::protobuf::io::CodedOutputStream::VarintSize64(value));
      const Varint64 read = ReadVarint(buffer.data(), end);
      EXPECT_EQ(read.next, end);
      EXPECT_EQ(read.value, value);
      // Cut anywhere, it is refused.
      for (const char* cut = buffer.data(); cut != end; ++cut) {
        EXPECT_EQ(ReadVarint(buffer.data(), cut).next, nullptr);
      }
    }
  }
}

TEST(Varint, PadsToTheWidthAsked) {
  for (int width = 2; width <= kVarintBytesMax; ++width) {
    std::array<char, kVarintBytesMax> buffer;
    char* const end = WritePaddedVarint(buffer.data(), 300, width);
    ASSERT_EQ(end - buffer.data(), width);
    EXPECT_EQ(ReadVarint(buffer.data(), end).value, 300u);
    EXPECT_EQ(ReadVarint(buffer.data(), end).next, end);
  }
}

TEST(Varint, RefusesElevenBytes) {
  const std::string ten = std::string(9, '\x80') + std::string(1, '\0');
  EXPECT_EQ(ReadVarint(ten.data(), End(ten)).next, End(ten));
  const std::string eleven = std::string(10, '\x80') + std::string(1, '\0');
  EXPECT_EQ(ReadVarint(eleven.data(), End(eleven)).next, nullptr);
}

TEST(Tag, TakesFiveBytesAndNoMore) {
  const std::string five("\x8a\x80\x80\x80\x00", 5);
  EXPECT_EQ(ReadTag(five.data(), End(five)).value, 0x0au);
  const std::string six("\x8a\x80\x80\x80\x80\x00", 6);
  EXPECT_EQ(ReadTag(six.data(), End(six)).next, nullptr);
  EXPECT_EQ(TagField(0x82), 16u);
  EXPECT_EQ(TagType(0x82), WireType::kLength);
}

TEST(Length, NeverPassesTheEnd) {
  const std::string fits(
      "\x03"
      "abc");
  EXPECT_EQ(ReadLength(fits.data(), End(fits)).value, 3u);
  const std::string two(
      "\x83\x00"
      "abc",
      5);
  EXPECT_EQ(ReadLength(two.data(), End(two)).next, two.data() + 2);
  EXPECT_EQ(ReadLength(two.data(), End(two)).value, 3u);
  const std::string overlong(
      "\x83\x80\x80\x80\x00"
      "abc",
      8);
  EXPECT_EQ(ReadLength(overlong.data(), End(overlong)).value, 3u);
  const std::string past(
      "\x04"
      "abc");
  EXPECT_EQ(ReadLength(past.data(), End(past)).next, nullptr);
  const std::string past_two(
      "\x84\x00"
      "abc",
      5);
  EXPECT_EQ(ReadLength(past_two.data(), End(past_two)).next, nullptr);
  const std::string huge("\xff\xff\xff\xff\x0f", 5);
  EXPECT_EQ(ReadLength(huge.data(), End(huge)).next, nullptr);
  EXPECT_EQ(ReadLength(huge.data(), huge.data()).next, nullptr);
}

TEST(SkipField, SkipsGroupsThatMatch) {
  // Group 2 holding a varint and group 3.
  const std::string group("\x08\x01\x1b\x1c\x14", 5);
  EXPECT_EQ(SkipField(group.data(), End(group), MakeTag(2, WireType::kStartGroup)), End(group));
  EXPECT_EQ(SkipField(group.data(), End(group), MakeTag(4, WireType::kStartGroup)), nullptr);
  EXPECT_EQ(SkipField(group.data(), End(group), MakeTag(2, WireType::kStartGroup), 1), nullptr);
  EXPECT_EQ(SkipField(group.data(), End(group) - 1, MakeTag(2, WireType::kStartGroup)), nullptr);
}

TEST(SkipField, RefusesWhatIsNoField) {
  const std::string bytes(16, '\x01');
  EXPECT_EQ(SkipField(bytes.data(), End(bytes), 0), nullptr);
  EXPECT_EQ(SkipField(bytes.data(), End(bytes), 1 << 3 | 6), nullptr);
  EXPECT_EQ(SkipField(bytes.data(), End(bytes), 1 << 3 | 7), nullptr);
  EXPECT_EQ(SkipField(bytes.data(), End(bytes), MakeTag(1, WireType::kEndGroup)), nullptr);
  EXPECT_EQ(SkipField(bytes.data(), bytes.data() + 7, MakeTag(1, WireType::kFixed64)), nullptr);
  EXPECT_EQ(SkipField(bytes.data(), bytes.data() + 3, MakeTag(1, WireType::kFixed32)), nullptr);
}

}  // namespace
}  // namespace weir::wire

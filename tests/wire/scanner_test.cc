#include "weir/wire/scanner.h"

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "tests/wire/decoded_request.h"
#include "tests/wire/random_request.h"
#include "tests/wire/seed.h"
#include "weir/wire/varint.h"

namespace weir::wire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::string Field(std::uint32_t number, std::string_view value) {
  std::array<char, 2 * kVarintBytesMax> head;
  char* end = WriteVarint(head.data(), MakeTag(number, WireType::kLength));
  end = WriteVarint(end, value.size());
  return std::string(head.data(), end) + std::string(value);
}

// A trace request around one span's bytes.
std::string WithSpan(std::string_view span) { return Field(1, Field(2, Field(2, span))); }

ScanResult Full(std::string_view request) {
  return Scan(Signal::kTraces, request, ScanDepth::kFull);
}
ScanResult Structure(std::string_view request) {
  return Scan(Signal::kTraces, request, ScanDepth::kStructure);
}

// Full depth says what protobuf says; structure depth accepts at least that, with the same count.
void ExpectAgreement(Signal signal, std::string_view request) {
  const std::optional<std::uint64_t> decoded = testing::DecodeItems(signal, request);
  const ScanResult full = Scan(signal, request, ScanDepth::kFull);
  const ScanResult structure = Scan(signal, request, ScanDepth::kStructure);
  ASSERT_EQ(full.ok(), decoded.has_value())
      << ScanErrorName(full.error) << " at " << full.error_offset << " of " << request.size();
  if (decoded.has_value()) {
    EXPECT_EQ(full.items, *decoded);
    ASSERT_TRUE(structure.ok()) << ScanErrorName(structure.error);
  } else {
    EXPECT_LE(full.error_offset, request.size());
  }
  if (full.ok()) {
    EXPECT_EQ(structure.items, *decoded);
  }
}

TEST(Scan, AcceptsNothing) {
  for (const Signal signal : kSignals) {
    EXPECT_TRUE(Scan(signal, "", ScanDepth::kFull).ok());
    EXPECT_EQ(Scan(signal, "", ScanDepth::kStructure).items, 0u);
  }
}

TEST(Scan, SaysWhyAndWhere) {
  struct Case {
    std::string request;
    ScanError error;
    std::size_t offset;
  };
  const std::string eleven = std::string(10, '\x80') + std::string(1, '\0');
  const std::vector<Case> cases = {
      {"\x0a", ScanError::kTruncated, 1},
      {"\x0a\x05", ScanError::kTruncated, 1},
      {"\x0a\x80", ScanError::kTruncated, 1},
      {"\x0a\x80\x80\x80\x80\x80", ScanError::kBadVarint, 1},
      {"\x0a\xff\xff\xff\xff\x0f", ScanError::kBadVarint, 1},
      {"\x8a", ScanError::kTruncated, 0},
      {"\x8a\x80\x80\x80\x80\x80", ScanError::kBadVarint, 0},
      {"\x10", ScanError::kTruncated, 1},
      {"\x10" + eleven, ScanError::kBadVarint, 1},
      {"\x19"
       "1234567",
       ScanError::kTruncated, 0},
      {"\x1d"
       "123",
       ScanError::kTruncated, 0},
      {"\x02", ScanError::kBadTag, 0},
      {"\x0e", ScanError::kBadTag, 0},
      {"\x0f", ScanError::kBadTag, 0},
      {"\x0c", ScanError::kBadTag, 0},
      {"\x23", ScanError::kBadGroup, 0},
      {"\x23\x2c", ScanError::kBadGroup, 0},
  };
  for (const Case& test : cases) {
    for (const ScanDepth depth : {ScanDepth::kStructure, ScanDepth::kFull}) {
      const ScanResult scan = Scan(Signal::kTraces, test.request, depth);
      EXPECT_EQ(scan.error, test.error) << ::testing::PrintToString(test.request);
      EXPECT_EQ(scan.error_offset, test.offset) << ::testing::PrintToString(test.request);
    }
    EXPECT_FALSE(testing::DecodeItems(Signal::kTraces, test.request).has_value());
  }
}

// Scenario: an item whose inside is wrong in each way.
// Guarantees: structure depth counts it all the same; full depth refuses it with the reason.
TEST(Scan, LooksInsideItemsInFullDepthOnly) {
  const std::vector<std::pair<std::string, ScanError>> cases = {
      {Field(5, "\xff"), ScanError::kBadUtf8},
      {Field(3, "\xed\xa0\x80"), ScanError::kBadUtf8},
      {"\x2a\x05"
       "abc",
       ScanError::kTruncated},
      {Field(9, Field(1, "\xff") + Field(2, Field(1, "v"))), ScanError::kBadUtf8},
      {Field(9, Field(1, "k") + Field(2, Field(1, "\xff"))), ScanError::kBadUtf8},
      {Field(9, Field(1, "k") + Field(2, "\x18\x80")), ScanError::kTruncated},
      {Field(9, Field(1, "k") + "\x12\x04\x0a\x01v"), ScanError::kTruncated},
      {Field(11, Field(2, "\xc0")), ScanError::kBadUtf8},
      {Field(15, "\x07"), ScanError::kBadTag},
  };
  for (const auto& [span, error] : cases) {
    const std::string request = WithSpan(span) + WithSpan("");
    EXPECT_EQ(Full(request).error, error) << ::testing::PrintToString(span);
    EXPECT_GT(Full(request).error_offset, 0u);
    EXPECT_TRUE(Structure(request).ok());
    EXPECT_EQ(Structure(request).items, 2u);
    ExpectAgreement(Signal::kTraces, request);
  }
  EXPECT_TRUE(Full(WithSpan(Field(1, "\xff\xfe"))).ok()) << "bytes fields hold anything";
}

TEST(Scan, ConcatenatedRequestsAreOne) {
  const std::string one = WithSpan(Field(5, "a")) + WithSpan(Field(5, "b"));
  EXPECT_EQ(Full(one + one + one).items, 6u);
}

// Scenario: attributes nest arrays in arrays, and unknown groups nest, ever deeper.
// Guarantees: the last depth that protobuf accepts is the last that the scan accepts.
TEST(Scan, NestsAsDeepAsProtobuf) {
  bool refused = false;
  std::string value = Field(1, "v");
  std::string groups;
  for (int depth = 0; depth < 110; ++depth) {
    value = depth % 2 == 0 ? Field(5, Field(1, value))
                           : Field(6, Field(1, Field(1, "k") + Field(2, value)));
    groups = "\x9b\x01" + groups + "\x9c\x01";
    const std::string span = WithSpan(Field(9, Field(1, "k") + Field(2, value)));
    ExpectAgreement(Signal::kTraces, span);
    ExpectAgreement(Signal::kTraces, groups);
    ExpectAgreement(Signal::kTraces, WithSpan(groups));
    refused = refused || Full(span).error == ScanError::kTooDeep;
  }
  EXPECT_TRUE(refused);
}

// Scenario: a plain attribute, which takes the short cut, where the last levels are.
// Guarantees: the short cut keeps the nesting limit.
TEST(Scan, ShortCutKeepsTheNestingLimit) {
  std::string list = Field(1, Field(1, "k") + Field(2, Field(1, "v")));
  for (int depth = 0; depth < 60; ++depth) {
    ExpectAgreement(Signal::kTraces, WithSpan(Field(9, Field(2, Field(6, list)))));
    list = Field(1, Field(1, "k") + Field(2, Field(6, list)));
  }
}

TEST(Scan, CountsTheDataPointsThatADecoderKeeps) {
  const std::string two_points = Field(1, "") + Field(1, "");
  const auto metric = [](std::string_view data) { return Field(1, Field(2, Field(2, data))); };
  const std::vector<std::pair<std::string, std::uint64_t>> cases = {
      {metric(Field(5, two_points)), 2},
      {metric(Field(5, two_points) + Field(5, two_points)), 4},
      {metric(Field(5, two_points) + Field(7, Field(1, ""))), 1},
      {metric(Field(5, two_points) + Field(7, "") + Field(5, Field(1, ""))), 1},
      {metric(Field(9, two_points)) + metric(Field(10, two_points)) + metric(Field(11, two_points)),
       6},
      {metric(Field(1, "name")), 0},
  };
  for (const auto& [request, items] : cases) {
    EXPECT_EQ(Scan(Signal::kMetrics, request, ScanDepth::kStructure).items, items);
    ExpectAgreement(Signal::kMetrics, request);
  }
}

TEST(Scan, NamesEveryError) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kScanErrorCount; ++i) {
    names.insert(ScanErrorName(static_cast<ScanError>(i)));
  }
  EXPECT_EQ(names.size(), kScanErrorCount);
}

// Calls visit(field, wrap) for every field of every message that a request can hold; wrap(bytes) is
// a request around bytes put where the field's message would be.
void ForEachField(
    Signal signal,
    const std::function<void(const FieldDescriptor&,
                             const std::function<std::string(std::string_view)>&)>& visit) {
  using Path = std::vector<std::uint32_t>;
  std::map<const Descriptor*, Path> seen;
  std::vector<const Descriptor*> queue = {testing::NewRequest(signal)->GetDescriptor()};
  seen[queue[0]] = {};
  for (std::size_t at = 0; at < queue.size(); ++at) {
    const Descriptor* const type = queue[at];
    const Path path = seen[type];
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      visit(field, [&path](std::string_view bytes) {
        std::string request(bytes);
        for (auto it = path.rbegin(); it != path.rend(); ++it) {
          request = Field(*it, request);
        }
        return request;
      });
      const Descriptor* const inner = field.message_type();
      if (inner != nullptr && !seen.contains(inner)) {
        Path inner_path = path;
        inner_path.push_back(static_cast<std::uint32_t>(field.number()));
        seen[inner] = inner_path;
        queue.push_back(inner);
      }
    }
  }
}

// Scenario: for every field of the schema, bytes that are wrong for its kind, in every wire type.
// Guarantees: the scanner's tables know every field that protobuf looks into, as protobuf does.
TEST(Scan, KnowsEveryFieldOfTheSchema) {
  const std::vector<std::string> values = {
      "",     "abcdefgh",       "abcdefghi",      "\xff",          "\x07",
      "\x80", Field(1, "\xff"), Field(2, "\xff"), Field(3, "\x07")};
  for (const Signal signal : kSignals) {
    int fields = 0;
    ForEachField(signal, [&](const FieldDescriptor& field, const auto& wrap) {
      SCOPED_TRACE(field.full_name());
      ++fields;
      const auto number = static_cast<std::uint32_t>(field.number());
      for (const std::string& value : values) {
        ExpectAgreement(signal, wrap(Field(number, value)));
        for (const WireType type : {WireType::kVarint, WireType::kFixed64, WireType::kFixed32,
                                    WireType::kStartGroup, WireType::kEndGroup}) {
          std::array<char, kTagBytesMax> tag;
          char* const end = WriteVarint(tag.data(), MakeTag(number, type));
          ExpectAgreement(signal, wrap(std::string(tag.data(), end) + value));
        }
      }
    });
    EXPECT_GT(fields, 40);
  }
}

// Scenario: thousands of random requests in odd but legal forms, and the same with broken bytes.
// Guarantees: full depth accepts, refuses and counts exactly as protobuf's own parser.
TEST(Scan, AgreesWithProtobufOnRandomRequests) {
  const std::uint64_t seed = testing::TestSeed();
  SCOPED_TRACE(::testing::Message() << "WEIR_TEST_SEED=" << std::hex << seed);
  testing::RandomRequest random(seed);
  int legal = 0;
  int broken = 0;
  for (int round = 0; round < 1500; ++round) {
    const Signal signal = kSignals[random.Below(kSignalCount)];
    const std::string plain = random.Make(signal);
    const std::string odd = random.Distort(signal, plain);
    ASSERT_NO_FATAL_FAILURE(ExpectAgreement(signal, plain)) << "round " << round;
    ASSERT_NO_FATAL_FAILURE(ExpectAgreement(signal, odd)) << "round " << round;
    legal += Scan(signal, odd, ScanDepth::kFull).ok() ? 1 : 0;
    for (int i = 0; i < 4; ++i) {
      const std::string bad = random.Break(i % 2 == 0 ? plain : odd);
      ASSERT_NO_FATAL_FAILURE(ExpectAgreement(signal, bad)) << "round " << round;
      broken += Scan(signal, bad, ScanDepth::kFull).ok() ? 0 : 1;
    }
  }
  // Both sides of the comparison were exercised.
  EXPECT_GT(legal, 500);
  EXPECT_GT(broken, 2000);
}

}  // namespace
}  // namespace weir::wire

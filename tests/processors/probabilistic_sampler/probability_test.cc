#include "processors/probabilistic_sampler/probability.h"

#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "processors/probabilistic_sampler/trace_state.h"

namespace weir::processors::probabilistic_sampler {
namespace {

std::string Rounded(double probability, int precision) {
  const auto threshold = ToThreshold(probability, precision);
  return threshold.has_value() ? FormatThreshold(*threshold) : "out of range";
}

TEST(Threshold, RoundsToSignificantDigits) {
  EXPECT_EQ(Rounded(1.0 / 3, 3), "aab");
  EXPECT_EQ(Rounded(2.0 / 3, 3), "555");
  EXPECT_EQ(Rounded(1, 3), "0");
  EXPECT_EQ(Rounded(1.0 / 3, 0), "aaaaaaaaaaaaac");
  const double seven = 1 - 0x456789ap-28;
  EXPECT_EQ(Rounded(seven, 0), "456789a");
  EXPECT_EQ(Rounded(seven, 6), "45678a");
  EXPECT_EQ(Rounded(seven, 4), "4568");
  EXPECT_EQ(Rounded(seven, 1), "4");
  // Leading digits 0 and f do not count.
  EXPECT_EQ(Rounded(1 - 0x456789ap-40, 3), "000456");
  EXPECT_EQ(Rounded(1 - 0x789abcdefp-40, 1), "08");
  EXPECT_EQ(Rounded(1 - 0x80801p-28, 3), "00808");
  EXPECT_EQ(Rounded(0.01, 4), "fd70a");
}

TEST(Threshold, ReachesDownToTheLeastProbability) {
  EXPECT_EQ(Rounded(0x1p-56, 3), "ffffffffffffff");
  EXPECT_EQ(Rounded(0x3p-56, 3), "fffffffffffffd");
  EXPECT_EQ(Rounded(0x10p-56, 3), "fffffffffffff");
  EXPECT_EQ(Rounded(0x1p-57, 3), "out of range");
  EXPECT_EQ(Rounded(0, 3), "out of range");
  EXPECT_EQ(Rounded(1.5, 3), "out of range");
  EXPECT_EQ(Rounded(std::nan(""), 3), "out of range");
}

TEST(Threshold, FollowsNeighbouringProbabilities) {
  EXPECT_EQ(Rounded(std::nextafter(15.0 / 16, 0), 0), "10000000000008");
  EXPECT_EQ(Rounded(std::nextafter(0.25, 0), 0), "c0000000000002");
  EXPECT_EQ(Rounded(std::nextafter(1.0 / 16, 0), 0), "f");
}

TEST(Threshold, ParsesWhatItFormats) {
  EXPECT_EQ(ParseThreshold("8"), Threshold{1} << 55);
  EXPECT_EQ(ParseThreshold("C0"), Threshold{3} << 54);
  EXPECT_EQ(ParseThreshold("0"), kAlwaysSample);
  EXPECT_EQ(ParseThreshold(""), std::nullopt);
  EXPECT_EQ(ParseThreshold("g"), std::nullopt);
  EXPECT_EQ(ParseThreshold("123456789012345"), std::nullopt);
  EXPECT_EQ(FormatThreshold(kNeverSample), "");
  EXPECT_EQ(ParseRandomness("0000000000000f"), Randomness{15});
  EXPECT_EQ(ParseRandomness("0f"), std::nullopt);
  EXPECT_EQ(FormatRandomness(15), "0000000000000f");
  EXPECT_EQ(Probability(ParseThreshold("c").value()), 0.25);
}

TEST(Randomness, IsTheLastSevenBytesOfATraceId) {
  EXPECT_EQ(RandomnessOfTraceId(std::string("12345678\xff\x01\x02\x03\x04\x05\x06\x07", 16)),
            0x01020304050607U);
}

TEST(Hash, IsFnvWithTheSeedInFront) {
  const std::string trace_id("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10",
                             16);
  EXPECT_EQ(Fnv1a(trace_id, 0), 3743685157U);
  EXPECT_EQ(Fnv1a(trace_id, 22), 3630412867U);
  EXPECT_EQ(Fnv1a("id-1", 7), 2785586421U);
  EXPECT_EQ(FormatRandomness(RandomnessByHash(trace_id, 0)), "976837c4f25a25");
  EXPECT_EQ(FormatRandomness(RandomnessByHash(trace_id, 22)), "2ef03615863443");
  EXPECT_EQ(FormatRandomness(RandomnessByHash("id-1", 0)), "0c7436e3bbbce2");
}

// Scenario: random ids at many percentages, decided by threshold and by the hash's own buckets.
// Guarantees: both say the same, as decisions must not change between versions of a fleet.
TEST(Hash, DecidesByThresholdAsByBuckets) {
  std::mt19937_64 random(7);
  int kept = 0;
  for (const float percentage : {0.01F, 0.5F, 1.0F, 15.0F, 33.3F, 50.0F, 99.99F, 100.0F}) {
    const auto accepted =
        static_cast<std::uint32_t>(percentage * (static_cast<float>(kHashBuckets) / 100.0F));
    for (int i = 0; i < 3000; ++i) {
      const std::string id = std::to_string(random());
      const auto seed = static_cast<std::uint32_t>(i % 5);
      const bool by_bucket = (Fnv1a(id, seed) & (kHashBuckets - 1)) < accepted;
      ASSERT_EQ(ShouldSample(HashThreshold(percentage), RandomnessByHash(id, seed)), by_bucket);
      kept += by_bucket ? 1 : 0;
    }
  }
  EXPECT_GT(kept, 5000);
  EXPECT_EQ(HashThreshold(0.004F), kNeverSample);  // Less than a bucket, rounded down.
}

struct TraceStateCase {
  std::string_view text;
  bool valid;
  std::string_view again;
};

TEST(TraceState, ParsesAndFormats) {
  const std::string long_value(300, 'v');
  const std::string long_state = "a=" + std::string(1100, 'v');
  const std::vector<TraceStateCase> cases = {
      {"", true, ""},
      {"ot=th:8", true, "ot=th:8"},
      {"a=b, ot=th:c;rv:0123456789abcd ,c=d", true, "ot=rv:0123456789abcd;th:c,a=b,c=d"},
      {"ot=x:1;th:8;y:", true, "ot=th:8;x:1;y:"},
      {"t1@sys=v,,a=b", true, "t1@sys=v,a=b"},
      {"ot=rv:1", false, ""},
      {"ot=th:123456789abcdef", false, ""},
      {"ot=th:8;rv:zz", false, "ot=th:8"},
      {"ot=th", false, ""},
      {"ot=th:8;", false, ""},
      {"ot=TH:8", false, ""},
      {"A=b", false, ""},
      {"a", false, ""},
      {"a=", false, ""},
      {"a=b=c", false, ""},
      {long_state, false, ""},
  };
  for (const TraceStateCase& test : cases) {
    TraceState state;
    EXPECT_EQ(state.Parse(test.text), test.valid) << test.text;
    EXPECT_EQ(state.Format(state.sampling()), test.again) << test.text;
  }
  TraceState state;
  EXPECT_FALSE(state.Parse("a=" + long_value));
  std::string many;
  for (int i = 0; i < 31; ++i) {
    many += "k" + std::to_string(i) + "=v,";
  }
  EXPECT_TRUE(state.Parse(many.substr(0, many.size() - 1)));
  EXPECT_FALSE(state.Parse(many + "last=v"));
}

}  // namespace
}  // namespace weir::processors::probabilistic_sampler

#include "load/statistics.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "load/random.h"

namespace weir::load {
namespace {

using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using namespace std::chrono_literals;

TEST(LatencyHistogram, EmptyIsZero) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), 0ns);
  EXPECT_EQ(histogram.Quantile(1), 0ns);
  EXPECT_EQ(histogram.max(), 0ns);
}

TEST(LatencyHistogram, SmallValuesAreExact) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100; ++i) {
    histogram.Record(nanoseconds(i));
  }
  EXPECT_EQ(histogram.Quantile(0), 1ns);
  EXPECT_EQ(histogram.Quantile(0.5), 50ns);
  EXPECT_EQ(histogram.Quantile(0.99), 99ns);
  EXPECT_EQ(histogram.Quantile(1), 100ns);
}

TEST(LatencyHistogram, ExtremesAreHeld) {
  LatencyHistogram histogram;
  histogram.Record(-5ns);
  EXPECT_EQ(histogram.Quantile(1), 0ns);
  histogram.Record(nanoseconds::max());
  EXPECT_EQ(histogram.Quantile(1), nanoseconds::max());
  EXPECT_EQ(histogram.count(), 2u);
}

// Guarantees: each quantile is at or up to 1.6 % above that of the sorted values.
TEST(LatencyHistogram, QuantilesAreNearThoseOfSortedValues) {
  Random random(5);
  LatencyHistogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20000; ++i) {
    const auto value = static_cast<std::int64_t>(std::exp(25 * random.Fraction()));
    values.push_back(value);
    histogram.Record(nanoseconds(value));
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto at = static_cast<std::size_t>(std::ceil(share * 20000)) - 1;
    const auto exact = static_cast<double>(values[at]);
    const auto found = static_cast<double>(histogram.Quantile(share).count());
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact * 1.016 + 1) << share;
  }
}

TEST(LatencyHistogram, SinceLeavesOutWhatWasBefore) {
  LatencyHistogram histogram;
  histogram.Record(10ns);
  const LatencyHistogram before = histogram;
  histogram.Record(50ns);
  EXPECT_EQ(histogram.Since(before).count(), 1u);
  EXPECT_EQ(histogram.Since(before).Quantile(0.5), 50ns);
}

TEST(NumberRanges, JoinsWhatTouches) {
  NumberRanges ranges;
  EXPECT_THAT(ranges.List(), IsEmpty());
  ranges.Add(10, 10);
  ranges.Add(30, 10);
  EXPECT_THAT(ranges.List(), ElementsAre(Pair(10, 19), Pair(30, 39)));
  ranges.Add(0, 5);
  ranges.Add(20, 10);
  EXPECT_THAT(ranges.List(), ElementsAre(Pair(0, 4), Pair(10, 39)));
  ranges.Add(15, 3);  // Inside.
  EXPECT_THAT(ranges.List(), ElementsAre(Pair(0, 4), Pair(10, 39)));
  ranges.Add(3, 100);  // Over all.
  EXPECT_THAT(ranges.List(), ElementsAre(Pair(0, 102)));
  EXPECT_TRUE(ranges.complete());
}

TEST(NumberRanges, StopsGrowingAndSaysSo) {
  NumberRanges ranges;
  for (std::uint64_t i = 0; i < NumberRanges::kRangesMax; ++i) {
    ranges.Add(3 * i, 1);
  }
  EXPECT_TRUE(ranges.complete());
  ranges.Add(3 * NumberRanges::kRangesMax, 1);
  EXPECT_FALSE(ranges.complete());
  EXPECT_EQ(ranges.List().size(), NumberRanges::kRangesMax);
}

}  // namespace
}  // namespace weir::load

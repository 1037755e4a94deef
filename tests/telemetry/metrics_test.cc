#include "weir/telemetry/metrics.h"

#include <barrier>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir {
namespace {

using ::testing::ElementsAre;

constexpr MetricSpec kReads{"weir_reads_total", MetricType::kCounter, "{read}", "file", "Reads."};
constexpr MetricSpec kBare{"weir_bare_total", MetricType::kCounter, "", "", "Bare."};
constexpr MetricSpec kLevel{"weir_level", MetricType::kGauge, "", "", "Level."};
constexpr MetricSpec kSizes{"weir_sizes", MetricType::kHistogram, "By", "", "Sizes."};

const MetricFamily* Find(const std::vector<MetricFamily>& families, std::string_view name) {
  for (const MetricFamily& family : families) {
    if (family.name == name) {
      return &family;
    }
  }
  return nullptr;
}

TEST(CounterTest, SameNameAndLabelsGiveTheSameInstrument) {
  MetricRegistry registry;
  Counter& a = registry.GetCounter(kReads, {{"file", "a"}});
  Counter& b = registry.GetCounter(kReads, {{"file", "b"}});
  EXPECT_EQ(&a, &registry.GetCounter(kReads, {{"file", "a"}}));
  EXPECT_NE(&a, &b);
  a.Add();
  a.Add(41);
  EXPECT_EQ(a.Value(), 42u);
  EXPECT_EQ(b.Value(), 0u);
}

// Scenario: more threads than there are rows count at the same time, so that some share rows.
// Guarantees: no count is lost in either kind of row.
TEST(CounterTest, CountsExactlyFromMoreThreadsThanRows) {
  constexpr std::size_t kThreads = kRows + 16;
  constexpr std::uint64_t kAdds = 5000;
  MetricRegistry registry;
  Counter& counter = registry.GetCounter(kBare);
  Histogram& histogram = registry.GetHistogram(kSizes, {}, ExponentialBounds(1, 2.0, 4));
  std::barrier start(kThreads);
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      counter.Add();  // Takes the row.
      start.arrive_and_wait();
      for (std::uint64_t i = 0; i < kAdds; ++i) {
        counter.Add(2);
        histogram.Record(i % 9);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(counter.Value(), kThreads * (1 + 2 * kAdds));
  EXPECT_EQ(histogram.Value().count, kThreads * kAdds);
}

// Scenario: many short threads one after the other, many more than there are rows.
// Guarantees: rows are returned and what the earlier owner counted stays.
TEST(CounterTest, RowsAreReusedByLaterThreads) {
  MetricRegistry registry;
  Counter& counter = registry.GetCounter(kBare);
  std::vector<std::uint32_t> rows;
  for (std::size_t t = 0; t < 3 * kRows; ++t) {
    std::jthread([&] {
      counter.Add();
      rows.push_back(internal::ThreadRow());
    }).join();
  }
  EXPECT_EQ(counter.Value(), 3 * kRows);
  EXPECT_THAT(rows, ::testing::Each(::testing::Lt(kRowsExclusive)));
}

TEST(UpDownCounterTest, RisesAndFallsAcrossThreads) {
  MetricRegistry registry;
  UpDownCounter& held = registry.GetUpDownCounter(kLevel);
  held.Add(5);
  std::jthread([&] { held.Add(-7); }).join();
  EXPECT_EQ(held.Value(), -2);
  held.Add(2);
  EXPECT_EQ(Find(registry.Collect(), "weir_level")->samples[0].value, 0.0);
}

TEST(HistogramTest, PutsValuesIntoBucketsByUpperBoundInclusive) {
  MetricRegistry registry;
  Histogram& sizes = registry.GetHistogram(kSizes, {}, {{10, 20}, 0.5});
  for (const std::uint64_t value : {0u, 10u, 11u, 20u, 21u, 1000u}) {
    sizes.Record(value);
  }
  const HistogramValue value = sizes.Value();
  EXPECT_THAT(value.bucket_counts, ElementsAre(2u, 2u, 2u));
  EXPECT_THAT(value.upper, ElementsAre(5.0, 10.0));
  EXPECT_EQ(value.count, 6u);
  EXPECT_DOUBLE_EQ(value.sum, 1062 * 0.5);
}

TEST(HistogramTest, ExponentialBoundsGrowAndNeverRepeat) {
  EXPECT_THAT(ExponentialBounds(1, 1.2, 8).upper, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(ExponentialBounds(100, 10.0, 3).upper, ElementsAre(100, 1000, 10000));
  const HistogramBounds latency = LatencyBounds();
  EXPECT_EQ(latency.upper.front(), 10'000u);
  EXPECT_GT(static_cast<double>(latency.upper.back()) * latency.scale, 60.0);
}

TEST(MetricScopeTest, InstrumentsLeaveWithTheScope) {
  MetricRegistry registry;
  {
    MetricScope scope(registry);
    scope.GetCounter(kReads, {{"file", "a"}}).Add(3);
    scope.Observe(kLevel, {}, [] { return 1.5; });
    EXPECT_EQ(registry.Collect().size(), 2u);
  }
  EXPECT_TRUE(registry.Collect().empty());
}

// Scenario: a reload builds the new graph before the old one is gone.
// Guarantees: both count into one series, which does not start again.
TEST(MetricScopeTest, TwoScopesShareASeriesAndTheLastRemovesIt) {
  MetricRegistry registry;
  auto old_scope = std::make_unique<MetricScope>(registry);
  old_scope->GetCounter(kReads, {{"file", "a"}}).Add(3);
  MetricScope new_scope(registry);
  Counter& counter = new_scope.GetCounter(kReads, {{"file", "a"}});
  old_scope.reset();
  counter.Add(4);
  EXPECT_EQ(Find(registry.Collect(), "weir_reads_total")->samples[0].value, 7.0);
}

// Scenario: cells of a series that left are given to another one.
// Guarantees: the other one starts at zero.
TEST(MetricScopeTest, ReusedCellsStartAtZero) {
  MetricRegistry registry;
  for (int round = 0; round < 3; ++round) {
    MetricScope scope(registry);
    Counter& counter = scope.GetCounter(kBare);
    Histogram& sizes = scope.GetHistogram(kSizes, {}, ExponentialBounds(1, 2.0, 4));
    EXPECT_EQ(counter.Value(), 0u);
    EXPECT_EQ(sizes.Value().count, 0u);
    counter.Add(9);
    sizes.Record(3);
  }
}

TEST(MetricScopeTest, ALaterObservationHidesAnEarlierOneUntilItGoes) {
  MetricRegistry registry;
  MetricScope old_scope(registry);
  old_scope.Observe(kLevel, {}, [] { return 1.0; });
  {
    MetricScope new_scope(registry);
    new_scope.Observe(kLevel, {}, [] { return 2.0; });
    EXPECT_EQ(Find(registry.Collect(), "weir_level")->samples[0].value, 2.0);
  }
  EXPECT_EQ(Find(registry.Collect(), "weir_level")->samples[0].value, 1.0);
}

class FixedSource final : public MetricSource {
 public:
  void Collect(std::vector<MetricFamily>& families) const override {
    families.push_back({"weir_reads_total", "Reads.", "", MetricType::kCounter, {{{}, 5.0, {}}}});
    families.push_back({"weir_alone", "Alone.", "", MetricType::kGauge, {{{}, 6.0, {}}}});
  }
};

TEST(MetricRegistryTest, MergesSourcesByNameAndForgetsThem) {
  MetricRegistry registry;
  registry.GetCounter(kReads, {{"file", "a"}});
  const FixedSource source;
  registry.AddSource(source);
  const auto families = registry.Collect();
  ASSERT_EQ(families.size(), 2u);
  EXPECT_EQ(families[0].name, "weir_alone");  // Sorted by name.
  EXPECT_EQ(families[1].samples.size(), 2u);
  registry.RemoveSource(source);
  EXPECT_EQ(registry.Collect().size(), 1u);
}

TEST(MetricRegistryDeathTest, MisuseIsCaughtAtStartUp) {
  MetricRegistry registry;
  registry.GetCounter(kReads, {{"file", "a"}});
  MetricSpec other = kReads;
  other.help = "Other.";
  EXPECT_DEATH(registry.GetCounter(other, {{"file", "a"}}), "help");
  EXPECT_DEATH(registry.GetCounter(kReads, {{"path", "a"}}), "labels");
  EXPECT_DEATH(registry.GetCounter(kReads), "labels");
  EXPECT_DEATH(registry.GetGauge(kReads, {{"file", "a"}}), "kGauge");
  MetricSpec bad_name = kBare;
  bad_name.name = "weir.bare";
  EXPECT_DEATH(registry.GetCounter(bad_name), "IsNameValid");
}

TEST(CellPoolTest, AllocatesPastOneChunkWithoutOverlap) {
  CellPool pool;
  std::vector<CellRun> runs;
  for (int i = 0; i < 5; ++i) {
    runs.push_back(pool.Allocate(200));
    runs.back().Add(0, 1);
    runs.back().Add(199, 2);
  }
  for (const CellRun& run : runs) {
    EXPECT_EQ(run.Sum(0), 1u);
    EXPECT_EQ(run.Sum(199), 2u);
    EXPECT_EQ(run.Sum(100), 0u);
  }
}

}  // namespace
}  // namespace weir

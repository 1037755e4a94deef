#include "load/request_template.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "load/payloads.h"
#include "tests/load/otlp_items.h"
#include "weir/wire/scanner.h"

namespace weir::load {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kNow = 1700000000000000000;

std::string_view Text(Signal signal) { return SignalName(signal); }

// Scenario: every signal, from one item to many, from no attributes to large ones.
// Guarantees: what is sent is legal OTLP down to the last field, with exactly the items asked for.
TEST(RequestTemplate, ScansCleanAtFullDepth) {
  Random random(1);
  Stamp stamp(2);
  stamp.now = stamp.started = kNow;
  for (const Signal signal : kSignals) {
    for (const std::uint32_t items : {1, 5, 7, 100, 1000}) {
      for (const std::uint32_t item_bytes : {0, 10, 200, 5000}) {
        for (const bool numbered : {false, true}) {
          const RequestTemplate made(
              {.signal = signal, .items = items, .item_bytes = item_bytes, .numbered = numbered},
              random);
          for (int i = 0; i < 2; ++i) {
            const Slice request = made.Make(stamp);
            const wire::ScanResult scan =
                wire::Scan(signal, request.view(), wire::ScanDepth::kFull);
            ASSERT_TRUE(scan.ok())
                << wire::ScanErrorName(scan.error) << " at " << scan.error_offset << ": "
                << Text(signal) << ' ' << items << ' ' << item_bytes << ' ' << numbered;
            ASSERT_EQ(scan.items, items) << Text(signal);
            ASSERT_EQ(request.size(), made.bytes());
          }
        }
      }
    }
  }
}

TEST(RequestTemplate, AttributesAreOfTheSizeAskedFor) {
  Random random(1);
  Stamp stamp(2);
  for (const Signal signal : kSignals) {
    for (const std::uint32_t item_bytes : {0, 3, 100, 200, 1000, 20000}) {
      const RequestTemplate made({.signal = signal, .items = 50, .item_bytes = item_bytes}, random);
      for (const Item& item : ItemsOf(signal, made.Make(stamp).view())) {
        EXPECT_LE(item.attribute_bytes, item_bytes) << Text(signal);
        EXPECT_GE(item.attribute_bytes + 8, item_bytes) << Text(signal);
      }
    }
  }
}

// Guarantees: spans are trees: each parent is a span of the same trace that encloses its child,
// each trace has one root, and no id is ever sent twice.
TEST(RequestTemplate, SpansFormTrees) {
  Random random(3);
  const RequestTemplate made({.signal = Signal::kTraces, .items = 100}, random);
  Stamp stamp(4);
  stamp.now = kNow;
  std::set<std::string> ids;
  std::map<std::string, int> roots;
  for (int request = 0; request < 20; ++request) {
    std::map<std::string, Item> spans;
    for (const Item& span : ItemsOf(Signal::kTraces, made.Make(stamp).view())) {
      EXPECT_EQ(span.trace_id.size(), 16u);
      EXPECT_EQ(span.span_id.size(), 8u);
      EXPECT_TRUE(ids.insert(span.span_id).second);
      EXPECT_LE(span.start_time, span.time);
      EXPECT_LE(span.time, kNow);
      EXPECT_GE(span.start_time, kNow - 1000000000);
      roots[span.trace_id] += span.parent_id.empty() ? 1 : 0;
      if (!span.parent_id.empty()) {
        ASSERT_TRUE(spans.contains(span.parent_id));
        const Item& parent = spans[span.parent_id];
        EXPECT_EQ(parent.trace_id, span.trace_id);
        EXPECT_LE(parent.start_time, span.start_time);
        EXPECT_GE(parent.time, span.time);
      }
      spans[span.span_id] = span;
    }
  }
  EXPECT_EQ(roots.size(), 20u * 13);  // 100 spans are 12 whole trees and one of four.
  for (const auto& [trace, count] : roots) {
    EXPECT_EQ(count, 1);
  }
}

TEST(RequestTemplate, LogsCarryTimeAndTrace) {
  Random random(3);
  const RequestTemplate made({.signal = Signal::kLogs, .items = 30}, random);
  Stamp stamp(4);
  stamp.now = kNow;
  std::set<std::string> traces;
  for (const Item& record : ItemsOf(Signal::kLogs, made.Make(stamp).view())) {
    EXPECT_LE(record.time, kNow);
    EXPECT_GE(record.time, kNow - 1000000000);
    EXPECT_EQ(record.observed_time, kNow);
    EXPECT_EQ(record.span_id.size(), 8u);
    traces.insert(record.trace_id);
  }
  EXPECT_EQ(traces.size(), 30u);
}

// Guarantees: points are of now, cumulative counters grow from request to request.
TEST(RequestTemplate, PointsAreOfNowAndCountersGrow) {
  Random random(3);
  const RequestTemplate made({.signal = Signal::kMetrics, .items = 30}, random);
  Stamp stamp(4);
  stamp.now = kNow;
  stamp.started = kNow - 5;
  const std::vector<Item> first = ItemsOf(Signal::kMetrics, made.Make(stamp).view());
  const std::vector<Item> second = ItemsOf(Signal::kMetrics, made.Make(stamp).view());
  ASSERT_EQ(first.size(), 30u);
  int counters = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].time, kNow);
    EXPECT_EQ(first[i].start_time, kNow - 5);
    if (first[i].counter.has_value()) {
      ++counters;
      EXPECT_EQ(*second[i].counter, *first[i].counter + 1);
    }
  }
  EXPECT_EQ(counters, 10);
}

TEST(RequestTemplate, NumbersRunOnToTheLast) {
  Random random(1);
  for (const Signal signal : kSignals) {
    const RequestTemplate made({.signal = signal, .items = 7, .numbered = true}, random);
    Stamp stamp(1);
    for (const std::uint64_t first :
         {std::uint64_t{0}, std::uint64_t{1} << 21, RequestTemplate::kSequenceMax - 14}) {
      stamp.next_sequence = first;
      for (std::uint64_t next = first; next < first + 14; next += 7) {
        const std::vector<Item> items = ItemsOf(signal, made.Make(stamp).view());
        ASSERT_EQ(items.size(), 7u);
        for (std::uint64_t i = 0; i < 7; ++i) {
          EXPECT_EQ(items[i].sequence, next + i) << Text(signal);
        }
      }
    }
  }
}

TEST(RequestTemplate, WithoutNumbersThereIsNone) {
  Random random(1);
  Stamp stamp(1);
  const RequestTemplate made({.signal = Signal::kLogs, .items = 3}, random);
  for (const Item& item : ItemsOf(Signal::kLogs, made.Make(stamp).view())) {
    EXPECT_EQ(item.sequence, std::nullopt);
  }
  EXPECT_EQ(stamp.next_sequence, 0u);
}

TEST(Payloads, SignalsTakeTurnsAndNumbersRunOverAllOfThem) {
  LoadOptions options;
  options.signals = {kSignals.begin(), kSignals.end()};
  options.items_per_request = 10;
  options.numbered = true;
  Payloads payloads(options, kNow);
  std::vector<Signal> signals;
  std::set<std::uint64_t> numbers;
  std::uint64_t items = 0;
  for (int i = 0; i < 20; ++i) {
    const std::uint32_t wanted = i == 19 ? 3 : 10;  // The rest of a count.
    const Payload payload = payloads.Next(wanted, kNow);
    EXPECT_EQ(payload.first_sequence, items);
    const std::vector<Item> made = ItemsOf(payload.signal, payload.bytes.view());
    EXPECT_EQ(made.size(), wanted);
    items += made.size();
    for (const Item& item : made) {
      numbers.insert(item.sequence.value());
    }
    signals.push_back(payload.signal);
  }
  signals.resize(4);
  EXPECT_THAT(signals,
              ElementsAre(Signal::kTraces, Signal::kMetrics, Signal::kLogs, Signal::kTraces));
  EXPECT_EQ(numbers.size(), 193u);
  EXPECT_EQ(*numbers.rbegin(), 192u);
}

TEST(Payloads, EqualSeedsMakeEqualPayloadsAndOthersDoNot) {
  const auto make = [](std::uint64_t seed) {
    LoadOptions options;
    options.seed = seed;
    Payloads payloads(options, kNow);
    std::string all;
    for (int i = 0; i < 6; ++i) {
      all += payloads.Next(100, kNow).bytes.view();
    }
    return all;
  };
  EXPECT_TRUE(make(1) == make(1));
  EXPECT_FALSE(make(1) == make(2));
}

}  // namespace
}  // namespace weir::load

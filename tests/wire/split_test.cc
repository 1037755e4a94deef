#include "weir/wire/split.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "tests/wire/decoded_request.h"
#include "tests/wire/random_request.h"
#include "tests/wire/seed.h"
#include "weir/wire/scanner.h"

namespace weir::wire {
namespace {

using TracesRequest = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using MetricsRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;

// `resources` times `scopes` times `spans`, each span with a name and trace id of its own.
std::string Traces(int resources, int scopes, int spans, std::size_t resource_bytes = 40) {
  TracesRequest request;
  int number = 0;
  for (int r = 0; r < resources; ++r) {
    auto& resource = *request.add_resource_spans();
    auto& attribute = *resource.mutable_resource()->add_attributes();
    attribute.set_key("resource");
    attribute.mutable_value()->set_string_value(std::to_string(r) +
                                                std::string(resource_bytes, 'r'));
    resource.set_schema_url("https://example.test/schema");
    for (int s = 0; s < scopes; ++s) {
      auto& scope = *resource.add_scope_spans();
      scope.mutable_scope()->set_name("scope" + std::to_string(s));
      for (int i = 0; i < spans; ++i) {
        auto& span = *scope.add_spans();
        span.set_name("span" + std::to_string(number));
        std::string trace_id(16, 't');
        trace_id[0] = static_cast<char>(number % 7);
        span.set_trace_id(trace_id);
        ++number;
      }
    }
  }
  return request.SerializeAsString();
}

// What must hold for the parts of a request, however it was cut.
template <typename Part>
void ExpectSameItems(Signal signal, std::string_view request, const std::vector<Part>& parts) {
  const std::optional<testing::DecodedRequest> whole = testing::Decode(signal, request);
  ASSERT_TRUE(whole.has_value());
  testing::DecodedRequest merged;
  std::string concatenated;
  for (const Part& part : parts) {
    std::optional<testing::DecodedRequest> decoded = testing::Decode(signal, part.bytes.view());
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->items, part.items);
    merged.items += decoded->items;
    merged.entries.merge(decoded->entries);
    concatenated += part.bytes.view();
  }
  EXPECT_EQ(merged.items, whole->items);
  EXPECT_EQ(merged.entries, whole->entries);
  EXPECT_EQ(testing::Decode(signal, concatenated)->entries, whole->entries);
}

// The same by counts alone, for requests whose entries would take gigabytes.
template <typename Part>
void ExpectSameCounts(Signal signal, std::uint64_t items, const std::vector<Part>& parts) {
  std::uint64_t sum = 0;
  for (const Part& part : parts) {
    EXPECT_EQ(testing::DecodeItems(signal, part.bytes.view()), part.items);
    sum += part.items;
  }
  EXPECT_EQ(sum, items);
}

TEST(SplitRequest, SharesARequestThatFits) {
  const Slice request = Slice::Copy(Traces(2, 2, 5));
  const auto pieces = SplitRequest(Signal::kTraces, request, 20, request.size(), nullptr);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].bytes.data(), request.data());
  EXPECT_EQ(pieces[0].items, 20u);
  EXPECT_EQ(SplitRequest(Signal::kTraces, request, 0, 0, nullptr).size(), 1u) << "0: no limit";
  const auto empty = SplitRequest(Signal::kTraces, Slice(), 1, 1, nullptr);
  ASSERT_EQ(empty.size(), 1u);
  EXPECT_EQ(empty[0].items, 0u);
}

TEST(SplitRequest, FillsEachPieceToTheLimit) {
  const Slice request = Slice::Copy(Traces(3, 2, 7));
  for (std::uint64_t items_max = 1; items_max <= 43; ++items_max) {
    const auto pieces = SplitRequest(Signal::kTraces, request, items_max, 0, nullptr);
    ASSERT_EQ(pieces.size(), (42 + items_max - 1) / items_max);
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      EXPECT_EQ(pieces[i].items, items_max);
    }
    ExpectSameItems(Signal::kTraces, request.view(), pieces);
  }
}

TEST(SplitRequest, SharesPiecesThatAreRunsOfTheRequest) {
  const Slice request = Slice::Copy(Traces(4, 1, 10));
  const auto pieces = SplitRequest(Signal::kTraces, request, 20, 0, nullptr);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].bytes.data(), request.data());
  EXPECT_EQ(pieces[1].bytes.data(), request.data() + pieces[0].bytes.size());
}

TEST(SplitRequest, KeepsPiecesUnderTheByteLimit) {
  const Slice request = Slice::Copy(Traces(3, 2, 20));
  for (std::size_t bytes_max = 250; bytes_max < request.size(); bytes_max += 37) {
    const auto pieces = SplitRequest(Signal::kTraces, request, 0, bytes_max, nullptr);
    EXPECT_GT(pieces.size(), 1u);
    for (const Piece& piece : pieces) {
      EXPECT_LE(piece.bytes.size(), bytes_max);
    }
    ExpectSameItems(Signal::kTraces, request.view(), pieces);
  }
}

TEST(SplitRequest, LeavesAnItemOverTheByteLimitAlone) {
  TracesRequest request;
  auto& scope = *request.add_resource_spans()->add_scope_spans();
  scope.add_spans()->set_name("before");
  scope.add_spans()->set_name(std::string(5000, 'x'));
  scope.add_spans()->set_name("after");
  const Slice bytes = Slice::Copy(request.SerializeAsString());
  const auto pieces = SplitRequest(Signal::kTraces, bytes, 0, 200, nullptr);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_GT(pieces[1].bytes.size(), 5000u);
  EXPECT_EQ(pieces[1].items, 1u);
  ExpectSameItems(Signal::kTraces, bytes.view(), pieces);
}

// Scenario: a resource nearly as large as the limit, with many small spans.
// Guarantees: it is not repeated for each of them.
TEST(SplitRequest, DoesNotRepeatWhatTakesMostOfThePiece) {
  const Slice request = Slice::Copy(Traces(1, 1, 1000, 9000));
  const auto pieces = SplitRequest(Signal::kTraces, request, 0, 10'000, nullptr);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].items, 1000u);
}

// Scenario: one item a piece is asked for, of a request with a huge resource and many tiny spans.
// Guarantees: what all pieces take is bounded by the request, and nothing is lost.
TEST(SplitRequest, BoundsWhatRepeatingCosts) {
  MemoryBudget budget;
  const Slice request = Slice::Copy(Traces(1, 1, 5000, 100'000));
  const auto pieces = SplitRequest(Signal::kTraces, request, 1, 0, &budget);
  EXPECT_GT(pieces.size(), 50u);
  EXPECT_LT(pieces.size(), 5000u);
  EXPECT_LE(budget.used(), request.size() * (kRepeatFactorMax + 2) + 2 * kRepeatFreeBytes);
  ExpectSameCounts(Signal::kTraces, 5000, pieces);
}

TEST(SplitRequest, ChargesCopiesToTheBudget) {
  MemoryBudget budget;
  {
    const Slice request = Slice::Copy(Traces(1, 1, 10));
    const auto pieces = SplitRequest(Signal::kTraces, request, 5, 0, &budget);
    std::size_t bytes = 0;
    for (const Piece& piece : pieces) {
      bytes += piece.bytes.size();
    }
    EXPECT_GE(budget.used(), bytes);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(SplitRequest, ReturnsAMalformedRequestWhole) {
  const Slice request = Slice::Copy(Traces(1, 1, 4) + "\x0a\x7f");
  const auto pieces = SplitRequest(Signal::kTraces, request, 1, 0, nullptr);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].bytes.size(), request.size());
}

TEST(SplitRequest, SplitsMetricsBetweenDataPoints) {
  MetricsRequest request;
  auto& scope = *request.add_resource_metrics()->add_scope_metrics();
  auto& sum = *scope.add_metrics();
  sum.set_name("sum");
  sum.mutable_sum()->set_is_monotonic(true);
  for (int i = 0; i < 5; ++i) {
    sum.mutable_sum()->add_data_points()->set_as_int(i);
  }
  scope.add_metrics()->set_name("without data");
  auto& summary = *scope.add_metrics();
  summary.mutable_summary()->add_data_points()->set_count(3);
  const Slice bytes = Slice::Copy(request.SerializeAsString());
  const auto pieces = SplitRequest(Signal::kMetrics, bytes, 2, 0, nullptr);
  ASSERT_EQ(pieces.size(), 3u);
  for (const Piece& piece : pieces) {
    EXPECT_EQ(piece.items, 2u);
  }
  ExpectSameItems(Signal::kMetrics, bytes.view(), pieces);
}

// Scenario: random requests in odd but legal forms, cut by random limits.
// Guarantees: the same items with the same resource, scope and metric come out, within the limits.
TEST(SplitRequest, KeepsEveryItemOfRandomRequests) {
  const std::uint64_t seed = testing::TestSeed();
  SCOPED_TRACE(::testing::Message() << "WEIR_TEST_SEED=" << std::hex << seed);
  testing::RandomRequest random(seed);
  int cut = 0;
  for (int round = 0; round < 600; ++round) {
    const Signal signal = kSignals[random.Below(kSignalCount)];
    const std::string odd = random.Distort(signal, random.Make(signal));
    if (!testing::DecodeItems(signal, odd).has_value()) {
      continue;
    }
    const Slice request = Slice::Copy(odd);
    const std::uint64_t items_max = random.Below(6);
    const std::size_t bytes_max = random.OneIn(2) ? 0 : random.Below(odd.size() + 1);
    const auto pieces = SplitRequest(signal, request, items_max, bytes_max, nullptr);
    ASSERT_NO_FATAL_FAILURE(ExpectSameItems(signal, odd, pieces)) << "round " << round;
    cut += pieces.size() > 1 ? 1 : 0;
    for (const Piece& piece : pieces) {
      // Without a byte limit nothing is kept together that could be cut.
      if (items_max != 0 && bytes_max == 0) {
        EXPECT_LE(piece.items, items_max) << "round " << round;
      }
    }
  }
  EXPECT_GT(cut, 100);
}

TEST(PartitionRequest, ByTraceIdInOrderOfAppearance) {
  const Slice request = Slice::Copy(Traces(2, 2, 10));
  const auto parts = PartitionRequest(Signal::kTraces, request, PartitionKey::kTraceId, nullptr);
  ASSERT_EQ(parts.size(), 7u);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(parts[i].key[0], static_cast<char>(i));
    const auto decoded = testing::Decode(Signal::kTraces, parts[i].bytes.view());
    EXPECT_EQ(decoded->trace_ids, std::set<std::string>{parts[i].key});
  }
  ExpectSameItems(Signal::kTraces, request.view(), parts);
}

TEST(PartitionRequest, ByResourceSharesItsBytes) {
  const Slice request = Slice::Copy(Traces(3, 1, 2));
  const auto parts = PartitionRequest(Signal::kTraces, request, PartitionKey::kResource, nullptr);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].bytes.data(), request.data());
  std::set<std::string> keys;
  for (const Partition& part : parts) {
    EXPECT_EQ(part.key.size(), 16u);
    keys.insert(part.key);
  }
  EXPECT_EQ(keys.size(), 3u);

  // The same resources again join theirs.
  const Slice twice = Slice::Copy(Traces(3, 1, 2) + Traces(3, 1, 2));
  const auto joined = PartitionRequest(Signal::kTraces, twice, PartitionKey::kResource, nullptr);
  ASSERT_EQ(joined.size(), 3u);
  EXPECT_EQ(joined[0].items, 4u);
  ExpectSameItems(Signal::kTraces, twice.view(), joined);
}

TEST(PartitionRequest, MetricsHaveNoTraceId) {
  testing::RandomRequest random(3);
  const Slice request = Slice::Copy(random.Make(Signal::kMetrics));
  const auto parts = PartitionRequest(Signal::kMetrics, request, PartitionKey::kTraceId, nullptr);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].key, "");
  EXPECT_EQ(parts[0].bytes.data(), request.data());
}

// Scenario: thousands of traces under a huge resource.
// Guarantees: what all parts take is bounded by the request, and nothing is lost.
TEST(PartitionRequest, BoundsWhatRepeatingCosts) {
  TracesRequest request;
  ASSERT_TRUE(request.ParseFromString(Traces(1, 1, 4000, 100'000)));
  std::uint32_t number = 0;
  for (auto& span : *request.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans()) {
    span.set_trace_id(std::to_string(number++));
  }
  MemoryBudget budget;
  const Slice bytes = Slice::Copy(request.SerializeAsString());
  const auto parts = PartitionRequest(Signal::kTraces, bytes, PartitionKey::kTraceId, &budget);
  EXPECT_GT(parts.size(), 50u);
  EXPECT_LT(parts.size(), 4000u);
  EXPECT_LE(budget.used(), bytes.size() * (kRepeatFactorMax + 2) + 2 * kRepeatFreeBytes);
  ExpectSameCounts(Signal::kTraces, 4000, parts);
}

TEST(PartitionRequest, KeepsEveryItemOfRandomRequests) {
  const std::uint64_t seed = testing::TestSeed();
  SCOPED_TRACE(::testing::Message() << "WEIR_TEST_SEED=" << std::hex << seed);
  testing::RandomRequest random(seed);
  int cut = 0;
  for (int round = 0; round < 600; ++round) {
    const Signal signal = kSignals[random.Below(kSignalCount)];
    const std::string odd = random.Distort(signal, random.Make(signal));
    if (!testing::DecodeItems(signal, odd).has_value()) {
      continue;
    }
    const PartitionKey key = random.OneIn(2) ? PartitionKey::kTraceId : PartitionKey::kResource;
    const auto parts = PartitionRequest(signal, Slice::Copy(odd), key, nullptr);
    ASSERT_NO_FATAL_FAILURE(ExpectSameItems(signal, odd, parts)) << "round " << round;
    cut += parts.size() > 1 ? 1 : 0;
    if (key == PartitionKey::kTraceId && signal != Signal::kMetrics) {
      for (const Partition& part : parts) {
        const auto decoded = testing::Decode(signal, part.bytes.view());
        if (decoded->items > 0) {
          EXPECT_EQ(decoded->trace_ids, std::set<std::string>{part.key}) << "round " << round;
        }
      }
    }
  }
  EXPECT_GT(cut, 100);
}

}  // namespace
}  // namespace weir::wire

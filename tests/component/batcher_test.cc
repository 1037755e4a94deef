#include "weir/component/batcher.h"

#include <gtest/gtest.h>

#include "weir/testkit/recording.h"

namespace weir {
namespace {

using testkit::MakeBatch;

constexpr TimePoint kStart{std::chrono::hours(1)};

Batch WithMetadata(std::string value, std::uint64_t items = 1) {
  Batch batch = MakeBatch(Signal::kTraces, "x", items);
  auto context = std::make_shared<RequestContext>();
  context->metadata = {{"tenant", std::move(value)}};
  batch.set_context(std::move(context));
  return batch;
}

// Settles what a test leaves behind.
struct ClosedList {
  ~ClosedList() {
    for (Batcher::Closed& closed : list) {
      closed.batch.Settle(Outcome::kDelivered);
    }
  }
  std::vector<Batcher::Closed> list;
};

void Add(Batcher& batcher, Batch batch, ClosedList& closed) {
  ASSERT_TRUE(batcher.Add(batch, kStart, closed.list));
}

TEST(BatcherTest, ClosesWhenEnoughItemsCame) {
  Batcher batcher({.items_min = 10}, nullptr);
  ClosedList closed;
  Add(batcher, MakeBatch(Signal::kTraces, "a", 6), closed);
  EXPECT_TRUE(closed.list.empty());
  EXPECT_EQ(batcher.held_items(), 6U);
  Add(batcher, MakeBatch(Signal::kTraces, "b", 6), closed);
  ASSERT_EQ(closed.list.size(), 1U);
  EXPECT_EQ(closed.list[0].batch.items(), 12U);
  EXPECT_EQ(closed.list[0].batch.parts().size(), 2U);
  EXPECT_EQ(closed.list[0].trigger, Batcher::Trigger::kSize);
  EXPECT_EQ(batcher.held_items(), 0U);
}

TEST(BatcherTest, ClosesByAgeOfTheFirst) {
  Batcher batcher({.items_min = 10, .timeout = std::chrono::milliseconds(200)}, nullptr);
  ClosedList closed;
  Add(batcher, MakeBatch(Signal::kTraces, "a", 1), closed);
  EXPECT_EQ(batcher.NextDeadline(), kStart + std::chrono::milliseconds(200));
  batcher.TakeDue(kStart + std::chrono::milliseconds(199), closed.list);
  EXPECT_TRUE(closed.list.empty());
  batcher.TakeDue(kStart + std::chrono::milliseconds(200), closed.list);
  ASSERT_EQ(closed.list.size(), 1U);
  EXPECT_EQ(closed.list[0].trigger, Batcher::Trigger::kTimeout);
  EXPECT_FALSE(batcher.NextDeadline().has_value());
}

TEST(BatcherTest, StaysBelowTheByteCap) {
  Batcher batcher({.items_min = 100, .bytes_max = 8}, nullptr);
  ClosedList closed;
  Add(batcher, MakeBatch(Signal::kTraces, "aaaaa", 1), closed);
  Add(batcher, MakeBatch(Signal::kTraces, "bbbbb", 1), closed);
  ASSERT_EQ(closed.list.size(), 1U);
  EXPECT_EQ(closed.list[0].batch.bytes(), 5U);
  EXPECT_EQ(batcher.held_items(), 1U);
  batcher.TakeAll(closed.list);
}

TEST(BatcherTest, PassesThroughWithoutMinimum) {
  Batcher batcher({.items_min = 0}, nullptr);
  ClosedList closed;
  Add(batcher, MakeBatch(Signal::kLogs, "a", 1), closed);
  EXPECT_EQ(closed.list.size(), 1U);
}

TEST(BatcherTest, KeepsDifferentContextsApart) {
  Batcher batcher({.items_min = 10}, nullptr);
  ClosedList closed;
  Add(batcher, WithMetadata("a"), closed);
  Add(batcher, WithMetadata("b"), closed);
  Add(batcher, WithMetadata("a"), closed);
  batcher.TakeAll(closed.list);
  ASSERT_EQ(closed.list.size(), 2U);
  EXPECT_EQ(closed.list[0].batch.items() + closed.list[1].batch.items(), 3U);
  EXPECT_EQ(batcher.partitions(), 0U);
}

// Scenario: more tenants than metadata_cardinality_limit allows.
// Guarantees: the batch of a new one is refused untouched; known ones go on.
TEST(BatcherTest, LimitsMetadataCardinality) {
  Batcher batcher({.items_min = 10, .metadata_keys = {"tenant"}, .metadata_cardinality_max = 2},
                  nullptr);
  ClosedList closed;
  Add(batcher, WithMetadata("a"), closed);
  Add(batcher, WithMetadata("b"), closed);
  Batch third = WithMetadata("c");
  EXPECT_FALSE(batcher.Add(third, kStart, closed.list));
  EXPECT_EQ(third.items(), 1U);
  third.Settle(Outcome::kRefused);
  Add(batcher, WithMetadata("a"), closed);
  batcher.TakeAll(closed.list);
  EXPECT_EQ(closed.list.size(), 2U);
}

TEST(BatcherTest, WeightsSurviveMerging) {
  Batcher batcher({.items_min = 2}, nullptr);
  ClosedList closed;
  for (const std::uint64_t weight : {5U, 7U}) {
    Batch batch = MakeBatch(Signal::kTraces, "a", 1);
    batch.set_weight(weight);
    Add(batcher, std::move(batch), closed);
  }
  ASSERT_EQ(closed.list.size(), 1U);
  EXPECT_EQ(closed.list[0].batch.weight(), 12U);
}

}  // namespace
}  // namespace weir

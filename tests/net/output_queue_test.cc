#include "net/output_queue.h"

#include <array>
#include <string>

#include "gtest/gtest.h"

namespace weir::net {
namespace {

std::string Gathered(const OutputQueue& queue) {
  std::array<iovec, 64> vectors;
  std::string bytes;
  const std::size_t count = queue.Gather(vectors);
  for (std::size_t i = 0; i < count; ++i) {
    bytes.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
  }
  return bytes;
}

TEST(OutputQueue, KeepsTheOrderOfCopiesAndSlices) {
  OutputQueue queue;
  queue.AppendCopy("head ");
  queue.AppendCopy("er ");
  queue.AppendSlice(Slice::Copy("body "));
  queue.AppendSlice(Slice());
  queue.AppendCopy("trailer");
  EXPECT_EQ(queue.bytes(), 20u);
  EXPECT_EQ(Gathered(queue), "head er body trailer");
  std::array<iovec, 64> vectors;
  EXPECT_EQ(queue.Gather(vectors), 3u);  // The two copies became one.
  queue.Consume(6);
  EXPECT_EQ(Gathered(queue), "r body trailer");
  queue.Consume(14);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.Gather(vectors), 0u);
}

TEST(OutputQueue, HoldsSlicesUntilWritten) {
  MemoryBudget budget;
  OutputQueue queue;
  queue.AppendSlice(Slice::Copy("abcd", &budget));
  queue.AppendCopy("x");
  queue.Consume(3);
  EXPECT_EQ(budget.used(), 4u);
  queue.Consume(1);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(OutputQueue, FrontJoinsSmallPieces) {
  OutputQueue queue;
  std::array<char, 8> scratch;
  EXPECT_EQ(queue.Front(scratch), "");
  queue.AppendCopy("abc");
  queue.AppendSlice(Slice::Copy("def"));
  queue.AppendSlice(Slice::Copy("ghijklmnop"));
  EXPECT_EQ(queue.Front(scratch), "abcdefgh");
  queue.Consume(6);
  EXPECT_EQ(queue.Front(scratch), "ghijklmn");
}

// Scenario: much more small bytes than the arena holds, never fully drained.
// Guarantees: all arrive in order; the queue's memory doesn't grow with what passed through.
TEST(OutputQueue, SurvivesNeverRunningEmpty) {
  OutputQueue queue;
  std::string expected;
  std::string written;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = std::to_string(i) + ",";
    expected += text;
    queue.AppendCopy(text);
    while (queue.bytes() > 10) {
      std::array<char, 4> scratch;
      const std::string_view front = queue.Front(scratch);
      written += front;
      queue.Consume(front.size());
    }
  }
  written += Gathered(queue);
  EXPECT_EQ(written, expected);
}

}  // namespace
}  // namespace weir::net

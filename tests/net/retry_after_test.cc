#include "net/retry_after.h"

#include "gtest/gtest.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

// Wed, 21 Oct 2026 07:28:00 GMT.
const auto kNow = std::chrono::system_clock::from_time_t(1792567680);

TEST(RetryAfter, Seconds) {
  EXPECT_EQ(ParseRetryAfter("0", kNow), 0ms);
  EXPECT_EQ(ParseRetryAfter("120", kNow), 120s);
  EXPECT_EQ(ParseRetryAfter("9223372036854775807", kNow), 24h);
}

TEST(RetryAfter, Date) {
  EXPECT_EQ(ParseRetryAfter("Wed, 21 Oct 2026 07:28:30 GMT", kNow), 30s);
  EXPECT_EQ(ParseRetryAfter("Wed, 21 Oct 2026 07:27:00 GMT", kNow), 0ms);
  EXPECT_EQ(ParseRetryAfter("Wed, 21 Oct 2037 07:28:30 GMT", kNow), 24h);
}

TEST(RetryAfter, NeitherForm) {
  for (const char* value : {"", "-1", "1.5", "soon", "5s", "tomorrow", "10:00",
                            "Xxx, 99 Yyy 2026 99:99:99 GMT", "99999999999999999999"}) {
    EXPECT_EQ(ParseRetryAfter(value, kNow), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace weir::net

#include "weir/config/values.h"

#include <limits>

#include "gtest/gtest.h"

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kLongest = Duration(std::numeric_limits<std::int64_t>::max());

TEST(ValuesTest, DurationsAsGoWritesThem) {
  const struct {
    const char* text;
    Duration value;
  } cases[] = {
      {"0", Duration::zero()},       {"-0", Duration::zero()},
      {"0s", Duration::zero()},      {"5s", seconds(5)},
      {"200ms", milliseconds(200)},  {"1us", microseconds(1)},
      {"1\u00b5s", microseconds(1)}, {"1\u03bcs", microseconds(1)},
      {"7ns", Duration(7)},          {"1h2m3.5s", hours(1) + minutes(2) + milliseconds(3500)},
      {"-1m", minutes(-1)},          {"+1m", minutes(1)},
      {".5s", milliseconds(500)},    {"1.s", seconds(1)},
      {"1.5h", minutes(90)},         {"9223372036854775807ns", kLongest},
  };
  for (const auto& [text, value] : cases) {
    EXPECT_EQ(ParseDuration(text), value) << text;
  }
}

TEST(ValuesTest, NoDurations) {
  for (const char* text : {"",         "5",    "s",   "-",     "+",
                           ".",        ".s",   "5 s", "5x",    "5sec",
                           "1d",       "--1s", "s5",  "1s-1s", "9223372036854775808ns",
                           "3000000h", "1e3s", " 1s", "1s ",   "99999999999999999999s"}) {
    EXPECT_FALSE(ParseDuration(text).has_value()) << text;
  }
}

TEST(ValuesTest, DurationsAreWrittenToBeReadBack) {
  EXPECT_EQ(FormatDuration(seconds(0)), "0s");
  EXPECT_EQ(FormatDuration(seconds(5)), "5s");
  EXPECT_EQ(FormatDuration(minutes(90)), "1h30m");
  EXPECT_EQ(FormatDuration(hours(24)), "24h");
  EXPECT_EQ(FormatDuration(milliseconds(1500)), "1.5s");
  EXPECT_EQ(FormatDuration(milliseconds(-250)), "-250ms");
  EXPECT_EQ(FormatDuration(microseconds(1250)), "1.25ms");
  EXPECT_EQ(FormatDuration(Duration(1001)), "1.001us");
  for (const Duration value : std::initializer_list<Duration>{
           Duration(1), Duration(999'999'999), seconds(3661) + Duration(1), kLongest,
           Duration(-kLongest.count()), milliseconds(-61'001)}) {
    EXPECT_EQ(ParseDuration(FormatDuration(value)), value) << FormatDuration(value);
  }
}

TEST(ValuesTest, ByteSizes) {
  const struct {
    const char* text;
    std::uint64_t bytes;
  } cases[] = {
      {"0", 0},
      {"4194304", 4194304},
      {"4MiB", 4194304},
      {"10mb", 10'000'000},
      {"512kb", 512'000},
      {"1.5KiB", 1536},
      {"1 GiB", 1073741824},
      {"7B", 7},
      {"2TB", 2'000'000'000'000},
      {"18446744073709551615", 18446744073709551615u},
  };
  for (const auto& [text, bytes] : cases) {
    EXPECT_EQ(ParseByteSize(text), ByteSize{bytes}) << text;
  }
  for (const char* text :
       {"", "MiB", "-1", "1XB", "1  KiB", "18446744073709551616", "99999999TiB"}) {
    EXPECT_FALSE(ParseByteSize(text).has_value()) << text;
  }
}

TEST(ValuesTest, ByteSizesAreWrittenToBeReadBack) {
  EXPECT_EQ(FormatByteSize({0}), "0");
  EXPECT_EQ(FormatByteSize({4194304}), "4MiB");
  EXPECT_EQ(FormatByteSize({1000}), "1000");
  for (const std::uint64_t bytes : {1ull, 1024ull, 1ull << 40, (1ull << 30) + 1, ~0ull}) {
    EXPECT_EQ(ParseByteSize(FormatByteSize({bytes})), ByteSize{bytes});
  }
}

TEST(ValuesTest, ComponentIds) {
  EXPECT_EQ(ParseComponentId("otlp"), (ComponentId{"otlp", ""}));
  EXPECT_EQ(ParseComponentId(" otlp / a/b "), (ComponentId{"otlp", "a/b"}));
  EXPECT_EQ(ParseComponentId("otlp/2")->ToString(), "otlp/2");
  for (const char* text : {"", "/", "/2", "otlp/", "otlp/ ", "2otlp", "_a", "ot-lp", "o\xc3\xa9",
                           "otlp/a b", "otlp/a\nb"}) {
    std::string error;
    EXPECT_FALSE(ParseComponentId(text, &error).has_value()) << text;
    EXPECT_NE(error, "") << text;
  }
  EXPECT_TRUE(ParseComponentId(std::string(63, 'a')).has_value());
  EXPECT_FALSE(ParseComponentId(std::string(64, 'a')).has_value());
  EXPECT_FALSE(ParseComponentId("a/" + std::string(1025, 'b')).has_value());
}

}  // namespace
}  // namespace weir

#include "weir/wire/utf8.h"

#include <array>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace weir::wire {
namespace {

TEST(Utf8, AcceptsWhatUnicodeHas) {
  for (const std::string_view text :
       {"", "a", "plain ASCII of more than sixteen bytes", "\x7f", "größe", "\u07ff", "\u0800",
        "\xed\x9f\xbf", "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
}

TEST(Utf8, RefusesEverythingElse) {
  for (const std::string_view text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xef\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff",
        "a\xc3"
        "b"}) {
    EXPECT_FALSE(IsValidUtf8(text));
  }
}

// Scenario: one bad byte at each place of texts of each length up to a few loads.
// Guarantees: no place is overlooked, and the bytes around the text are not looked at.
TEST(Utf8, LooksAtEveryByteAndNoOther) {
  constexpr std::size_t kMargin = 16;
  for (std::size_t size = 0; size <= 80; ++size) {
    std::string bytes(size + 2 * kMargin, '\xff');
    bytes.replace(kMargin, size, std::string(size, 'x'));
    const std::string_view text = std::string_view(bytes).substr(kMargin, size);
    EXPECT_TRUE(IsAscii(text.data(), text.size()));
    for (std::size_t at = 0; at < size; ++at) {
      bytes[kMargin + at] = '\x80';
      EXPECT_FALSE(IsAscii(text.data(), text.size())) << at << " of " << size;
      EXPECT_FALSE(IsValidUtf8(text));
      bytes[kMargin + at] = 'x';
    }
  }
}

}  // namespace
}  // namespace weir::wire

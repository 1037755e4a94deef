#include "wire/json_text.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace weir::wire::json {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD.
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// High bit of each byte that is zero; exact for the lowest such byte, which is enough for "any".
constexpr std::uint64_t ZeroBytes(std::uint64_t word) { return (word - kOnes) & ~word & kHighs; }

// Non-zero when one of eight bytes is a control character, a quote, a backslash, or not ASCII.
constexpr std::uint64_t NeedsCare(std::uint64_t word) {
  return ((word - kOnes * 0x20) & ~word & kHighs) | ZeroBytes(word ^ (kOnes * '"')) |
         ZeroBytes(word ^ (kOnes * '\\')) | (word & kHighs);
}

std::uint64_t LoadWord(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

std::uint64_t LoadHalf(const char* p) {
  std::uint32_t half;
  std::memcpy(&half, p, sizeof half);
  return half;
}

// The `left` bytes at `p`, one to seven, with spaces behind them; overlapping loads need no loop.
std::uint64_t LoadTail(const char* p, std::size_t left) {
  std::uint64_t word;
  if (left >= 4) {
    word = LoadHalf(p) | LoadHalf(p + left - 4) << (8 * (left - 4));
  } else {
    const auto at = [p](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<std::uint8_t>(p[i])) << (8 * i);
    };
    word = at(0) | at(left / 2) | at(left - 1);
  }
  return word | (kOnes * ' ') << (8 * left);
}

constexpr std::array<std::uint8_t, 256> MakeHexValues() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 16; ++i) {
    const auto digit = static_cast<std::uint8_t>(kHexDigits[i]);
    values[digit] = i;
    if (i >= 10) {
      values[digit - 'a' + 'A'] = i;
    }
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> kHexValues = MakeHexValues();

constexpr std::array<std::uint8_t, 256> MakeBase64Values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 64; ++i) {
    values[static_cast<std::uint8_t>(kBase64Digits[i])] = i;
  }
  values['-'] = 62;
  values['_'] = 63;
  return values;
}
constexpr std::array<std::uint8_t, 256> kBase64Values = MakeBase64Values();

std::uint8_t HexValue(char c) { return kHexValues[static_cast<std::uint8_t>(c)]; }

bool IsContinuation(char c) { return (static_cast<std::uint8_t>(c) & 0xc0) == 0x80; }

// Length of the well-formed sequence at `p`, whose first byte is not ASCII; 0 when ill-formed.
std::size_t SequenceLength(const char* p, const char* end) {
  const auto first = static_cast<std::uint8_t>(p[0]);
  const auto left = static_cast<std::size_t>(end - p);
  if (first < 0xc2 || first > 0xf4) {
    return 0;
  }
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (left < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(p[i])) {
      return 0;
    }
  }
  const auto second = static_cast<std::uint8_t>(p[1]);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second > 0x9f;
  const bool too_high = first == 0xf4 && second > 0x8f;
  return overlong || surrogate || too_high ? 0 : length;
}

// Writes at most six bytes.
char* WriteEscaped(char c, char* out) {
  *out++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *out++ = c;
      return out;
    case '\n':
      *out++ = 'n';
      return out;
    case '\r':
      *out++ = 'r';
      return out;
    case '\t':
      *out++ = 't';
      return out;
    default:
      std::memcpy(out, "u00", 3);
      out[3] = kHexDigits[static_cast<std::uint8_t>(c) >> 4];
      out[4] = kHexDigits[static_cast<std::uint8_t>(c) & 15];
      return out + 5;
  }
}

char* WriteUtf8(std::uint32_t point, char* out) {
  if (point < 0x80) {
    *out++ = static_cast<char>(point);
  } else if (point < 0x800) {
    *out++ = static_cast<char>(0xc0 | point >> 6);
    *out++ = static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    *out++ = static_cast<char>(0xe0 | point >> 12);
    *out++ = static_cast<char>(0x80 | (point >> 6 & 0x3f));
    *out++ = static_cast<char>(0x80 | (point & 0x3f));
  } else {
    *out++ = static_cast<char>(0xf0 | point >> 18);
    *out++ = static_cast<char>(0x80 | (point >> 12 & 0x3f));
    *out++ = static_cast<char>(0x80 | (point >> 6 & 0x3f));
    *out++ = static_cast<char>(0x80 | (point & 0x3f));
  }
  return out;
}

// The four hex digits at `p`, or -1.
std::int32_t ReadCodeUnit(const char* p, const char* end) {
  if (end - p < 4) {
    return -1;
  }
  std::int32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint8_t value = HexValue(p[i]);
    if (value == kNoDigit) {
      return -1;
    }
    unit = unit << 4 | value;
  }
  return unit;
}

struct Position {
  const char* in;  // Null when the escape is not legal.
  char* out;
};

// `in` is behind "\u".
Position UnescapeUnicode(const char* in, const char* end, char* out) {
  const std::int32_t unit = ReadCodeUnit(in, end);
  if (unit < 0) {
    return {nullptr, out};
  }
  in += 4;
  auto point = static_cast<std::uint32_t>(unit);
  if (point >= 0xd800 && point < 0xe000) {
    std::int32_t low = -1;
    if (point < 0xdc00 && end - in >= 6 && in[0] == '\\' && in[1] == 'u') {
      low = ReadCodeUnit(in + 2, end);
    }
    if (low < 0xdc00 || low > 0xdfff) {
      point = 0xfffd;  // A lone half; what follows is read on its own.
    } else {
      point = 0x10000 + ((point - 0xd800) << 10) + (static_cast<std::uint32_t>(low) - 0xdc00);
      in += 6;
    }
  }
  return {in, WriteUtf8(point, out)};
}

// `in` is behind the backslash.
Position UnescapeOne(const char* in, const char* end, char* out) {
  if (in == end) {
    return {nullptr, out};
  }
  const char c = *in++;
  switch (c) {
    case '"':
    case '\\':
    case '/':
      *out++ = c;
      return {in, out};
    case 'b':
      *out++ = '\b';
      return {in, out};
    case 'f':
      *out++ = '\f';
      return {in, out};
    case 'n':
      *out++ = '\n';
      return {in, out};
    case 'r':
      *out++ = '\r';
      return {in, out};
    case 't':
      *out++ = '\t';
      return {in, out};
    case 'u':
      return UnescapeUnicode(in, end, out);
    default:
      return {nullptr, out};
  }
}

}  // namespace

std::size_t FindInvalidUtf8(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    if (end - p >= 8 && (LoadWord(p) & kHighs) == 0) {
      p += 8;
    } else if (static_cast<std::uint8_t>(*p) < 0x80) {
      ++p;
    } else {
      const std::size_t length = SequenceLength(p, end);
      if (length == 0) {
        return static_cast<std::size_t>(p - text.data());
      }
      p += length;
    }
  }
  return std::string_view::npos;
}

bool AppendQuoted(std::string_view text, JsonBuffer& out) {
  bool valid = true;
  const char* p = text.data();
  const char* const end = p + text.size();
  // One round takes up to eight bytes or one character. Room for the rest unescaped is asked for
  // once, and again only when escapes have used up the slack.
  constexpr std::size_t kSlack = 64;
  constexpr std::size_t kRoundMax = 16;  // What one round writes past its input, and the quote.
  char* to = out.Reserve(text.size() + kSlack);
  const char* limit = out.data() + out.capacity();
  *to++ = '"';
  while (p != end) {
    const auto left = static_cast<std::size_t>(end - p);
    const std::uint64_t word = left >= 8 ? LoadWord(p) : LoadTail(p, left);
    if (NeedsCare(word) == 0) [[likely]] {
      std::memcpy(to, &word, sizeof word);
      const std::size_t taken = left >= 8 ? 8 : left;
      to += taken;
      p += taken;
      continue;
    }
    if (static_cast<std::size_t>(limit - to) < left + kRoundMax) [[unlikely]] {
      out.Advance(to);
      to = out.Reserve(2 * left + kSlack);
      limit = out.data() + out.capacity();
    }
    const char c = *p;
    if (static_cast<std::uint8_t>(c) >= 0x80) {
      const std::size_t length = SequenceLength(p, end);
      if (length == 0) {
        valid = false;
        std::memcpy(to, kReplacement.data(), kReplacement.size());
        to += kReplacement.size();
        ++p;
      } else {
        std::memcpy(to, p, length);
        to += length;
        p += length;
      }
    } else if (static_cast<std::uint8_t>(c) < 0x20 || c == '"' || c == '\\') {
      to = WriteEscaped(c, to);
      ++p;
    } else {
      *to++ = c;
      ++p;
    }
  }
  *to++ = '"';
  out.Advance(to);
  return valid;
}

char* Unescape(std::string_view text, char* out) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    const auto* escape =
        static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(end - p)));
    const std::size_t plain = static_cast<std::size_t>((escape == nullptr ? end : escape) - p);
    std::memcpy(out, p, plain);
    out += plain;
    if (escape == nullptr) {
      break;
    }
    const Position next = UnescapeOne(escape + 1, end, out);
    if (next.in == nullptr) {
      return nullptr;
    }
    p = next.in;
    out = next.out;
  }
  return out;
}

char* DecodeHex(std::string_view text, char* out) {
  if (text.size() % 2 != 0) {
    return nullptr;
  }
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::uint8_t high = HexValue(text[i]);
    const std::uint8_t low = HexValue(text[i + 1]);
    if ((high | low) == kNoDigit) {
      return nullptr;
    }
    *out++ = static_cast<char>(high << 4 | low);
  }
  return out;
}

char* DecodeBase64(std::string_view text, char* out) {
  // Padding counts only where it fills a group of four.
  for (int i = 0; i < 2 && (text.size() + i) % 4 == 0 && text.ends_with('='); ++i) {
    text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) {
    return nullptr;
  }
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::uint8_t value = kBase64Values[static_cast<std::uint8_t>(c)];
    if (value == kNoDigit) {
      return nullptr;
    }
    bits = bits << 6 | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      *out++ = static_cast<char>(bits >> held);
    }
  }
  return out;
}

void AppendHex(std::string_view bytes, JsonBuffer& out) {
  char* to = out.Reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    *to++ = kHexDigits[byte >> 4];
    *to++ = kHexDigits[byte & 15];
  }
  out.Advance(to);
}

void AppendBase64(std::string_view bytes, JsonBuffer& out) {
  char* to = out.Reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t bits =
        static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i])) << 16 |
        static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i + 1])) << 8 |
        static_cast<std::uint8_t>(bytes[i + 2]);
    *to++ = kBase64Digits[bits >> 18];
    *to++ = kBase64Digits[bits >> 12 & 63];
    *to++ = kBase64Digits[bits >> 6 & 63];
    *to++ = kBase64Digits[bits & 63];
  }
  const std::size_t left = bytes.size() - i;
  if (left > 0) {
    std::uint32_t bits = static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i])) << 16;
    if (left == 2) {
      bits |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i + 1])) << 8;
    }
    *to++ = kBase64Digits[bits >> 18];
    *to++ = kBase64Digits[bits >> 12 & 63];
    *to++ = left == 2 ? kBase64Digits[bits >> 6 & 63] : '=';
    *to++ = '=';
  }
  out.Advance(to);
}

}  // namespace weir::wire::json

#include "wire/json_values.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "weir/wire/varint.h"
#include "wire/json_text.h"

namespace weir::wire::json {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<double> ParseDouble(std::string_view text) {
  if (!IsNumber(text)) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    // Underflow has a nearest value; overflow has none.
    value = std::strtod(std::string(text).c_str(), nullptr);
    return std::isinf(value) ? std::nullopt : std::optional<double>(value);
  }
  return error == std::errc() ? std::optional<double>(value) : std::nullopt;
}

// Whole numbers, 1.0 and 1e3 included.
template <typename Integer>
std::optional<Integer> ParseInteger(std::string_view text) {
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && parsed == end) {
    return value;
  }
  const std::optional<double> number = ParseDouble(text);
  // Both bounds are exact as doubles: the smallest value, and one past the largest.
  constexpr double kLow = static_cast<double>(std::numeric_limits<Integer>::min());
  const double high = std::ldexp(1.0, std::numeric_limits<Integer>::digits);
  if (!number || std::trunc(*number) != *number || *number < kLow || *number >= high) {
    return std::nullopt;
  }
  return static_cast<Integer>(*number);
}

std::uint32_t ZigZag(std::int32_t value) {
  return static_cast<std::uint32_t>(value) << 1 ^ static_cast<std::uint32_t>(value >> 31);
}

ValueResult Error(JsonError error, std::string_view what) { return {error, what}; }
ValueResult NotJson() { return {JsonError::kSyntax, "is not valid JSON"}; }

template <typename Integer>
ValueResult Store(std::optional<Integer> value, std::uint64_t& bits) {
  if (!value) {
    return Error(JsonError::kBadNumber, "is not a number in range");
  }
  bits = static_cast<std::uint64_t>(*value);
  return {};
}

ValueResult ReadDouble(std::string_view text, bool quoted, std::uint64_t& bits) {
  std::optional<double> value;
  if (quoted && text == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (quoted && text == "Infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (quoted && text == "-Infinity") {
    value = -std::numeric_limits<double>::infinity();
  } else {
    value = ParseDouble(text);
  }
  return Store(value ? std::optional(std::bit_cast<std::uint64_t>(*value)) : std::nullopt, bits);
}

ValueResult ReadEnum(const Field& field, std::string_view text, bool quoted, std::uint64_t& bits) {
  if (quoted) {
    for (const EnumName& candidate : field.enum_names) {
      if (candidate.name == text) {
        bits = static_cast<std::uint64_t>(candidate.number);
        return {};
      }
    }
  }
  const std::optional<std::int32_t> value = ParseInteger<std::int32_t>(text);
  return value || !quoted ? Store(value, bits)
                          : Error(JsonError::kBadEnum, "has no value of that name");
}

ValueResult ReadNumber(const Field& field, std::string_view token, std::uint64_t& bits) {
  std::string_view text = TrimRight(token);
  const bool quoted = token.front() == '"';
  if (quoted) {
    const std::optional<std::string_view> body = StringBody(token);
    if (!body) {
      return NotJson();
    }
    text = *body;
  } else if (!IsDigit(token.front()) && token.front() != '-') {
    const bool other = text == "true" || text == "false" || text == "{" || text == "[";
    return other ? Error(JsonError::kWrongType, "is not a number") : NotJson();
  } else if (!IsNumber(text)) {
    return NotJson();
  }
  switch (field.kind) {
    case Kind::kDouble:
      return ReadDouble(text, quoted, bits);
    case Kind::kEnum:
      return ReadEnum(field, text, quoted, bits);
    case Kind::kInt32:
      return Store(ParseInteger<std::int32_t>(text), bits);
    case Kind::kSint32: {
      const std::optional<std::int32_t> value = ParseInteger<std::int32_t>(text);
      return Store(value ? std::optional(ZigZag(*value)) : std::nullopt, bits);
    }
    case Kind::kUint32:
    case Kind::kFixed32:
      return Store(ParseInteger<std::uint32_t>(text), bits);
    case Kind::kInt64:
    case Kind::kSfixed64:
      return Store(ParseInteger<std::int64_t>(text), bits);
    default:
      return Store(ParseInteger<std::uint64_t>(text), bits);
  }
}

ValueResult ReadBool(std::string_view token, std::uint64_t& bits) {
  const std::string_view text = TrimRight(token);
  if (text != "true" && text != "false") {
    const bool other = text == "{" || text == "[" || StringBody(token) || IsNumber(text);
    return other ? Error(JsonError::kWrongType, "is not true or false") : NotJson();
  }
  bits = text == "true" ? 1 : 0;
  return {};
}

// `text` is unescaped already.
ValueResult AppendBytes(const Field& field, std::string_view text, JsonBuffer& out) {
  // Where the length is not known yet, the shortest length that could be is written; decoded bytes
  // are never longer than their text.
  char* to =
      WriteVarint(out.Reserve(text.size() + kTagBytesMax + 2 * kLengthBytesMax), field.tag());
  switch (field.kind) {
    case Kind::kHexBytes:
      to = DecodeHex(text, WriteVarint(to, text.size() / 2));
      if (to == nullptr) {
        return Error(JsonError::kBadHex, "is not hexadecimal");
      }
      break;
    case Kind::kBase64Bytes: {
      char* const body = to + kLengthBytesMax;
      const char* const end = DecodeBase64(text, body);
      if (end == nullptr) {
        return Error(JsonError::kBadBase64, "is not base64");
      }
      const auto size = static_cast<std::size_t>(end - body);
      to = WriteVarint(to, size);
      std::memmove(to, body, size);
      to += size;
      break;
    }
    default:
      to = WriteVarint(to, text.size());
      std::memcpy(to, text.data(), text.size());
      to += text.size();
  }
  out.Advance(to);
  return {JsonError::kNone, {}, true};
}

}  // namespace

std::string_view TrimRight(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                            token.back() == '\t')) {
    token.remove_suffix(1);
  }
  return token;
}

std::optional<std::string_view> StringBody(std::string_view token) {
  token = TrimRight(token);
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') {
    return std::nullopt;
  }
  return token.substr(1, token.size() - 2);
}

bool IsNumber(std::string_view text) {
  std::size_t i = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && IsDigit(text[i])) {
      ++i;
    }
    return i - from;
  };
  const bool leading_zero = i < text.size() && text[i] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) {
    return false;
  }
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) {
      return false;
    }
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) {
      ++i;
    }
    if (digits() == 0) {
      return false;
    }
  }
  return i == text.size();
}

ValueResult ReadBits(const Field& field, std::string_view token, std::uint64_t& bits) {
  return field.kind == Kind::kBool ? ReadBool(token, bits) : ReadNumber(field, token, bits);
}

ValueResult AppendScalar(const Field& field, std::string_view token, bool keep_default,
                         JsonBuffer& scratch, JsonBuffer& out) {
  if (field.wire_type == WireType::kLength) {
    const std::optional<std::string_view> body = StringBody(token);
    if (!body) {
      const std::string_view text = TrimRight(token);
      const bool other =
          text == "{" || text == "[" || text == "true" || text == "false" || IsNumber(text);
      return other ? Error(JsonError::kWrongType, "is not a string") : NotJson();
    }
    std::string_view text = *body;
    if (std::memchr(text.data(), '\\', text.size()) != nullptr) [[unlikely]] {
      scratch.Clear();
      const char* const end = Unescape(text, scratch.Reserve(text.size()));
      if (end == nullptr) {
        return Error(JsonError::kSyntax, "has an escape that does not exist");
      }
      scratch.Advance(end);
      text = scratch.view();
    }
    return text.empty() && !keep_default ? ValueResult{} : AppendBytes(field, text, out);
  }
  std::uint64_t bits = 0;
  ValueResult result = ReadBits(field, token, bits);
  result.wrote = result.ok() && (bits != 0 || keep_default);
  if (result.wrote) {
    char* to = WriteVarint(out.Reserve(kTagBytesMax + kVarintBytesMax), field.tag());
    switch (field.wire_type) {
      case WireType::kFixed32:
        to = WriteFixed32(to, static_cast<std::uint32_t>(bits));
        break;
      case WireType::kFixed64:
        to = WriteFixed64(to, bits);
        break;
      default:
        to = WriteVarint(to, bits);
    }
    out.Advance(to);
  }
  return result;
}

}  // namespace weir::wire::json

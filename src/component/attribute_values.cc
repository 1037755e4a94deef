#include "weir/component/attribute_values.h"

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "openssl/sha.h"
#include "weir/wire/value_text.h"
#include "weir/wire/writer.h"

namespace weir {
namespace {

using wire::AnyValueView;
using wire::ValueType;

std::string Encoded(void (*write)(wire::Writer&, std::uint64_t), std::uint64_t bits) {
  wire::Writer writer(64);
  write(writer, bits);
  return std::string(writer.view());
}

std::string EncodedInt(std::int64_t value) {
  return Encoded(
      [](wire::Writer& writer, std::uint64_t bits) { writer.Uint(wire::otlp::kAnyInt, bits); },
      static_cast<std::uint64_t>(value));
}

std::string EncodedDouble(double value) {
  return Encoded([](wire::Writer& writer,
                    std::uint64_t bits) { writer.Fixed64(wire::otlp::kAnyDouble, bits); },
                 std::bit_cast<std::uint64_t>(value));
}

// A double cut to an integer; what does not fit is the smallest one, as on the Collector's amd64.
std::int64_t Truncated(double value) {
  constexpr double kLimit = 9223372036854775808.0;
  return value >= -kLimit && value < kLimit ? static_cast<std::int64_t>(value)
                                            : std::numeric_limits<std::int64_t>::min();
}

std::optional<std::int64_t> AsInt(const AnyValueView& value) {
  switch (value.type()) {
    case ValueType::kDouble:
      return Truncated(value.real());
    case ValueType::kBool:
      return value.boolean() ? 1 : 0;
    case ValueType::kString:
      return ParseDecimal(value.string());
    default:
      return std::nullopt;
  }
}

std::optional<double> AsDouble(const AnyValueView& value) {
  switch (value.type()) {
    case ValueType::kInt:
      return static_cast<double>(value.integer());
    case ValueType::kBool:
      return value.boolean() ? 1 : 0;
    case ValueType::kString:
      return ParseReal(std::string(value.string()));
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string HashOf(const AnyValueView& value) {
  std::array<char, 8> scratch{};
  std::string_view bytes;
  switch (value.type()) {
    case ValueType::kString:
      bytes = value.string();
      break;
    case ValueType::kBool:
      scratch[0] = value.boolean() ? 1 : 0;
      bytes = {scratch.data(), 1};
      break;
    case ValueType::kInt:
      wire::WriteFixed64(scratch.data(), static_cast<std::uint64_t>(value.integer()));
      bytes = {scratch.data(), scratch.size()};
      break;
    case ValueType::kDouble:
      wire::WriteFixed64(scratch.data(), std::bit_cast<std::uint64_t>(value.real()));
      bytes = {scratch.data(), scratch.size()};
      break;
    default:
      break;
  }
  if (bytes.empty()) {
    return {};
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    hex.push_back(kHex[byte >> 4]);
    hex.push_back(kHex[byte & 15]);
  }
  return hex;
}

ValueTarget ValueTargetOf(std::string_view name) {
  return name == "int"      ? ValueTarget::kInt
         : name == "double" ? ValueTarget::kDouble
                            : ValueTarget::kString;
}

Conversion ConvertValue(const AnyValueView& value, ValueTarget target, std::string& out) {
  if (target == ValueTarget::kInt) {
    const std::optional<std::int64_t> converted = AsInt(value);
    out += converted.has_value() ? EncodedInt(*converted) : std::string();
    return converted.has_value() ? Conversion::kDone : Conversion::kUnchanged;
  }
  if (target == ValueTarget::kDouble) {
    const std::optional<double> converted = AsDouble(value);
    out += converted.has_value() ? EncodedDouble(*converted) : std::string();
    return converted.has_value() ? Conversion::kDone : Conversion::kUnchanged;
  }
  if (value.type() == ValueType::kString) {
    return Conversion::kUnchanged;
  }
  std::string text;
  if (!wire::AppendValueText(value, text)) {
    return Conversion::kMalformed;
  }
  wire::Writer writer(text.size() + 16);
  writer.String(wire::otlp::kAnyString, text);
  out += writer.view();
  return Conversion::kDone;
}

std::optional<std::int64_t> ParseDecimal(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) {
      return std::nullopt;
    }
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> ParseReal(const std::string& text) {
  // strtod takes more: blanks in front, "nan(...)", hexadecimal without an exponent.
  if (text.empty() || text.find_first_of(" \t\n\v\f\r(") != std::string::npos ||
      text.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  const bool hexadecimal = text.find_first_of("xX") != std::string::npos;
  if (hexadecimal && text.find_first_of("pP") == std::string::npos) {
    return std::nullopt;
  }
  char* end = nullptr;
  errno = 0;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || (errno == ERANGE && std::isinf(value))) {
    return std::nullopt;
  }
  return value;
}

}  // namespace weir

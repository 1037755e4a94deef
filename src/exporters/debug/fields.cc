#include "exporters/debug/fields.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <ctime>

#include "fmt/format.h"
#include "weir/wire/value_text.h"

namespace weir::exporters::debug {
namespace {

using wire::WireType;

template <typename Read>
auto Last(std::string_view message, FieldNumber field, WireType type, Read read) {
  decltype(read(std::declval<wire::FieldReader&>())) last{};
  wire::FieldReader fields(message);
  while (fields.Next()) {
    if (fields.Is(field, type)) {
      last = read(fields);
    }
  }
  return last;
}

}  // namespace

std::string_view Bytes(std::string_view message, FieldNumber field) {
  return Last(message, field, WireType::kLength, [](const auto& f) { return f.bytes(); });
}

std::uint64_t Varint(std::string_view message, FieldNumber field) {
  return Last(message, field, WireType::kVarint, [](const auto& f) { return f.varint(); });
}

std::optional<std::uint64_t> FindFixed64(std::string_view message, FieldNumber field) {
  return Last(message, field, WireType::kFixed64,
              [](const auto& f) { return std::optional<std::uint64_t>(f.fixed64()); });
}

std::uint64_t Fixed64(std::string_view message, FieldNumber field) {
  return FindFixed64(message, field).value_or(0);
}

std::uint32_t Fixed32(std::string_view message, FieldNumber field) {
  return Last(message, field, WireType::kFixed32, [](const auto& f) { return f.fixed32(); });
}

std::int32_t ZigZag(std::string_view message, FieldNumber field) {
  const auto bits = static_cast<std::uint32_t>(Varint(message, field));
  return static_cast<std::int32_t>(bits >> 1 ^ (0 - (bits & 1)));
}

double Double(std::string_view message, FieldNumber field) {
  return std::bit_cast<double>(Fixed64(message, field));
}

std::vector<std::uint64_t> Numbers(std::string_view message, FieldNumber field, WireType type) {
  std::vector<std::uint64_t> numbers;
  wire::FieldReader fields(message);
  while (fields.Next()) {
    if (fields.Is(field, type)) {
      numbers.push_back(type == WireType::kFixed64 ? fields.fixed64() : fields.varint());
    } else if (fields.Is(field, WireType::kLength)) {
      const std::string_view packed = fields.bytes();
      const char* const end = packed.data() + packed.size();
      for (const char* p = packed.data(); p != end;) {
        if (type == WireType::kFixed64) {
          if (end - p < 8) {
            break;
          }
          numbers.push_back(wire::LoadFixed64(p));
          p += 8;
        } else {
          const wire::Varint64 value = wire::ReadVarint(p, end);
          if (value.next == nullptr) {
            break;
          }
          numbers.push_back(value.value);
          p = value.next;
        }
      }
    }
  }
  return numbers;
}

std::string Merged(std::string_view message, FieldNumber field) {
  std::string merged;
  wire::ListReader list(message, field);
  for (std::string_view one; list.Next(one);) {
    merged += one;
  }
  return merged;
}

bool IsWellFormed(std::string_view message) {
  wire::FieldReader fields(message);
  while (fields.Next()) {
  }
  return !fields.malformed();
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string TimeText(std::uint64_t unix_nanos) {
  // The Collector reads the nanoseconds as a signed number.
  const auto nanos = static_cast<std::int64_t>(unix_nanos);
  std::int64_t seconds = nanos / 1'000'000'000;
  std::int64_t rest = nanos % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --seconds;
  }
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::string text =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (rest != 0) {
    text += fmt::format(".{:09}", rest);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + " +0000 UTC";
}

std::string FixedText(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  return fmt::format("{:f}", value);
}

std::string ShortText(double value) {
  if (!std::isfinite(value)) {
    return FixedText(value);
  }
  constexpr double kExponentBelow = 1e-4;
  constexpr double kExponentFrom = 1e6;
  const double size = std::fabs(value);
  const bool exponent = size != 0 && (size < kExponentBelow || size >= kExponentFrom);
  std::array<char, 64> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value,
                    exponent ? std::chars_format::scientific : std::chars_format::fixed)
          .ptr;
  return std::string(text.data(), end);
}

std::string ValueText(std::string_view any_value) {
  wire::AnyValueView value;
  std::string text;
  if (value.Parse(any_value)) {
    static_cast<void>(wire::AppendValueText(value, text));
  }
  return text;
}

std::string TypedText(std::string_view any_value) {
  // In the order of wire::ValueType.
  constexpr std::array<std::string_view, 8> kNames = {"Empty",  "Str",   "Bool", "Int",
                                                      "Double", "Slice", "Map",  "Bytes"};
  wire::AnyValueView value;
  static_cast<void>(value.Parse(any_value));
  return fmt::format("{}({})", kNames[static_cast<std::size_t>(value.type())],
                     ValueText(any_value));
}

}  // namespace weir::exporters::debug

#include "weir/config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>

#include "fmt/format.h"

namespace weir {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};

constexpr std::uint64_t kSecond = 1'000'000'000;

constexpr std::array kDurationUnits = {
    Unit{"ns", 1},         Unit{"us", 1000},   Unit{"\u00b5s", 1000},  // Micro sign.
    Unit{"\u03bcs", 1000},                                             // Greek letter mu.
    Unit{"ms", 1'000'000}, Unit{"s", kSecond}, Unit{"m", 60 * kSecond}, Unit{"h", 3600 * kSecond},
};

constexpr std::array kByteUnits = {
    Unit{"", 1},
    Unit{"b", 1},
    Unit{"kb", 1000},
    Unit{"mb", 1000ull * 1000},
    Unit{"gb", 1000ull * 1000 * 1000},
    Unit{"tb", 1000ull * 1000 * 1000 * 1000},
    Unit{"kib", 1ull << 10},
    Unit{"mib", 1ull << 20},
    Unit{"gib", 1ull << 30},
    Unit{"tib", 1ull << 40},
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes `12`, `12.5`, `.5` off the front and multiplies by `unit` in whole numbers where it can.
struct Number {
  std::uint64_t whole = 0;
  double fraction = 0;
};

std::optional<Number> TakeNumber(std::string_view& text) {
  Number number;
  std::size_t digits = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number.whole);
  if (error == std::errc::result_out_of_range) {
    return std::nullopt;
  }
  digits = static_cast<std::size_t>(stop - text.data());
  text.remove_prefix(digits);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    double scale = 0.1;
    while (!text.empty() && IsDigit(text[0])) {
      number.fraction += scale * (text[0] - '0');
      scale /= 10;
      ++digits;
      text.remove_prefix(1);
    }
  }
  if (digits == 0) {
    return std::nullopt;
  }
  return number;
}

// number * unit, or nothing past `max`.
std::optional<std::uint64_t> Scale(const Number& number, std::uint64_t unit, std::uint64_t max) {
  if (number.whole > max / unit) {
    return std::nullopt;
  }
  const std::uint64_t whole = number.whole * unit;
  const auto part =
      static_cast<std::uint64_t>(std::llround(number.fraction * static_cast<double>(unit)));
  if (part > max - whole) {
    return std::nullopt;
  }
  return whole + part;
}

const Unit* FindUnit(std::span<const Unit> units, std::string_view name) {
  const auto unit = std::ranges::find(units, name, &Unit::name);
  return unit == units.end() ? nullptr : &*unit;
}

// `value` / `unit` without trailing zeros: 1.5, 200, 0.25.
std::string Decimal(std::uint64_t value, std::uint64_t unit) {
  std::string text = fmt::format("{}", value / unit);
  if (const std::uint64_t rest = value % unit; rest != 0) {
    const int width = static_cast<int>(std::llround(std::log10(static_cast<double>(unit))));
    text += fmt::format(".{:0{}}", rest, width);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

}  // namespace

std::optional<Duration> ParseDuration(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "0") {
    return Duration::zero();
  }
  if (text.empty()) {
    return std::nullopt;
  }
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t total = 0;
  while (!text.empty()) {
    const std::optional<Number> number = TakeNumber(text);
    if (!number.has_value()) {
      return std::nullopt;
    }
    const auto unit_end = std::ranges::find_if(text, [](char c) { return c == '.' || IsDigit(c); });
    const auto length = static_cast<std::size_t>(unit_end - text.begin());
    const Unit* unit = FindUnit(kDurationUnits, text.substr(0, length));
    text.remove_prefix(length);
    if (unit == nullptr) {
      return std::nullopt;
    }
    const std::optional<std::uint64_t> part = Scale(*number, unit->size, kMax - total);
    if (!part.has_value()) {
      return std::nullopt;
    }
    total += *part;
  }
  const auto signed_total = static_cast<std::int64_t>(total);
  return Duration(negative ? -signed_total : signed_total);
}

std::string FormatDuration(Duration duration) {
  if (duration == Duration::zero()) {
    return "0s";
  }
  // Negation in unsigned arithmetic, so that the most negative value has a magnitude too.
  const auto count = static_cast<std::uint64_t>(duration.count());
  const std::uint64_t rest = duration.count() < 0 ? 0 - count : count;
  std::string text = duration.count() < 0 ? "-" : "";
  if (rest < 1000) {
    return text + fmt::format("{}ns", rest);
  }
  if (rest < 1'000'000) {
    return text + Decimal(rest, 1000) + "us";
  }
  if (rest < kSecond) {
    return text + Decimal(rest, 1'000'000) + "ms";
  }
  if (const std::uint64_t hours = rest / (3600 * kSecond); hours != 0) {
    text += fmt::format("{}h", hours);
  }
  if (const std::uint64_t minutes = rest / (60 * kSecond) % 60; minutes != 0) {
    text += fmt::format("{}m", minutes);
  }
  if (const std::uint64_t seconds = rest % (60 * kSecond); seconds != 0) {
    text += Decimal(seconds, kSecond) + "s";
  }
  return text;
}

std::optional<ByteSize> ParseByteSize(std::string_view text) {
  const std::optional<Number> number = TakeNumber(text);
  if (!number.has_value()) {
    return std::nullopt;
  }
  if (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  std::string name(text);
  std::ranges::transform(name, name.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  });
  const Unit* unit = FindUnit(kByteUnits, name);
  if (unit == nullptr) {
    return std::nullopt;
  }
  const std::optional<std::uint64_t> bytes =
      Scale(*number, unit->size, std::numeric_limits<std::uint64_t>::max());
  return bytes.has_value() ? std::optional(ByteSize{*bytes}) : std::nullopt;
}

std::string FormatByteSize(ByteSize size) {
  constexpr std::array kShown = {Unit{"TiB", 1ull << 40}, Unit{"GiB", 1ull << 30},
                                 Unit{"MiB", 1ull << 20}, Unit{"KiB", 1ull << 10}};
  for (const Unit& unit : kShown) {
    if (size.bytes != 0 && size.bytes % unit.size == 0) {
      return fmt::format("{}{}", size.bytes / unit.size, unit.name);
    }
  }
  return fmt::format("{}", size.bytes);
}

std::optional<ComponentId> ParseComponentId(std::string_view text, std::string* error) {
  const auto trimmed = [](std::string_view part) {
    const std::size_t start = part.find_first_not_of(" \t");
    return start == std::string_view::npos
               ? std::string_view()
               : part.substr(start, part.find_last_not_of(" \t") - start + 1);
  };
  const auto fail = [error](std::string_view why) {
    if (error != nullptr) {
      *error = why;
    }
    return std::nullopt;
  };
  const std::size_t slash = text.find('/');
  const std::string_view type = trimmed(text.substr(0, slash));
  if (type.empty()) {
    return fail("the part before the slash, the component type, is empty");
  }
  const bool valid = std::ranges::all_of(type, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_';
  });
  if (!valid || IsDigit(type[0]) || type[0] == '_' || type.size() > 63) {
    return fail("a component type is a letter followed by letters, digits and underscores");
  }
  if (slash == std::string_view::npos) {
    return ComponentId{std::string(type), {}};
  }
  const std::string_view name = trimmed(text.substr(slash + 1));
  if (name.empty()) {
    return fail("the part after the slash, the instance name, is empty");
  }
  const bool printable = std::ranges::none_of(
      name, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
  if (!printable) {
    return fail("the instance name has a space or a control character in it");
  }
  if (name.size() > 1024) {
    return fail("the instance name is longer than 1024 bytes");
  }
  return ComponentId{std::string(type), std::string(name)};
}

}  // namespace weir

#include "weir/wire/value_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>
#include <vector>

#include "weir/wire/utf8.h"

namespace weir::wire {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// What became of a value on its way into JSON.
enum class Json : std::uint8_t { kDone, kNotFinite, kMalformed };

Json AppendJson(const AnyValueView& value, int nesting_left, std::string& out);

Json AppendJsonArray(const AnyValueView& value, int nesting_left, std::string& out) {
  out.push_back('[');
  ListReader elements = value.array();
  bool first = true;
  for (std::string_view contents; elements.Next(contents);) {
    AnyValueView element;
    if (!element.Parse(contents)) {
      return Json::kMalformed;
    }
    if (!std::exchange(first, false)) {
      out.push_back(',');
    }
    if (const Json done = AppendJson(element, nesting_left - 1, out); done != Json::kDone) {
      return done;
    }
  }
  out.push_back(']');
  return elements.malformed() ? Json::kMalformed : Json::kDone;
}

Json AppendJsonObject(const AnyValueView& value, int nesting_left, std::string& out) {
  std::vector<AttributeView> entries;
  AttributeReader reader(value.kvlist(), otlp::kKvlistValues);
  for (AttributeView entry; reader.Next(entry);) {
    entries.push_back(entry);
  }
  if (reader.malformed()) {
    return Json::kMalformed;
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const AttributeView& a, const AttributeView& b) { return a.key < b.key; });
  out.push_back('{');
  bool first = true;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 < entries.size() && entries[i + 1].key == entries[i].key) {
      continue;  // The last of equal keys is the one a map keeps.
    }
    AnyValueView element;
    if (!element.Parse(entries[i].value)) {
      return Json::kMalformed;
    }
    if (!std::exchange(first, false)) {
      out.push_back(',');
    }
    AppendJsonString(entries[i].key, out);
    out.push_back(':');
    if (const Json done = AppendJson(element, nesting_left - 1, out); done != Json::kDone) {
      return done;
    }
  }
  out.push_back('}');
  return Json::kDone;
}

void AppendInt(std::int64_t value, std::string& out) {
  std::array<char, 24> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), result.ptr);
}

Json AppendJson(const AnyValueView& value, int nesting_left, std::string& out) {
  if (nesting_left <= 0) {
    return Json::kMalformed;
  }
  switch (value.type()) {
    case ValueType::kEmpty:
      out.append("null");
      return Json::kDone;
    case ValueType::kString:
      AppendJsonString(value.string(), out);
      return Json::kDone;
    case ValueType::kBool:
      out.append(value.boolean() ? "true" : "false");
      return Json::kDone;
    case ValueType::kInt:
      AppendInt(value.integer(), out);
      return Json::kDone;
    case ValueType::kDouble:
      if (!std::isfinite(value.real())) {
        return Json::kNotFinite;
      }
      AppendDouble(value.real(), DoubleForm::kShort, out);
      return Json::kDone;
    case ValueType::kBytes:
      out.push_back('"');
      AppendBase64(value.bytes(), out);
      out.push_back('"');
      return Json::kDone;
    case ValueType::kArray:
      return AppendJsonArray(value, nesting_left, out);
    case ValueType::kKvlist:
      return AppendJsonObject(value, nesting_left, out);
  }
  return Json::kMalformed;
}

void AppendJsonAscii(char c, std::string& out) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  constexpr std::string_view kShortEscapes = "\"\\bfnrt";
  if (const std::size_t at = kShort.find(c); at != std::string_view::npos) {
    out.push_back('\\');
    out.push_back(kShortEscapes[at]);
  } else if (static_cast<std::uint8_t>(c) < 0x20) {
    out.append("\\u00");
    out.push_back(kHexDigits[static_cast<std::uint8_t>(c) >> 4]);
    out.push_back(kHexDigits[static_cast<std::uint8_t>(c) & 15]);
  } else {
    out.push_back(c);
  }
}

}  // namespace

bool AppendValueText(const AnyValueView& value, std::string& out) {
  switch (value.type()) {
    case ValueType::kEmpty:
      return true;
    case ValueType::kString:
      out.append(value.string());
      return true;
    case ValueType::kBytes:
      AppendBase64(value.bytes(), out);
      return true;
    case ValueType::kDouble:
      if (std::isnan(value.real())) {
        out.append("NaN");
      } else if (std::isinf(value.real())) {
        out.append(value.real() > 0 ? "Infinity" : "-Infinity");
      } else {
        AppendDouble(value.real(), DoubleForm::kShort, out);
      }
      return true;
    default:
      break;
  }
  const std::size_t before = out.size();
  const Json done = AppendJson(value, kNestingMax, out);
  if (done != Json::kDone) {
    out.resize(before);
  }
  return done != Json::kMalformed;
}

void AppendDouble(double value, DoubleForm form, std::string& out) {
  if (!std::isfinite(value)) {
    out.append(std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
    return;
  }
  // The shortest digits come in scientific form: the fixed form of the standard library prints a
  // large double exactly instead.
  std::array<char, 32> text;
  const auto result =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  std::string_view scientific(text.data(), static_cast<std::size_t>(result.ptr - text.data()));
  if (scientific.front() == '-') {
    out.push_back('-');
    scientific.remove_prefix(1);
  }
  const std::size_t e = scientific.find('e');
  const char* exponent_begin = scientific.data() + e + (scientific[e + 1] == '+' ? 2 : 1);
  int exponent = 0;
  std::from_chars(exponent_begin, scientific.data() + scientific.size(), exponent);

  const double magnitude = std::fabs(value);
  if (form == DoubleForm::kShort && magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)) {
    out.append(scientific.substr(0, e + 1));
    out.push_back(exponent < 0 ? '-' : '+');
    AppendInt(std::abs(exponent), out);
    return;
  }
  std::string digits(1, scientific.front());
  if (e > 2) {
    digits.append(scientific.substr(2, e - 2));
  }
  const int count = static_cast<int>(digits.size());
  if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
  } else if (count <= exponent + 1) {
    out.append(digits).append(static_cast<std::size_t>(exponent + 1 - count), '0');
  } else {
    const auto whole = static_cast<std::size_t>(exponent + 1);
    out.append(digits, 0, whole).append(".").append(digits, whole);
  }
}

void AppendBase64(std::string_view bytes, std::string& out) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto at = [bytes](std::size_t i) -> std::uint32_t {
    return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : 0;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    const std::size_t digits = std::min<std::size_t>(bytes.size() - i, 3) + 1;
    for (std::size_t digit = 0; digit < 4; ++digit) {
      out.push_back(digit < digits ? kAlphabet[group >> (18 - 6 * digit) & 63] : '=');
    }
  }
}

void AppendJsonString(std::string_view text, std::string& out) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t length = Utf8SequenceLength(text);
    if (length == 1) {
      AppendJsonAscii(text.front(), out);
    } else if (length == 0) {
      out.append("\\ufffd");
    } else if (text.starts_with("\xe2\x80\xa8") || text.starts_with("\xe2\x80\xa9")) {
      out.append("\\u202").push_back(text[2] == '\xa8' ? '8' : '9');
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out.push_back('"');
}

}  // namespace weir::wire

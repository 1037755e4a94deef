#include "telemetry/log_line.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <iterator>

#include "fmt/format.h"
#include "telemetry/json_text.h"

namespace weir::internal {

namespace {

constexpr std::string_view kRedacted = "[REDACTED]";

std::string Timestamp(std::chrono::system_clock::time_point time) {
  const auto since_epoch =
      std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::int64_t milliseconds = ((since_epoch % 1000) + 1000) % 1000;
  const std::time_t seconds = (since_epoch - milliseconds) / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     milliseconds);
}

// Without the quotes where a reader can tell the value's end without them.
void AppendConsoleText(std::string_view text, std::string& line) {
  const auto needs_quotes = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\' ||
           c == 0x7f || static_cast<unsigned char>(c) >= 0x80;
  };
  if (!text.empty() && std::ranges::none_of(text, needs_quotes)) {
    line.append(text);
    return;
  }
  AppendJsonString(text, line);
}

void AppendMessage(std::string_view message, std::string& line) {
  std::string quoted;
  AppendJsonString(message, quoted);
  line.append(quoted, 1, quoted.size() - 2);
}

void AppendValue(const LogField::Value& value, bool is_json, std::string& line) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    is_json ? AppendJsonString(*text, line) : AppendConsoleText(*text, line);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    line += *flag ? "true" : "false";
  } else if (const auto* real = std::get_if<double>(&value); real != nullptr) {
    // JSON has no word for infinity or NaN.
    const bool quoted = is_json && !std::isfinite(*real);
    fmt::format_to(std::back_inserter(line), "{0}{1}{0}", quoted ? "\"" : "", *real);
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    fmt::format_to(std::back_inserter(line), "{}", *number);
  } else {
    fmt::format_to(std::back_inserter(line), "{}", std::get<std::uint64_t>(value));
  }
}

void AppendField(std::string_view key, const LogField::Value& value, bool is_json,
                 std::string& line) {
  if (is_json) {
    line += ',';
    AppendJsonString(key, line);
    line += ':';
  } else {
    line += ' ';
    AppendConsoleText(key, line);
    line += '=';
  }
  AppendValue(IsSecretKey(key) ? LogField::Value(kRedacted) : value, is_json, line);
}

void AppendFields(const LogLine& line, bool is_json, std::string& text) {
  for (const auto* pairs : {&line.initial, &line.bound}) {
    for (const auto& [key, value] : *pairs) {
      AppendField(key, std::string_view(value), is_json, text);
    }
  }
  for (const LogField& field : line.fields) {
    AppendField(field.key(), field.value(), is_json, text);
  }
  if (line.suppressed > 0) {
    AppendField("suppressed", line.suppressed, is_json, text);
  }
}

}  // namespace

bool IsSecretKey(std::string_view key) {
  constexpr std::array<std::string_view, 8> kWords = {
      "password", "passwd", "secret", "token", "authorization", "api_key", "apikey", "credential"};
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string FormatConsole(const LogLine& line) {
  std::string text = Timestamp(line.time);
  text += ' ';
  text += LogLevelName(line.level);
  text += ' ';
  AppendMessage(line.message, text);
  AppendFields(line, false, text);
  return text;
}

std::string FormatJson(const LogLine& line) {
  std::string text = fmt::format(
      "{{\"level\":\"{}\",\"ts\":\"{}\",\"msg\":", LogLevelName(line.level), Timestamp(line.time));
  AppendJsonString(line.message, text);
  AppendFields(line, true, text);
  text += '}';
  return text;
}

}  // namespace weir::internal

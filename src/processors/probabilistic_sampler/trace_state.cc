#include "processors/probabilistic_sampler/trace_state.h"

#include <algorithm>

namespace weir::processors::probabilistic_sampler {
namespace {

constexpr std::size_t kBytesMax = 1024;
constexpr std::size_t kMembersMax = 31;
constexpr std::size_t kKeyBytesMax = 256;
constexpr std::size_t kTenantBytesMax = 241;
constexpr std::size_t kSystemBytesMax = 14;
constexpr std::size_t kValueBytesMax = 256;
constexpr std::size_t kOtelBytesMax = 256;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerOrDigit(char c) { return IsLower(c) || IsDigit(c); }
bool IsKeyChar(char c) { return IsLowerOrDigit(c) || c == '_' || c == '-' || c == '*' || c == '/'; }
bool IsValueChar(char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; }
bool IsOtelValueChar(char c) {
  return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

template <typename Predicate>
bool All(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Cuts the next element off `rest`.
std::string_view Next(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view element = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return element;
}

bool IsKey(std::string_view key) {
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) {
    return !key.empty() && IsLower(key.front()) && All(key, IsKeyChar);
  }
  const std::string_view tenant = key.substr(0, at);
  const std::string_view system = key.substr(at + 1);
  return !tenant.empty() && IsLowerOrDigit(tenant.front()) && All(tenant, IsKeyChar) &&
         !system.empty() && IsLower(system.front()) && All(system, IsKeyChar);
}

bool IsMember(std::string_view member) {
  const std::size_t equals = member.find('=');
  if (equals == std::string_view::npos || !IsKey(member.substr(0, equals))) {
    return false;
  }
  const std::string_view value = member.substr(equals + 1);
  return !value.empty() && value.size() <= kValueBytesMax && value.back() != ' ' &&
         All(value, IsValueChar);
}

bool IsTraceState(std::string_view text) {
  while (!text.empty()) {
    const std::string_view member = Trimmed(Next(text, ','));
    if (!member.empty() && !IsMember(member)) {
      return false;
    }
  }
  return true;
}

bool HasFittingKey(std::string_view key) {
  const std::size_t at = key.find('@');
  return key.size() <= kKeyBytesMax &&
         (at == std::string_view::npos ||
          (at <= kTenantBytesMax && key.size() - at - 1 <= kSystemBytesMax));
}

bool IsOtelField(std::string_view field) {
  const std::size_t colon = field.find(':');
  return colon != std::string_view::npos && colon > 0 && IsLower(field.front()) &&
         All(field.substr(0, colon), IsLowerOrDigit) &&
         All(field.substr(colon + 1), IsOtelValueChar);
}

bool IsOtelState(std::string_view text) {
  if (text.size() > kOtelBytesMax || text.empty() || text.back() == ';') {
    return false;
  }
  while (!text.empty()) {
    if (!IsOtelField(Next(text, ';'))) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool TraceState::Parse(std::string_view text) {
  sampling_ = SamplingState();
  otel_fields_.clear();
  members_.clear();
  if (text.size() > kBytesMax || !IsTraceState(text)) {
    return false;
  }
  bool good = true;
  for (std::size_t count = 1; !text.empty(); ++count) {
    if (count > kMembersMax) {
      return false;
    }
    const std::string_view member = Trimmed(Next(text, ','));
    const std::string_view key = member.substr(0, member.find('='));
    if (member.empty()) {
      continue;
    }
    if (!HasFittingKey(key)) {
      good = false;
    } else if (key == "ot") {
      good = ParseOtel(member.substr(3)) && good;
    } else {
      members_.push_back(member);
    }
  }
  return good;
}

bool TraceState::ParseOtel(std::string_view text) {
  sampling_ = SamplingState();
  otel_fields_.clear();
  if (!IsOtelState(text)) {
    return false;
  }
  bool good = true;
  while (!text.empty()) {
    const std::string_view field = Next(text, ';');
    if (field.starts_with("rv:")) {
      sampling_.randomness = ParseRandomness(field.substr(3));
      good = good && sampling_.randomness.has_value();
    } else if (field.starts_with("th:")) {
      sampling_.threshold = ParseThreshold(field.substr(3));
      good = good && sampling_.threshold.has_value();
    } else {
      otel_fields_.push_back(field);
    }
  }
  return good;
}

std::string TraceState::Format(const SamplingState& sampling) const {
  std::string out;
  const auto append = [&out](char separator, std::string_view key, std::string_view value) {
    if (!out.empty() && out.back() != '=') {
      out.push_back(separator);
    }
    out.append(key).append(value);
  };
  if (sampling.randomness.has_value() || sampling.threshold.has_value() || !otel_fields_.empty()) {
    out = "ot=";
    if (sampling.randomness.has_value()) {
      append(';', "rv:", FormatRandomness(*sampling.randomness));
    }
    if (sampling.threshold.has_value()) {
      append(';', "th:", FormatThreshold(*sampling.threshold));
    }
    for (const std::string_view field : otel_fields_) {
      append(';', field, {});
    }
  }
  for (const std::string_view member : members_) {
    append(',', member, {});
  }
  return out;
}

}  // namespace weir::processors::probabilistic_sampler

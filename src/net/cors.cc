#include "net/cors.h"

#include <algorithm>
#include <optional>

namespace weir::net {
namespace {

constexpr std::string_view kAlwaysAllowed[] = {"accept", "accept-language", "content-type",
                                               "content-language"};

std::string_view NextOfList(std::string_view& list) {
  const std::size_t comma = list.find(',');
  std::string_view item = list.substr(0, comma);
  list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
  while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
  return item;
}

}  // namespace

bool MatchesWildcard(std::string_view pattern, std::string_view text) {
  // Greedy with one place to go back to: the last star takes one character more each time.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && EqualsIgnoringCase(pattern.substr(p, 1), text.substr(t, 1))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

CorsPolicy::CorsPolicy(Options options) : options_(std::move(options)) {
  const auto has_star = [](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), "*") != list.end();
  };
  any_origin_ = has_star(options_.allowed_origins);
  any_header_ = has_star(options_.allowed_headers);
  for (const std::string& header : options_.exposed_headers) {
    exposed_ += exposed_.empty() ? "" : ", ";
    exposed_ += header;
  }
}

bool CorsPolicy::IsPreflight(const RequestHead& head) {
  return head.method() == HttpMethod::kOptions && head.Find("origin").has_value() &&
         head.Find("access-control-request-method").has_value();
}

bool CorsPolicy::OriginIsAllowed(std::string_view origin) const {
  return std::any_of(options_.allowed_origins.begin(), options_.allowed_origins.end(),
                     [&](const std::string& pattern) { return MatchesWildcard(pattern, origin); });
}

bool CorsPolicy::HeadersAreAllowed(std::string_view list) const {
  if (any_header_) {
    return true;
  }
  while (!list.empty()) {
    const std::string_view name = NextOfList(list);
    const auto equals = [&](std::string_view known) { return EqualsIgnoringCase(known, name); };
    const bool allowed =
        name.empty() || std::any_of(std::begin(kAlwaysAllowed), std::end(kAlwaysAllowed), equals) ||
        (options_.allowed_headers.empty() ? equals("x-requested-with")
                                          : std::any_of(options_.allowed_headers.begin(),
                                                        options_.allowed_headers.end(), equals));
    if (!allowed) {
      return false;
    }
  }
  return true;
}

std::vector<std::pair<std::string, std::string>> CorsPolicy::PreflightFields(
    const RequestHead& head) const {
  std::vector<std::pair<std::string, std::string>> fields;
  const std::string_view origin = head.Find("origin").value_or("");
  const std::string_view method = head.Find("access-control-request-method").value_or("");
  const std::string_view headers = head.Find("access-control-request-headers").value_or("");
  const bool method_allowed = method == "POST" || method == "GET" || method == "HEAD";
  if (!OriginIsAllowed(origin) || !method_allowed || !HeadersAreAllowed(headers)) {
    return fields;
  }
  fields.emplace_back("access-control-allow-origin", AllowedOrigin(origin));
  fields.emplace_back("access-control-allow-methods", method);
  if (!headers.empty()) {
    fields.emplace_back("access-control-allow-headers", headers);
  }
  fields.emplace_back("access-control-allow-credentials", "true");
  if (options_.max_age.count() > 0) {
    fields.emplace_back("access-control-max-age", std::to_string(options_.max_age.count()));
  }
  return fields;
}

}  // namespace weir::net

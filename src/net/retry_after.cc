#include "net/retry_after.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

namespace weir::net {
namespace {

constexpr std::chrono::milliseconds kWaitMax = std::chrono::hours(24);

}  // namespace

std::optional<std::chrono::milliseconds> ParseRetryAfter(
    std::string_view value, std::chrono::system_clock::time_point now) {
  std::int64_t seconds = 0;
  const char* const end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, seconds);
  if (error == std::errc() && at == end && seconds >= 0) {
    return std::min<std::chrono::milliseconds>(
        std::chrono::seconds(std::min<std::int64_t>(seconds, 86400)), kWaitMax);
  }
  // Only the HTTP-date form, "Wed, 21 Oct 2026 07:28:00 GMT": curl_getdate alone reads far more.
  if (value.size() < 29 || !value.ends_with("GMT")) {
    return std::nullopt;
  }
  const time_t date = curl_getdate(std::string(value).c_str(), nullptr);
  if (date < 0) {
    return std::nullopt;
  }
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
      std::chrono::system_clock::from_time_t(date) - now);
  return std::clamp(wait, std::chrono::milliseconds(0), kWaitMax);
}

}  // namespace weir::net

// The text of one log line in either encoding, without the newline.

#ifndef WEIR_SRC_TELEMETRY_LOG_LINE_H_
#define WEIR_SRC_TELEMETRY_LOG_LINE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/telemetry/log.h"

namespace weir::internal {

struct LogLine {
  std::chrono::system_clock::time_point time;
  LogLevel level = LogLevel::kInfo;
  std::string_view message;
  const std::vector<std::pair<std::string, std::string>>& initial;
  const std::vector<std::pair<std::string, std::string>>& bound;
  LogFields fields;
  std::uint64_t suppressed = 0;  // Shown when not 0.
};

std::string FormatConsole(const LogLine& line);
std::string FormatJson(const LogLine& line);

// True for a key whose value must not be written: "password", "client_secret", "Authorization", ...
bool IsSecretKey(std::string_view key);

}  // namespace weir::internal

#endif  // WEIR_SRC_TELEMETRY_LOG_LINE_H_

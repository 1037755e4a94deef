// Text as a JSON string, for our own log lines and snapshots.

#ifndef WEIR_SRC_TELEMETRY_JSON_TEXT_H_
#define WEIR_SRC_TELEMETRY_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace weir::internal {

// Appends `text` quoted and escaped. Bytes that are no UTF-8 become U+FFFD, so the result is always
// valid JSON.
void AppendJsonString(std::string_view text, std::string& json);

}  // namespace weir::internal

#endif  // WEIR_SRC_TELEMETRY_JSON_TEXT_H_

// The Retry-After header of an HTTP answer: seconds, or a date.
//
// Threads: pure functions.

#ifndef WEIR_NET_RETRY_AFTER_H_
#define WEIR_NET_RETRY_AFTER_H_

#include <chrono>
#include <optional>
#include <string_view>

namespace weir::net {

// The wait it asks for, not under zero and not over a day; nullopt when it is neither form.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view value,
                                                         std::chrono::system_clock::time_point now);

}  // namespace weir::net

#endif  // WEIR_NET_RETRY_AFTER_H_

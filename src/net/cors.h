// Cross-origin resource sharing (the Fetch standard): which web pages may send us requests.
//
// Threads: constant after construction.

#ifndef WEIR_NET_CORS_H_
#define WEIR_NET_CORS_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/request_head.h"

namespace weir::net {

class CorsPolicy {
 public:
  struct Options {
    // "*" alone, or as a part of an origin ("https://*.example.com"), stands for any characters.
    std::vector<std::string> allowed_origins;
    // Beside Accept, Accept-Language, Content-Type and Content-Language. Empty allows
    // X-Requested-With, "*" everything.
    std::vector<std::string> allowed_headers;
    std::vector<std::string> exposed_headers;
    std::chrono::seconds max_age{0};  // 0 sends none.
  };

  explicit CorsPolicy(Options options);

  // A browser's question before the request it is about.
  static bool IsPreflight(const RequestHead& head);
  // The answer to it, beside Vary; without a field it says no.
  std::vector<std::pair<std::string, std::string>> PreflightFields(const RequestHead& head) const;

  // What an ordinary answer to this request carries: `emit(name, value)` for each.
  template <typename Emit>
  void AddResponseFields(const RequestHead& head, Emit emit) const {
    emit(std::string_view("vary"), std::string_view("Origin"));
    const std::optional<std::string_view> origin = head.Find("origin");
    if (!origin.has_value() || IsPreflight(head) || !OriginIsAllowed(*origin)) {
      return;
    }
    emit(std::string_view("access-control-allow-origin"), AllowedOrigin(*origin));
    emit(std::string_view("access-control-allow-credentials"), std::string_view("true"));
    if (!exposed_.empty()) {
      emit(std::string_view("access-control-expose-headers"), std::string_view(exposed_));
    }
  }

  bool OriginIsAllowed(std::string_view origin) const;
  bool HeadersAreAllowed(std::string_view list) const;

 private:
  std::string_view AllowedOrigin(std::string_view origin) const {
    return any_origin_ ? std::string_view("*") : origin;
  }

  const Options options_;
  bool any_origin_ = false;
  bool any_header_ = false;
  std::string exposed_;
};

// Whether `text` is `pattern` with each '*' in it standing for any characters. Letters' case is
// ignored, as origins have none.
bool MatchesWildcard(std::string_view pattern, std::string_view text);

}  // namespace weir::net

#endif  // WEIR_NET_CORS_H_

#include "extensions/bearertokenauth/config.h"

#include <algorithm>

namespace weir::extensions::bearertokenauth {

void Config::Validate(FieldCheck& check) const {
  if (token.empty() && tokens.empty() && filename.empty()) {
    check.Error("", "needs `token`, `tokens` or `filename`");
  }
  if (!token.empty() && !tokens.empty()) {
    check.Error("tokens", "must not stand beside `token`");
  }
  if (!filename.empty() && (!token.empty() || !tokens.empty())) {
    check.Warning("filename", "wins over the tokens of the configuration");
  }
  if (std::ranges::any_of(tokens, &Secret::empty)) {
    check.Error("tokens", "must not hold an empty token");
  }
  if (header.empty()) {
    check.Error("header", "must not be empty");
  }
}

}  // namespace weir::extensions::bearertokenauth

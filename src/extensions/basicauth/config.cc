#include "extensions/basicauth/config.h"

namespace weir::extensions::basicauth {

void ClientConfig::Validate(FieldCheck& check) const {
  if (username.find(':') != std::string::npos) {
    check.Error("username", "must not hold a colon: it ends the name in the header");
  }
}

void Config::Validate(FieldCheck& check) const {
  if (htpasswd.has_value() == client_auth.has_value()) {
    check.Error("", "needs either `htpasswd` (for receivers) or `client_auth` (for exporters)");
    return;
  }
  if (htpasswd.has_value() && htpasswd->file.empty() && htpasswd->inline_entries.empty()) {
    check.Error("htpasswd", "needs `file` or `inline`");
  }
}

}  // namespace weir::extensions::basicauth

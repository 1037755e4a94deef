// Options of the basicauth extension, with the Collector's keys.

#ifndef WEIR_EXTENSIONS_BASICAUTH_CONFIG_H_
#define WEIR_EXTENSIONS_BASICAUTH_CONFIG_H_

#include <optional>
#include <string>

#include "weir/config/fields.h"

namespace weir::extensions::basicauth {

struct HtpasswdConfig {
  std::string file;
  Secret inline_entries;

  static void VisitFields(auto& self, auto& visit) {
    visit("file", self.file, "File of `user:hash` lines, as htpasswd writes them.");
    visit("inline", self.inline_entries,
          "The same lines in the configuration; they win over those of the file.");
  }
  bool operator==(const HtpasswdConfig&) const = default;
};

struct ClientConfig {
  std::string username;
  std::string username_file;
  Secret password;
  std::string password_file;

  static void VisitFields(auto& self, auto& visit) {
    visit("username", self.username, "Name to sign in with.");
    visit("username_file", self.username_file,
          "File that holds the name; wins over `username` and is read again when it changes.");
    visit("password", self.password, "Password to sign in with.");
    visit("password_file", self.password_file,
          "File that holds the password; wins over `password` and is read again when it changes.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const ClientConfig&) const = default;
};

struct Config {
  std::optional<HtpasswdConfig> htpasswd;
  std::optional<ClientConfig> client_auth;

  static void VisitFields(auto& self, auto& visit) {
    visit("htpasswd", self.htpasswd, "Who may send: for receivers.");
    visit("client_auth", self.client_auth, "How to sign in: for exporters.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::extensions::basicauth

#endif  // WEIR_EXTENSIONS_BASICAUTH_CONFIG_H_

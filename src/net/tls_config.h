// The TLS sections of a configuration, for clients (`tls` of an exporter) and servers (`tls` of a
// receiver), with the Collector's keys and defaults. tls.h makes connections out of them.
//
// Threads: plain values.

#ifndef WEIR_NET_TLS_CONFIG_H_
#define WEIR_NET_TLS_CONFIG_H_

#include <string>
#include <vector>

#include "weir/config/field_type.h"
#include "weir/config/values.h"

namespace weir::net {

struct TlsConfig {
  // A client verifies servers with it. Empty: the system's certificates.
  std::string ca_file;
  Secret ca_pem;
  // Own certificate (chain, leaf first) and its key.
  std::string cert_file;
  Secret cert_pem;
  std::string key_file;
  Secret key_pem;

  bool include_system_ca_certs_pool = false;
  std::string min_version = "";  // Empty: 1.2.
  std::string max_version = "";  // Empty: the newest.
  std::vector<std::string> cipher_suites;
  bool include_insecure_cipher_suites = false;
  std::vector<std::string> curve_preferences;
  Duration reload_interval{0};

  static void VisitFields(auto& self, auto& visit) {
    visit("ca_file", self.ca_file, "File of the certificates that peers are verified with.");
    visit("ca_pem", self.ca_pem, "The same as PEM text.");
    visit("cert_file", self.cert_file, "File of the own certificate.");
    visit("cert_pem", self.cert_pem, "The same as PEM text.");
    visit("key_file", self.key_file, "File of the own certificate's private key.");
    visit("key_pem", self.key_pem, "The same as PEM text.");
    visit("include_system_ca_certs_pool", self.include_system_ca_certs_pool,
          "Trust the system's certificates beside `ca_file` or `ca_pem`.");
    visit("min_version", self.min_version, "Oldest TLS version: 1.0, 1.1, 1.2 (default) or 1.3.");
    visit("max_version", self.max_version, "Newest TLS version; empty for the newest there is.");
    visit("cipher_suites", self.cipher_suites,
          "Cipher suites up to TLS 1.2 by their IANA names; empty for a safe list.");
    visit("include_insecure_cipher_suites", self.include_insecure_cipher_suites,
          "Let `cipher_suites` name weak ones.");
    visit("curve_preferences", self.curve_preferences,
          "Key exchange groups, best first: X25519, P256, P384, P521.");
    visit("reload_interval", self.reload_interval,
          "Read certificate and key files again after this long; 0 for never.",
          {.min = 0, .max = {}});
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const TlsConfig&) const = default;
};

struct TlsClientConfig {
  TlsConfig common;
  bool insecure = false;
  bool insecure_skip_verify = false;
  std::string server_name_override;

  static void VisitFields(auto& self, auto& visit) {
    visit("insecure", self.insecure, "Connect without TLS (where no `ca_file` is given).");
    visit("insecure_skip_verify", self.insecure_skip_verify,
          "Connect with TLS and take any certificate.");
    visit("server_name_override", self.server_name_override,
          "Name to ask the server for and to verify its certificate against.");
    visit.Squash(self.common);
  }
  // False when connections are in clear text.
  bool UsesTls() const { return !insecure || !common.ca_file.empty() || !common.ca_pem.empty(); }
  bool operator==(const TlsClientConfig&) const = default;
};

struct TlsServerConfig {
  TlsConfig common;
  std::string client_ca_file;
  bool client_ca_file_reload = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("client_ca_file", self.client_ca_file,
          "File of the certificates that clients must show one of; empty asks for none.");
    visit("client_ca_file_reload", self.client_ca_file_reload,
          "Read `client_ca_file` again when it changed.");
    visit.Squash(self.common);
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const TlsServerConfig&) const = default;
};

}  // namespace weir::net

#endif  // WEIR_NET_TLS_CONFIG_H_

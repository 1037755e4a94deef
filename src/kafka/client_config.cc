#include "kafka/client_config.h"

#include <algorithm>

namespace weir::kafka {
namespace {

bool IsVersion(std::string_view text) {
  return std::ranges::count(text, '.') >= 1 && !text.starts_with('.') && !text.ends_with('.') &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace

void SaslAuth::Validate(FieldCheck& check) const {
  if (mechanism == SaslMechanism::kAwsMskIam || mechanism == SaslMechanism::kOauthBearer) {
    check.Error("mechanism", "is not supported: use `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`");
    return;
  }
  if (username.empty()) {
    check.Error("username", "must not be empty");
  }
  if (password.empty()) {
    check.Error("password", "must not be empty");
  }
}

void KerberosAuth::Validate(FieldCheck& check) const {
  if (!use_keytab || keytab_file.empty()) {
    check.Error("use_keytab", "must be true, with a `keytab_file`: passwords are not supported");
  }
}

void Auth::Validate(FieldCheck& check) const {
  if (int{plain_text.has_value()} + int{sasl.has_value()} + int{kerberos.has_value()} > 1) {
    check.Error("", "can have one of `plain_text`, `sasl` and `kerberos` only");
  }
}

void ClientConfig::Validate(FieldCheck& check) const {
  if (brokers.empty() || std::ranges::any_of(brokers, &std::string::empty)) {
    check.Error("brokers", "must name at least one broker");
  }
  if (!protocol_version.empty() && !IsVersion(protocol_version)) {
    check.Error("protocol_version", "must be a version such as 2.1.0");
  }
  if (tls.has_value() && auth.tls.has_value()) {
    check.Warning("auth::tls", "has no effect beside `tls`");
  }
  const std::optional<net::TlsClientConfig>& used = tls.has_value() ? tls : auth.tls;
  if (!used.has_value() || !used->UsesTls()) {
    return;
  }
  const std::string_view key = tls.has_value() ? "tls" : "auth::tls";
  if (!used->common.min_version.empty() || !used->common.max_version.empty()) {
    check.Warning(key, "the TLS version is left to OpenSSL's own configuration for Kafka");
  }
  if (!used->server_name_override.empty()) {
    check.Error(key, "`server_name_override` is not supported for Kafka");
  }
  if (used->common.include_system_ca_certs_pool &&
      (!used->common.ca_file.empty() || !used->common.ca_pem.empty())) {
    check.Error(key, "the system's certificates can't be used beside a `ca_file` for Kafka");
  }
}

}  // namespace weir::kafka

#include "net/tls_config.h"

#include "net/tls.h"

namespace weir::net {
namespace {

void CheckPair(const FieldCheck& check, const char* file_key, bool file, const char* pem_key,
               bool pem) {
  if (file && pem) {
    check.Error(file_key, "can't be given together with `{}`", pem_key);
  }
}

}  // namespace

void TlsConfig::Validate(FieldCheck& check) const {
  CheckPair(check, "ca_file", !ca_file.empty(), "ca_pem", !ca_pem.empty());
  CheckPair(check, "cert_file", !cert_file.empty(), "cert_pem", !cert_pem.empty());
  CheckPair(check, "key_file", !key_file.empty(), "key_pem", !key_pem.empty());
  const bool has_cert = !cert_file.empty() || !cert_pem.empty();
  const bool has_key = !key_file.empty() || !key_pem.empty();
  if (has_cert && !has_key) {
    check.Error("", "a certificate needs its key: set `key_file` or `key_pem`");
  }
  if (has_key && !has_cert) {
    check.Error("", "a key needs its certificate: set `cert_file` or `cert_pem`");
  }
  const std::optional<int> oldest = ParseTlsVersion(min_version);
  if (!oldest.has_value()) {
    check.Error("min_version", "is not a TLS version: use 1.0, 1.1, 1.2 or 1.3");
  }
  const std::optional<int> newest = ParseTlsVersion(max_version);
  if (!newest.has_value()) {
    check.Error("max_version", "is not a TLS version: use 1.0, 1.1, 1.2 or 1.3");
  }
  if (oldest.has_value() && newest.has_value() && !max_version.empty() &&
      *newest < (min_version.empty() ? *ParseTlsVersion("1.2") : *oldest)) {
    check.Error("max_version", "is older than `min_version`");
  }
  if (const absl::StatusOr<std::string> list =
          OpenSslCipherList(cipher_suites, include_insecure_cipher_suites);
      !list.ok()) {
    check.Error("cipher_suites", "{}", std::string(list.status().message()));
  }
  if (const absl::StatusOr<std::string> list = OpenSslGroupList(curve_preferences); !list.ok()) {
    check.Error("curve_preferences", "{}", std::string(list.status().message()));
  }
}

void TlsServerConfig::Validate(FieldCheck& check) const {
  const bool has_cert = !common.cert_file.empty() || !common.cert_pem.empty();
  const bool has_key = !common.key_file.empty() || !common.key_pem.empty();
  if (!has_cert && !has_key) {
    check.Error("", "a server needs `cert_file` and `key_file` (or `cert_pem` and `key_pem`)");
  }
}

}  // namespace weir::net

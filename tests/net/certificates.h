// Certificates made for one test, written into a temporary folder that goes with the object.
//
//   TestCertificates certificates;
//   certificates.Issue("server", {.names = {"localhost"}});   // -> certificates.Path("server.pem")

#ifndef WEIR_TESTS_NET_CERTIFICATES_H_
#define WEIR_TESTS_NET_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "weir/base/check.h"

namespace weir::net {

class TestCertificates {
 public:
  struct Options {
    std::vector<std::string> names = {"localhost"};
    std::vector<std::string> addresses = {"127.0.0.1"};
    std::string common_name = "weir test";
  };

  // Makes the authority: ca.pem.
  TestCertificates() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir_tls_XXXXXX").string();
    WEIR_CHECK(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    key_ = NewKey();
    authority_ = NewCertificate("weir test authority", key_.get());
    AddExtension(authority_.get(), NID_basic_constraints, "critical,CA:TRUE");
    Sign(authority_.get(), nullptr);
    WriteCertificate("ca.pem", authority_.get());
  }
  ~TestCertificates() { std::filesystem::remove_all(folder_); }
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  // Writes `name`.pem and `name`.key, replacing what is there.
  void Issue(const std::string& name, const Options& options) {
    const Key key = NewKey();
    const Certificate certificate = NewCertificate(options.common_name, key.get());
    std::string names;
    for (const std::string& dns : options.names) {
      names += (names.empty() ? "DNS:" : ",DNS:") + dns;
    }
    for (const std::string& address : options.addresses) {
      names += (names.empty() ? "IP:" : ",IP:") + address;
    }
    if (!names.empty()) {
      AddExtension(certificate.get(), NID_subject_alt_name, names);
    }
    Sign(certificate.get(), authority_.get());
    WriteCertificate(name + ".pem", certificate.get());
    std::FILE* const file = std::fopen(Path(name + ".key").c_str(), "w");
    WEIR_CHECK(file != nullptr);
    WEIR_CHECK(PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    std::fclose(file);
  }

  std::string Path(const std::string& file) const { return folder_ / file; }
  std::string Text(const std::string& file) const {
    std::ifstream stream(Path(file));
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

  static Key NewKey() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

  Certificate NewCertificate(const std::string& common_name, EVP_PKEY* key) {
    Certificate certificate(X509_new(), X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    X509_set_pubkey(certificate.get(), key);
    return certificate;
  }

  static void AddExtension(X509* certificate, int nid, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    WEIR_CHECK(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  void Sign(X509* certificate, X509* issuer) {
    X509_set_issuer_name(certificate,
                         X509_get_subject_name(issuer == nullptr ? certificate : issuer));
    WEIR_CHECK(X509_sign(certificate, key_.get(), EVP_sha256()) > 0);
  }

  void WriteCertificate(const std::string& name, X509* certificate) const {
    std::FILE* const file = std::fopen(Path(name).c_str(), "w");
    WEIR_CHECK(file != nullptr);
    WEIR_CHECK(PEM_write_X509(file, certificate) == 1);
    std::fclose(file);
  }

  std::filesystem::path folder_;
  long serial_ = 0;
  Key key_{nullptr, EVP_PKEY_free};
  Certificate authority_{nullptr, X509_free};
};

}  // namespace weir::net

#endif  // WEIR_TESTS_NET_CERTIFICATES_H_

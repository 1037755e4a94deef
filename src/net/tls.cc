#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "net/socket_bio.h"
#include "weir/base/check.h"
#include "weir/base/status.h"

namespace weir::net {
namespace {

using X509Pointer = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using BioPointer = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

// How often a file that is reloaded on change is looked at, at most.
constexpr std::chrono::seconds kFileCheckInterval{1};

std::string WireAlpn(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    WEIR_CHECK(!protocol.empty() && protocol.size() < 256);
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

absl::Status OpenSslError(std::string_view what) {
  return InvalidArgument("{}: {}", what, TakeOpenSslErrors());
}

BioPointer OpenPem(const std::string& file, const Secret& pem) {
  const std::string& text = pem.reveal();
  return {file.empty() ? BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))
                       : BIO_new_file(file.c_str(), "r"),
          BIO_free_all};
}

// The certificate and key, from files or text; both or neither is given (TlsConfig::Validate).
absl::Status LoadOwnCertificate(SSL_CTX* context, const TlsConfig& config) {
  if (config.cert_file.empty() && config.cert_pem.empty()) {
    return absl::OkStatus();
  }
  const std::string& cert_name = config.cert_file.empty() ? "cert_pem" : config.cert_file;
  const BioPointer cert = OpenPem(config.cert_file, config.cert_pem);
  if (cert == nullptr) {
    return OpenSslError(fmt::format("can't read certificate {}", cert_name));
  }
  const X509Pointer leaf(PEM_read_bio_X509_AUX(cert.get(), nullptr, nullptr, nullptr), X509_free);
  if (leaf == nullptr || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return OpenSslError(fmt::format("no usable certificate in {}", cert_name));
  }
  while (X509* link = PEM_read_bio_X509(cert.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, link) != 1) {  // Takes `link` over on success.
      X509_free(link);
      return OpenSslError(fmt::format("can't use the chain in {}", cert_name));
    }
  }
  ERR_clear_error();  // The end of the file is reported as an error.

  const std::string& key_name = config.key_file.empty() ? "key_pem" : config.key_file;
  const BioPointer key_source = OpenPem(config.key_file, config.key_pem);
  if (key_source == nullptr) {
    return OpenSslError(fmt::format("can't read key {}", key_name));
  }
  // An encrypted key must not ask for its password on the terminal.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  const KeyPointer key(PEM_read_bio_PrivateKey(key_source.get(), nullptr, no_password, nullptr),
                       EVP_PKEY_free);
  if (key == nullptr || SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return OpenSslError(fmt::format("can't use key {} with certificate {}", key_name, cert_name));
  }
  return absl::OkStatus();
}

// Adds every certificate of the file or text to those that peers are verified with.
absl::Status AddTrusted(SSL_CTX* context, const std::string& file, const Secret& pem) {
  const std::string& name = file.empty() ? "ca_pem" : file;
  const BioPointer source = OpenPem(file, pem);
  if (source == nullptr) {
    return OpenSslError(fmt::format("can't read {}", name));
  }
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (X509* read = PEM_read_bio_X509_AUX(source.get(), nullptr, nullptr, nullptr)) {
    const X509Pointer certificate(read, X509_free);
    X509_STORE_add_cert(store, certificate.get());
    ++count;
  }
  ERR_clear_error();
  return count > 0 ? absl::OkStatus() : InvalidArgument("no certificate in {}", name);
}

absl::Status ApplyCommon(const TlsConfig& config, SSL_CTX* context) {
  const std::optional<int> oldest = ParseTlsVersion(config.min_version);
  const std::optional<int> newest = ParseTlsVersion(config.max_version);
  if (!oldest.has_value() || !newest.has_value()) {
    return InvalidArgument("not a TLS version: {}",
                           oldest.has_value() ? config.max_version : config.min_version);
  }
  const int lowest = *oldest == 0 ? TLS1_2_VERSION : *oldest;
  if (lowest < TLS1_2_VERSION) {
    SSL_CTX_set_security_level(context, 0);  // OpenSSL 3 has no older version above this level.
  }
  if (SSL_CTX_set_min_proto_version(context, lowest) != 1 ||
      SSL_CTX_set_max_proto_version(context, *newest) != 1) {
    return OpenSslError("can't set the TLS versions");
  }
  WEIR_ASSIGN_OR_RETURN(
      const std::string ciphers,
      OpenSslCipherList(config.cipher_suites, config.include_insecure_cipher_suites));
  if (!ciphers.empty() && SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1) {
    return OpenSslError("can't use these cipher suites");
  }
  WEIR_ASSIGN_OR_RETURN(const std::string groups, OpenSslGroupList(config.curve_preferences));
  if (!groups.empty() && SSL_CTX_set1_groups_list(context, groups.c_str()) != 1) {
    return OpenSslError("can't use these curves");
  }
  return LoadOwnCertificate(context, config);
}

absl::Status ApplyTrust(const TlsConfig& config, SSL_CTX* context) {
  const bool own_ca = !config.ca_file.empty() || !config.ca_pem.empty();
  if (own_ca) {
    WEIR_RETURN_IF_ERROR(AddTrusted(context, config.ca_file, config.ca_pem));
  }
  if (!own_ca || config.include_system_ca_certs_pool) {
    SSL_CTX_set_default_verify_paths(context);
  }
  return absl::OkStatus();
}

std::string FileStamp(const std::string& path) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) {
    return "";
  }
  return fmt::format("{}.{}.{}.{}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size,
                     status.st_ino);
}

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_length,
               const unsigned char* offered, unsigned int offered_length, void* ours_pointer) {
  const auto& ours = *static_cast<const std::string*>(ours_pointer);
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_length,
                            reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned int>(ours.size()), offered,
                            offered_length) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;  // The session decides what a client without our words gets.
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

bool IsAddress(const std::string& host) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
  return address != nullptr;
}

}  // namespace

std::string TakeOpenSslErrors() {
  std::string text;
  std::array<char, 256> line;
  while (const unsigned long code = ERR_get_error()) {
    const char* const reason = ERR_reason_error_string(code);
    if (reason == nullptr) {
      ERR_error_string_n(code, line.data(), line.size());
    }
    text += text.empty() ? "" : "; ";
    text += reason != nullptr ? reason : line.data();
  }
  return text.empty() ? "unknown error" : text;
}

std::optional<int> ParseTlsVersion(std::string_view version) {
  constexpr std::array<std::pair<std::string_view, int>, 5> kVersions = {{{"", 0},
                                                                          {"1.0", TLS1_VERSION},
                                                                          {"1.1", TLS1_1_VERSION},
                                                                          {"1.2", TLS1_2_VERSION},
                                                                          {"1.3", TLS1_3_VERSION}}};
  const auto found = std::find_if(kVersions.begin(), kVersions.end(),
                                  [&](const auto& known) { return known.first == version; });
  return found == kVersions.end() ? std::nullopt : std::optional(found->second);
}

absl::StatusOr<std::string> OpenSslCipherList(const std::vector<std::string>& suites,
                                              bool weak_allowed) {
  std::string list;
  for (const std::string& suite : suites) {
    if (suite.starts_with("TLS_AES_") || suite == "TLS_CHACHA20_POLY1305_SHA256") {
      continue;
    }
    const std::string_view name = OPENSSL_cipher_name(suite.c_str());
    if (name == "(NONE)") {
      return InvalidArgument("\"{}\" is no cipher suite", suite);
    }
    // What is neither forward secret nor authenticated encryption is weak, as in the Collector.
    const bool strong = suite.starts_with("TLS_ECDHE_") && suite.find("RC4") == std::string::npos &&
                        suite.find("3DES") == std::string::npos && !suite.ends_with("CBC_SHA256");
    if (!strong && !weak_allowed) {
      return InvalidArgument("\"{}\" is weak; set `include_insecure_cipher_suites` to use it",
                             suite);
    }
    list += list.empty() ? "" : ":";
    list += name;
  }
  return list;
}

absl::StatusOr<std::string> OpenSslGroupList(const std::vector<std::string>& curves) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kGroups = {
      {{"X25519", "X25519"}, {"P256", "P-256"}, {"P384", "P-384"}, {"P521", "P-521"}}};
  std::string list;
  for (const std::string& curve : curves) {
    const auto found = std::find_if(kGroups.begin(), kGroups.end(),
                                    [&](const auto& known) { return known.first == curve; });
    if (found == kGroups.end()) {
      return InvalidArgument("\"{}\" is no curve: use X25519, P256, P384 or P521", curve);
    }
    list += list.empty() ? "" : ":";
    list += found->second;
  }
  return list;
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

TlsStatus TlsStream::Translate(int result) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE:
      return TlsStatus::kDone;
    case SSL_ERROR_WANT_READ:
      return TlsStatus::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return TlsStatus::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return TlsStatus::kClosed;
    case SSL_ERROR_SYSCALL:
      error_ = system_error == 0 ? "the peer closed the connection"
                                 : std::string(FromErrno(system_error, "socket").message());
      return TlsStatus::kFailed;
    default:
      break;
  }
  // A peer that closes the socket without a goodbye is common enough to be no failure.
  if (established_ && ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return TlsStatus::kClosed;
  }
  const long verify = SSL_get_verify_result(ssl_);
  error_ = TakeOpenSslErrors();
  if (verify != X509_V_OK) {
    error_ += fmt::format(" ({})", X509_verify_cert_error_string(verify));
  }
  return TlsStatus::kFailed;
}

TlsStatus TlsStream::Handshake() {
  ERR_clear_error();
  errno = 0;
  const TlsStatus status = Translate(SSL_do_handshake(ssl_));
  established_ = status == TlsStatus::kDone;
  return status;
}

TlsResult TlsStream::Read(std::span<char> into) {
  WEIR_DCHECK(!into.empty());
  ERR_clear_error();
  errno = 0;
  std::size_t bytes = 0;
  const int result = SSL_read_ex(ssl_, into.data(), into.size(), &bytes);
  if (result == 1) {
    return {.status = TlsStatus::kDone, .bytes = bytes};
  }
  return {.status = Translate(result)};
}

TlsResult TlsStream::Write(std::string_view bytes) {
  WEIR_DCHECK(!bytes.empty());
  ERR_clear_error();
  errno = 0;
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written);
  if (result == 1) {
    return {.status = TlsStatus::kDone, .bytes = written};
  }
  return {.status = Translate(result)};
}

void TlsStream::Shutdown() {
  ERR_clear_error();
  if (error_.empty() && established_) {
    SSL_shutdown(ssl_);
  }
  ERR_clear_error();
}

std::string_view TlsStream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_, &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

std::string_view TlsStream::version() const { return SSL_get_version(ssl_); }

std::string TlsStream::PeerSubject() const {
  X509* const certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr || SSL_get_verify_result(ssl_) != X509_V_OK) {
    return "";
  }
  const BioPointer text(BIO_new(BIO_s_mem()), BIO_free_all);
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long length = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

TlsContext::TlsContext(TlsConfig common, std::vector<std::string> alpn)
    : common_(std::move(common)), alpn_(WireAlpn(alpn)) {}

absl::StatusOr<std::shared_ptr<TlsContext>> TlsContext::NewClient(const TlsClientConfig& config,
                                                                  std::vector<std::string> alpn) {
  std::shared_ptr<TlsContext> context(new TlsContext(config.common, std::move(alpn)));
  context->client_ = config;
  WEIR_RETURN_IF_ERROR(context->Reload());
  return context;
}

absl::StatusOr<std::shared_ptr<TlsContext>> TlsContext::NewServer(const TlsServerConfig& config,
                                                                  std::vector<std::string> alpn) {
  std::shared_ptr<TlsContext> context(new TlsContext(config.common, std::move(alpn)));
  context->server_ = config;
  WEIR_RETURN_IF_ERROR(context->Reload());
  return context;
}

absl::Status ApplyClientConfig(const TlsClientConfig& config, SSL_CTX* context) {
  ERR_clear_error();
  WEIR_RETURN_IF_ERROR(ApplyCommon(config.common, context));
  return ApplyTrust(config.common, context);
}

absl::Status TlsContext::AddClientRules(SSL_CTX* context) const {
  WEIR_RETURN_IF_ERROR(ApplyTrust(common_, context));
  SSL_CTX_set_verify(context, client_->insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  if (!alpn_.empty()) {
    // Unlike its siblings this returns 0 for success.
    WEIR_CHECK(SSL_CTX_set_alpn_protos(context,
                                       reinterpret_cast<const unsigned char*>(alpn_.data()),
                                       static_cast<unsigned int>(alpn_.size())) == 0);
  }
  return absl::OkStatus();
}

absl::Status TlsContext::AddServerRules(SSL_CTX* context) const {
  if (!server_->client_ca_file.empty()) {
    WEIR_RETURN_IF_ERROR(AddTrusted(context, server_->client_ca_file, Secret()));
    if (common_.include_system_ca_certs_pool) {
      SSL_CTX_set_default_verify_paths(context);
    }
    // Tells clients which of their certificates to show.
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(server_->client_ca_file.c_str()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // A server that verifies clients must name its sessions for resumption to work.
    constexpr std::string_view kSessionContext = "weir";
    SSL_CTX_set_session_id_context(context,
                                   reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                   static_cast<unsigned int>(kSessionContext.size()));
  }
  if (!alpn_.empty()) {
    SSL_CTX_set_alpn_select_cb(context, SelectAlpn, const_cast<std::string*>(&alpn_));
  }
  return absl::OkStatus();
}

absl::StatusOr<TlsContext::ContextPointer> TlsContext::Build() const {
  ERR_clear_error();
  ContextPointer context(
      SSL_CTX_new(server_.has_value() ? TLS_server_method() : TLS_client_method()), SSL_CTX_free);
  WEIR_CHECK(context != nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Several records a system call; a record is at most 16 KiB.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), 65536);
  WEIR_RETURN_IF_ERROR(ApplyCommon(common_, context.get()));
  WEIR_RETURN_IF_ERROR(server_.has_value() ? AddServerRules(context.get())
                                           : AddClientRules(context.get()));
  return context;
}

absl::Status TlsContext::Reload() {
  const std::string stamp = server_.has_value() ? FileStamp(server_->client_ca_file) : "";
  absl::StatusOr<ContextPointer> built = Build();
  const std::lock_guard lock(mutex_);
  // A failed try counts too, so that a broken file isn't read for every connection.
  loaded_at_ = checked_at_ = Clock::now();
  client_ca_stamp_ = stamp;
  if (!built.ok()) {
    last_reload_error_ = std::string(built.status().message());
    return built.status();
  }
  last_reload_error_.clear();
  context_ = *std::move(built);
  return absl::OkStatus();
}

std::string TlsContext::last_reload_error() const {
  const std::lock_guard lock(mutex_);
  return last_reload_error_;
}

bool TlsContext::ReloadIsDue(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (common_.reload_interval.count() > 0 && now - loaded_at_ >= common_.reload_interval) {
    return true;
  }
  if (!server_.has_value() || !server_->client_ca_file_reload ||
      now - checked_at_ < kFileCheckInterval) {
    return false;
  }
  checked_at_ = now;
  const std::string stamp = FileStamp(server_->client_ca_file);
  return !stamp.empty() && stamp != client_ca_stamp_;
}

TlsContext::ContextPointer TlsContext::Current() {
  if (ReloadIsDue(Clock::now())) {
    static_cast<void>(Reload());  // Remembered in last_reload_error().
  }
  const std::lock_guard lock(mutex_);
  return context_;
}

std::unique_ptr<TlsStream> TlsContext::NewStream(int fd) {
  SSL* const ssl = SSL_new(Current().get());  // Counts its context's references itself.
  WEIR_CHECK(ssl != nullptr);
  BIO* const bio = NewSocketBio(fd);
  SSL_set_bio(ssl, bio, bio);
  return std::unique_ptr<TlsStream>(new TlsStream(ssl));
}

std::unique_ptr<TlsStream> TlsContext::NewClientStream(int fd, const std::string& host) {
  WEIR_CHECK(client_.has_value());
  std::unique_ptr<TlsStream> stream = NewStream(fd);
  SSL* const ssl = stream->ssl_;
  const std::string& name =
      client_->server_name_override.empty() ? host : client_->server_name_override;
  if (IsAddress(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, name.c_str());
    SSL_set1_host(ssl, name.c_str());
  }
  SSL_set_connect_state(ssl);
  return stream;
}

std::unique_ptr<TlsStream> TlsContext::NewServerStream(int fd) {
  WEIR_CHECK(server_.has_value());
  std::unique_ptr<TlsStream> stream = NewStream(fd);
  SSL_set_accept_state(stream->ssl_);
  return stream;
}

}  // namespace weir::net

// TLS over a non-blocking socket, for both ends: TlsContext is the certificates and rules of one
// `tls` section, TlsStream one connection made under them.
//
//   WEIR_ASSIGN_OR_RETURN(auto context, TlsContext::NewServer(config, {"h2", "http/1.1"}));
//   std::unique_ptr<TlsStream> stream = context->NewServerStream(fd);
//   while (stream->Handshake() != TlsStatus::kDone) { wait for what it wants }
//
// Threads: TlsContext is thread-safe. A TlsStream belongs to one thread.
// Ownership: the stream never closes the descriptor. It keeps the certificates it began with.
// Loss: a reload that fails keeps the certificates there are; last_reload_error() says why.

#ifndef WEIR_NET_TLS_H_
#define WEIR_NET_TLS_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "net/tls_config.h"

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace weir::net {

// The texts of OpenSSL's errors of this thread, oldest first, and forgets them.
std::string TakeOpenSslErrors();

// "1.2" to OpenSSL's number; 0 for "", nullopt for anything that is no version.
std::optional<int> ParseTlsVersion(std::string_view version);
// From the names the Collector uses to the lists OpenSSL reads. Empty for empty. TLS 1.3's suites
// are accepted and left out, as there they can't be chosen.
absl::StatusOr<std::string> OpenSslCipherList(const std::vector<std::string>& suites,
                                              bool weak_allowed);
absl::StatusOr<std::string> OpenSslGroupList(const std::vector<std::string>& curves);

// Puts certificates, keys, versions, suites and curves of `config` into a context that somebody
// else (libcurl) has made for a client.
absl::Status ApplyClientConfig(const TlsClientConfig& config, SSL_CTX* context);

enum class TlsStatus {
  kDone,
  kWantRead,   // Try again when the socket can be read.
  kWantWrite,  // Try again when the socket can be written.
  kClosed,     // The peer ended the connection.
  kFailed,     // error() says why; nothing more can be done with the stream.
};

struct TlsResult {
  TlsStatus status;
  std::size_t bytes = 0;  // Moved; more than 0 only with kDone.
};

class TlsStream {
 public:
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  TlsStatus Handshake();

  // Reads what is there, up to the size of `into`. Read until kWantRead before waiting: bytes may
  // lie decrypted that the socket doesn't show.
  TlsResult Read(std::span<char> into);
  // May take only the first part of `bytes`; the rest may move before the next try.
  TlsResult Write(std::string_view bytes);
  // Says goodbye to the peer, as far as the socket takes it.
  void Shutdown();

  std::string_view alpn() const;  // Empty when none was agreed on.
  std::string_view version() const;
  // Subject of the peer's verified certificate ("CN=agent,O=shop"); empty when it showed none.
  std::string PeerSubject() const;
  const std::string& error() const { return error_; }

 private:
  friend class TlsContext;
  explicit TlsStream(SSL* ssl) : ssl_(ssl) {}

  TlsStatus Translate(int result);

  SSL* const ssl_;            // Owned.
  bool established_ = false;  // The handshake is done.
  std::string error_;
};

class TlsContext {
 public:
  // `alpn`: protocols to offer, best first.
  static absl::StatusOr<std::shared_ptr<TlsContext>> NewClient(const TlsClientConfig& config,
                                                               std::vector<std::string> alpn);
  static absl::StatusOr<std::shared_ptr<TlsContext>> NewServer(const TlsServerConfig& config,
                                                               std::vector<std::string> alpn);

  // `host` is the name or address that was asked for; server_name_override goes before it.
  std::unique_ptr<TlsStream> NewClientStream(int fd, const std::string& host);
  std::unique_ptr<TlsStream> NewServerStream(int fd);

  // Reads the files again now; the interval and a changed client_ca_file do so by themselves.
  absl::Status Reload();
  std::string last_reload_error() const;

 private:
  using Clock = std::chrono::steady_clock;
  using ContextPointer = std::shared_ptr<SSL_CTX>;

  TlsContext(TlsConfig common, std::vector<std::string> alpn);

  absl::StatusOr<ContextPointer> Build() const;
  absl::Status AddClientRules(SSL_CTX* context) const;
  absl::Status AddServerRules(SSL_CTX* context) const;
  ContextPointer Current();
  bool ReloadIsDue(Clock::time_point now);
  std::unique_ptr<TlsStream> NewStream(int fd);

  // Constant after construction.
  const TlsConfig common_;
  const std::string alpn_;  // In wire form: each name with its length in front.
  std::optional<TlsClientConfig> client_;
  std::optional<TlsServerConfig> server_;

  mutable std::mutex mutex_;  // Guards what follows; never held during a handshake.
  ContextPointer context_;
  Clock::time_point loaded_at_;
  Clock::time_point checked_at_;
  std::string client_ca_stamp_;
  std::string last_reload_error_;
};

}  // namespace weir::net

#endif  // WEIR_NET_TLS_H_

// HTTP requests by libcurl on the caller's event loop: HTTP/1.1 with kept connections, HTTP/2 where
// TLS agrees on it.
//
// Threads: the loop's thread, construction and destruction included. FetchUrl blocks any thread.
// Ownership: the loop outlives the client. A request's slices are held until it has ended.
// Loss: `done` is called exactly once for every request, never from within Send; the destructor
// calls what is open with Failure::kCancelled.

#ifndef WEIR_NET_HTTP_CLIENT_H_
#define WEIR_NET_HTTP_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "net/tls_config.h"
#include "weir/base/event_loop.h"
#include "weir/base/slice.h"

namespace weir::net {

struct HttpClientOptions {
  TlsClientConfig tls;
  std::string proxy_url;                     // Empty: as the environment says.
  std::uint32_t idle_connections_max = 100;  // 0: no limit.
  std::uint32_t host_connections_max = 0;    // 0: no limit.
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(90);
  bool keep_alive = true;
  bool http2 = true;
  bool cookies = false;
  std::uint32_t upload_buffer_bytes = 0;  // 0: libcurl's 64 KiB.
};

struct HttpClientRequest {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<Slice> body;  // Sent by POST, also when empty.
  TimePoint deadline = TimePoint::max();
  std::size_t response_bytes_max = std::size_t{64} << 10;
};

struct HttpClientResponse {
  enum class Failure : std::uint8_t {
    kNone,         // There is a status.
    kUnreachable,  // No connection, or it broke before an answer.
    kTimeout,
    kTls,  // The handshake failed: certificates, versions.
    kCancelled,
    kInvalid,  // The request can't be made: a bad URL.
  };
  Failure failure = Failure::kNone;
  std::string error;  // Empty with kNone.
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // Names in lower case.
  std::string body;                                          // Its first response_bytes_max bytes.

  // The first of that name (lower case), or "".
  std::string_view header(std::string_view name) const;
};

using HttpDone = absl::AnyInvocable<void(HttpClientResponse)>;

class HttpClient {
 public:
  HttpClient(EventLoop& loop, HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void Send(HttpClientRequest request, HttpDone done);

  std::size_t open_requests() const;

 private:
  class Impl;  // libcurl's types stay out of here.
  std::unique_ptr<Impl> impl_;
};

struct FetchOptions {
  std::chrono::milliseconds timeout{30000};
  std::size_t bytes_max = std::size_t{16} << 20;
  TlsClientConfig tls;
};

// GET, following up to five redirects; anything but status 200 is an error. Blocks.
absl::StatusOr<std::string> FetchUrl(const std::string& url, const FetchOptions& options = {});

}  // namespace weir::net

#endif  // WEIR_NET_HTTP_CLIENT_H_

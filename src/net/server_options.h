// What a server is told: limits, timeouts, TLS. Every limit has a default that is safe with hostile
// peers.
//
// Threads: constant once a server was made with it.

#ifndef WEIR_NET_SERVER_OPTIONS_H_
#define WEIR_NET_SERVER_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/compression.h"
#include "net/cors.h"
#include "net/socket_address.h"
#include "net/tls_config.h"

namespace weir::net {

// gRPC's keepalive, as grpc-go names and defaults it. 0 is never, where nothing else is said.
struct ServerKeepalive {
  std::chrono::nanoseconds max_connection_idle{0};
  std::chrono::nanoseconds max_connection_age{0};        // With up to a tenth of jitter either way.
  std::chrono::nanoseconds max_connection_age_grace{0};  // 0 waits for the last answer.
  // A connection that was silent for `time` is pinged, and closed when silent for `timeout` more.
  std::chrono::nanoseconds time = std::chrono::hours(2);
  std::chrono::nanoseconds timeout = std::chrono::seconds(20);
  // Clients that ping more often than this (or with no call open, unless permitted) are told to
  // calm down. 0 does not count pings.
  std::chrono::nanoseconds min_time{0};
  bool permit_without_stream = false;
};

struct ServerOptions {
  Endpoint endpoint;
  std::optional<TlsServerConfig> tls;
  // Which protocols the port speaks; both are told apart by ALPN or by the first bytes.
  bool http1 = true;
  bool http2 = true;

  // Connections past this number wait in the kernel's backlog.
  std::uint32_t connections_max = 16384;
  // Raising it lets one client have more calls in flight, each of which may hold a 64 KiB window.
  std::uint32_t max_concurrent_streams = 1000;
  // Names and values of one head and 32 bytes for each field.
  std::size_t head_bytes_max = 64 * 1024;
  // One read takes up to this much; one buffer for a loop, not for a connection. Twice as much was
  // no faster, since what is copied out of it should still lie in a core's own cache.
  std::size_t read_buffer_bytes = 128 * 1024;
  // A client that does not read its answers is not read from either beyond this.
  std::size_t unsent_bytes_max = 1024 * 1024;

  ServerKeepalive keepalive;
  // A handshake, preface or head that has begun must be whole by then; 0 waits forever.
  std::chrono::nanoseconds head_timeout = std::chrono::seconds(60);
  // HTTP/1.1 between requests; 0 waits forever.
  std::chrono::nanoseconds idle_timeout{0};
  // The whole request; 0 sets no bound.
  std::chrono::nanoseconds read_timeout{0};
  // A peer that takes nothing of its answer for so long is cut off; 0 waits forever.
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(60);
  // In each such window an incomplete body has to gain 1 KiB or to end, or its request is reset.
  std::chrono::nanoseconds body_progress_window = std::chrono::seconds(15);
  bool keep_alives_enabled = true;

  // Content-Encodings taken on plain HTTP, beside identity.
  std::vector<Compression> content_encodings = {Compression::kGzip,    Compression::kZstd,
                                                Compression::kZlib,    Compression::kSnappy,
                                                Compression::kDeflate, Compression::kLz4};
  std::optional<CorsPolicy> cors;
  // Added to every plain HTTP answer.
  std::vector<std::pair<std::string, std::string>> response_fields;
};

}  // namespace weir::net

#endif  // WEIR_NET_SERVER_OPTIONS_H_

// The options that every client of the Collector shares, with its keys and defaults: configgrpc,
// confighttp, configcompression, configauth. A component squashes one of these into its own
// configuration and makes a client's options out of it.
//
// Threads: plain values; the functions read files of the TLS section where they say so.

#ifndef WEIR_NET_CLIENT_CONFIG_H_
#define WEIR_NET_CLIENT_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "net/compression.h"
#include "net/grpc_client.h"
#include "net/header_map.h"
#include "net/http_client.h"
#include "net/tls_config.h"
#include "weir/config/fields.h"

namespace weir {
template <>
struct EnumNames<net::Compression> {
  static constexpr std::pair<std::string_view, net::Compression> kNames[] = {
      {"none", net::Compression::kNone},
      {"", net::Compression::kNone},
      {"gzip", net::Compression::kGzip},
      {"zlib", net::Compression::kZlib},
      {"deflate", net::Compression::kDeflate},
      {"snappy", net::Compression::kSnappy},
      {"x-snappy-framed", net::Compression::kSnappyFramed},
      {"zstd", net::Compression::kZstd},
      {"lz4", net::Compression::kLz4}};
};
template <>
struct EnumNames<net::GrpcBalancer> {
  static constexpr std::pair<std::string_view, net::GrpcBalancer> kNames[] = {
      {"round_robin", net::GrpcBalancer::kRoundRobin},
      {"pick_first", net::GrpcBalancer::kPickFirst}};
};
}  // namespace weir

namespace weir::net {

struct ClientAuthConfig {
  ComponentId authenticator;

  static void VisitFields(auto& self, auto& visit) {
    visit("authenticator", self.authenticator, "Extension that adds credentials to each request.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const ClientAuthConfig&) const = default;
};

struct CompressionParamsConfig {
  std::int32_t level = 0;

  static void VisitFields(auto& self, auto& visit) {
    visit("level", self.level,
          "gzip, zlib and deflate: -2 (Huffman only), -1 or 0 (default) to 9 (smallest); zstd: 1 "
          "and up.");
  }
  bool operator==(const CompressionParamsConfig&) const = default;
};

struct KeepaliveClientConfig {
  Duration time = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(10);
  bool permit_without_stream = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("time", self.time, "Ping the server after this much silence; under 10s means 10s.",
          AtLeast(0));
    visit("timeout", self.timeout, "Give the connection up when the ping stays unanswered.",
          AtLeast(0));
    visit("permit_without_stream", self.permit_without_stream, "Ping while no call is open, too.");
  }
  bool operator==(const KeepaliveClientConfig&) const = default;
};

struct GrpcClientConfig {
  std::string endpoint;
  Compression compression = Compression::kNone;
  TlsClientConfig tls;
  std::optional<KeepaliveClientConfig> keepalive;
  std::uint32_t read_buffer_size = 0;
  std::uint32_t write_buffer_size = 0;
  bool wait_for_ready = false;
  HeaderMap headers;
  std::string user_agent;
  GrpcBalancer balancer_name = GrpcBalancer::kRoundRobin;
  std::string authority;
  std::optional<ClientAuthConfig> auth;

  static void VisitFields(auto& self, auto& visit) {
    visit("endpoint", self.endpoint,
          "Where to send: `host:port`, `dns:///host:port`, `unix:///path`; `https://` asks for "
          "TLS.");
    visit("compression", self.compression,
          "How requests are compressed: gzip, zstd, snappy, none.");
    visit("tls", self.tls, "TLS; `insecure: true` sends in clear text.");
    visit("keepalive", self.keepalive, "Pings that find dead connections.");
    visit("read_buffer_size", self.read_buffer_size,
          "Read for compatibility: one buffer serves all connections.");
    visit("write_buffer_size", self.write_buffer_size,
          "Read for compatibility: requests are written from where they lie.");
    visit("wait_for_ready", self.wait_for_ready,
          "Let requests wait for a connection until their timeout, rather than fail at once.");
    visit("headers", self.headers, "Added to every request.");
    visit("user_agent", self.user_agent, "What to call ourselves; empty for weir and its version.");
    visit("balancer_name", self.balancer_name,
          "`round_robin` spreads requests over all addresses of the name, `pick_first` uses one.");
    visit("authority", self.authority, "Value of the `:authority` header; empty for the endpoint.");
    visit("auth", self.auth, "Add credentials.");
    visit.Ignored("middlewares", "there are no middleware extensions");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const GrpcClientConfig&) const = default;
};

// Reads the TLS files. `user_agent` is used where the configuration names none.
absl::StatusOr<GrpcClientOptions> MakeGrpcClientOptions(const GrpcClientConfig& config,
                                                        const std::string& user_agent);

struct CookiesConfig {
  static void VisitFields(auto&, auto&) {}
  bool operator==(const CookiesConfig&) const = default;
};

struct HttpClientConfig {
  std::string endpoint;
  std::string proxy_url;
  TlsClientConfig tls;
  std::uint32_t read_buffer_size = 0;
  std::uint32_t write_buffer_size = 0;
  HeaderMap headers;
  std::optional<ClientAuthConfig> auth;
  Compression compression = Compression::kNone;
  CompressionParamsConfig compression_params;
  std::uint32_t max_idle_conns = 100;
  std::uint32_t max_idle_conns_per_host = 0;
  std::uint32_t max_conns_per_host = 0;
  Duration idle_conn_timeout = std::chrono::seconds(90);
  bool disable_keep_alives = false;
  std::optional<CookiesConfig> cookies;
  bool force_attempt_http2 = true;

  static void VisitFields(auto& self, auto& visit) {
    visit("endpoint", self.endpoint, "URL to send to.");
    visit("proxy_url", self.proxy_url, "Proxy to go through; empty for that of the environment.");
    visit("tls", self.tls, "TLS of `https://` URLs.");
    visit("read_buffer_size", self.read_buffer_size, "Read for compatibility.");
    visit("write_buffer_size", self.write_buffer_size,
          "Bytes handed to a connection at once; 0 for 64 KiB.");
    visit("headers", self.headers, "Added to every request.");
    visit("auth", self.auth, "Add credentials.");
    visit("compression", self.compression,
          "How requests are compressed: gzip, zstd, zlib, deflate, snappy, x-snappy-framed, lz4, "
          "none.");
    visit("compression_params", self.compression_params, "How hard to compress.");
    visit("max_idle_conns", self.max_idle_conns, "Idle connections kept open; 0 for no limit.");
    visit("max_idle_conns_per_host", self.max_idle_conns_per_host,
          "Read for compatibility: `max_idle_conns` bounds them.");
    visit("max_conns_per_host", self.max_conns_per_host,
          "Connections to one host at once; 0 for no limit.");
    visit("idle_conn_timeout", self.idle_conn_timeout,
          "A connection that was idle for longer is not used again.", AtLeast(0));
    visit("disable_keep_alives", self.disable_keep_alives, "One connection for each request.");
    visit("cookies", self.cookies, "Keep and send back cookies.");
    visit("force_attempt_http2", self.force_attempt_http2, "Use HTTP/2 where TLS agrees on it.");
    visit.Ignored("http2_read_idle_timeout", "requests have a timeout of their own");
    visit.Ignored("http2_ping_timeout", "requests have a timeout of their own");
    visit.Ignored("middlewares", "there are no middleware extensions");
  }
  void Validate(FieldCheck& check) const;
  int compression_level() const {
    return compression_params.level == 0 ? kDefaultCompressionLevel : compression_params.level;
  }
  bool operator==(const HttpClientConfig&) const = default;
};

// Reads the TLS files, so that what is wrong with them shows at start.
absl::StatusOr<HttpClientOptions> MakeHttpClientOptions(const HttpClientConfig& config);

// nullopt when it is an absolute http or https URL with a host; otherwise what is wrong.
std::optional<std::string> ProblemWithUrl(const std::string& url);

}  // namespace weir::net

#endif  // WEIR_NET_CLIENT_CONFIG_H_

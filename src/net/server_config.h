// The options that every server of the Collector shares, with its keys and defaults: confignet,
// configgrpc, confighttp, configtls, configauth. A component squashes one of these into its own
// configuration and makes ServerOptions out of it.
//
// Threads: plain values.

#ifndef WEIR_NET_SERVER_CONFIG_H_
#define WEIR_NET_SERVER_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/server_options.h"
#include "net/tls_config.h"
#include "weir/config/fields.h"

namespace weir {
template <>
struct EnumNames<net::Transport> {
  static constexpr std::pair<std::string_view, net::Transport> kNames[] = {
      {"tcp", net::Transport::kTcp},
      {"tcp4", net::Transport::kTcp4},
      {"tcp6", net::Transport::kTcp6},
      {"unix", net::Transport::kUnix},
  };
};
}  // namespace weir

namespace weir::net {

struct ServerAuthConfig {
  ComponentId authenticator;

  static void VisitFields(auto& self, auto& visit) {
    visit("authenticator", self.authenticator, "Extension that checks every request.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const ServerAuthConfig&) const = default;
};

struct HttpAuthConfig {
  ServerAuthConfig common;
  std::vector<std::string> request_params;

  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.common);
    visit("request_params", self.request_params,
          "Query parameters that the authenticator sees as headers.");
  }
  bool operator==(const HttpAuthConfig&) const = default;
};

struct KeepaliveServerParametersConfig {
  Duration max_connection_idle{0};
  Duration max_connection_age{0};
  Duration max_connection_age_grace{0};
  Duration time{0};
  Duration timeout{0};

  static void VisitFields(auto& self, auto& visit) {
    visit("max_connection_idle", self.max_connection_idle,
          "Close connections that had no call open for this long; 0 never.", AtLeast(0));
    visit("max_connection_age", self.max_connection_age,
          "Let connections of this age (10 % more or less) end; 0 never.", AtLeast(0));
    visit("max_connection_age_grace", self.max_connection_age_grace,
          "How long calls may go on after that; 0 until they end.", AtLeast(0));
    visit("time", self.time, "Ping a client that was silent for this long; 0 means 2h.",
          AtLeast(0));
    visit("timeout", self.timeout, "Close when it stays silent for this long more; 0 means 20s.",
          AtLeast(0));
  }
  bool operator==(const KeepaliveServerParametersConfig&) const = default;
};

struct KeepaliveEnforcementConfig {
  Duration min_time{0};
  bool permit_without_stream = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("min_time", self.min_time,
          "Turn clients away that ping more often than this; 0 means 5m.", AtLeast(0));
    visit("permit_without_stream", self.permit_without_stream,
          "Let clients ping while no call is open.");
  }
  bool operator==(const KeepaliveEnforcementConfig&) const = default;
};

struct KeepaliveServerConfig {
  KeepaliveServerParametersConfig server_parameters;
  KeepaliveEnforcementConfig enforcement_policy;

  static void VisitFields(auto& self, auto& visit) {
    visit("server_parameters", self.server_parameters, "When connections end or are probed.");
    visit("enforcement_policy", self.enforcement_policy, "What clients may do to probe us.");
  }
  bool operator==(const KeepaliveServerConfig&) const = default;
};

struct GrpcServerConfig {
  std::string endpoint;
  Transport transport = Transport::kTcp;
  std::optional<TlsServerConfig> tls;
  std::uint32_t max_recv_msg_size_mib = 4;
  std::uint32_t max_concurrent_streams = 0;
  std::uint32_t read_buffer_size = 0;
  std::uint32_t write_buffer_size = 0;
  KeepaliveServerConfig keepalive;
  std::optional<ServerAuthConfig> auth;
  bool include_metadata = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("endpoint", self.endpoint,
          "Address to listen on, `host:port`; `:port` is every address, port 0 a free one. With "
          "`transport: unix` the path of the socket.");
    visit("transport", self.transport, "Kind of socket.");
    visit("tls", self.tls, "Serve with TLS.");
    visit("max_recv_msg_size_mib", self.max_recv_msg_size_mib,
          "Largest message in MiB, before and after decompression; 0 means 4.", AtMost(2047));
    visit("max_concurrent_streams", self.max_concurrent_streams,
          "Calls that one connection may have open; 0 means 1000.");
    visit("read_buffer_size", self.read_buffer_size,
          "Read for compatibility: one buffer of our own serves all connections.");
    visit("write_buffer_size", self.write_buffer_size,
          "Read for compatibility: answers are written together as they come.");
    visit("keepalive", self.keepalive, "When connections end, and who may probe them.");
    visit("auth", self.auth, "Check who calls.");
    visit("include_metadata", self.include_metadata,
          "Keep the calls' metadata for those downstream that read it.");
    visit.Ignored("middlewares", "there are no middleware extensions");
    visit.Ignored("dialer", "it is for clients");
  }
  void Validate(FieldCheck& check) const;
  std::size_t message_bytes_max() const;
  bool operator==(const GrpcServerConfig&) const = default;
};

struct CorsConfig {
  std::vector<std::string> allowed_origins;
  std::vector<std::string> allowed_headers;
  std::vector<std::string> exposed_headers;
  std::uint32_t max_age = 0;

  static void VisitFields(auto& self, auto& visit) {
    visit("allowed_origins", self.allowed_origins,
          "Origins whose pages may send; `*` stands for any characters.");
    visit("allowed_headers", self.allowed_headers,
          "Headers they may send beside the usual; `*` allows any.");
    visit("exposed_headers", self.exposed_headers, "Headers of answers that they may read.");
    visit("max_age", self.max_age, "Seconds a browser may remember the answer; 0 sends none.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const CorsConfig&) const = default;
};

struct HttpServerConfig {
  std::string endpoint;
  Transport transport = Transport::kTcp;
  std::optional<TlsServerConfig> tls;
  std::optional<CorsConfig> cors;
  std::optional<HttpAuthConfig> auth;
  std::uint64_t max_request_body_size = 20 * 1024 * 1024;
  bool include_metadata = false;
  std::map<std::string, Secret> response_headers;
  std::vector<std::string> compression_algorithms;
  Duration read_timeout{0};
  Duration read_header_timeout = std::chrono::minutes(1);
  Duration write_timeout = std::chrono::seconds(30);
  Duration idle_timeout = std::chrono::minutes(1);
  bool keep_alives_enabled = true;

  static void VisitFields(auto& self, auto& visit) {
    visit("endpoint", self.endpoint,
          "Address to listen on, `host:port`; `:port` is every address, port 0 a free one. With "
          "`transport: unix` the path of the socket.");
    visit("transport", self.transport, "Kind of socket.");
    visit("tls", self.tls, "Serve with TLS; HTTP/2 is agreed on by ALPN.");
    visit("cors", self.cors, "Let web pages send.");
    visit("auth", self.auth, "Check who sends.");
    visit("max_request_body_size", self.max_request_body_size,
          "Largest body in bytes, before and after decompression; 0 means 20 MiB.",
          AtMost(2147483647));
    visit("include_metadata", self.include_metadata,
          "Keep the requests' headers for those downstream that read them.");
    visit("response_headers", self.response_headers, "Headers added to every answer.");
    visit("compression_algorithms", self.compression_algorithms,
          "Content-Encodings taken: gzip, zstd, zlib, snappy, deflate, lz4; empty for all.");
    visit("read_timeout", self.read_timeout, "Longest time for a whole request; 0 sets none.");
    visit("read_header_timeout", self.read_header_timeout,
          "Longest time for a head; 0 means 60s, so that nothing waits forever.");
    visit("write_timeout", self.write_timeout,
          "Cut off a client that takes nothing of its answer for so long; 0 means 60s.");
    visit("idle_timeout", self.idle_timeout,
          "Close connections that sent nothing for so long; 0 never.");
    visit("keep_alives_enabled", self.keep_alives_enabled,
          "Keep connections open between requests.");
    visit.Ignored("middlewares", "there are no middleware extensions");
    visit.Ignored("dialer", "it is for clients");
  }
  void Validate(FieldCheck& check) const;
  std::size_t body_bytes_max() const;
  bool operator==(const HttpServerConfig&) const = default;
};

// REQUIRES: the configuration was read without errors.
ServerOptions MakeServerOptions(const GrpcServerConfig& config);
ServerOptions MakeServerOptions(const HttpServerConfig& config);

}  // namespace weir::net

#endif  // WEIR_NET_SERVER_CONFIG_H_

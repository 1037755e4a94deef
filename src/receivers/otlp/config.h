// Options of the otlp receiver, with the Collector's keys and defaults.

#ifndef WEIR_RECEIVERS_OTLP_CONFIG_H_
#define WEIR_RECEIVERS_OTLP_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "net/server_config.h"
#include "weir/config/fields.h"
#include "weir/wire/scanner.h"
#include "weir/wire/signal.h"

namespace weir {
template <>
struct EnumNames<wire::ScanDepth> {
  static constexpr std::pair<std::string_view, wire::ScanDepth> kNames[] = {
      {"structure", wire::ScanDepth::kStructure},
      {"full", wire::ScanDepth::kFull},
  };
};
}  // namespace weir

namespace weir::receivers::otlp {

struct GrpcProtocol {
  net::GrpcServerConfig server = Defaults();

  static net::GrpcServerConfig Defaults() {
    net::GrpcServerConfig config;
    config.endpoint = "localhost:4317";
    config.read_buffer_size = 512 * 1024;
    return config;
  }
  static void VisitFields(auto& self, auto& visit) { visit.Squash(self.server); }
  bool operator==(const GrpcProtocol&) const = default;
};

struct HttpProtocol {
  net::HttpServerConfig server = Defaults();
  std::string traces_url_path = "/v1/traces";
  std::string metrics_url_path = "/v1/metrics";
  std::string logs_url_path = "/v1/logs";

  static net::HttpServerConfig Defaults() {
    net::HttpServerConfig config;
    config.endpoint = "localhost:4318";
    config.read_header_timeout = config.write_timeout = config.idle_timeout = Duration{0};
    return config;
  }
  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.server);
    visit("traces_url_path", self.traces_url_path, "Path that traces are sent to.");
    visit("metrics_url_path", self.metrics_url_path, "Path that metrics are sent to.");
    visit("logs_url_path", self.logs_url_path, "Path that logs are sent to.");
  }
  // With the leading slash that may be left out.
  std::string Path(Signal signal) const;
  void Validate(FieldCheck& check) const;
  bool operator==(const HttpProtocol&) const = default;
};

// What the answer to a request waits for.
enum class Wait : std::uint8_t { kSecured, kDelivered };

struct Protocols {
  std::optional<GrpcProtocol> grpc;
  std::optional<HttpProtocol> http;

  static void VisitFields(auto& self, auto& visit) {
    visit("grpc", self.grpc, "Serve OTLP/gRPC; the key alone is enough.");
    visit("http", self.http, "Serve OTLP/HTTP; the key alone is enough.");
  }
  bool operator==(const Protocols&) const = default;
};

struct Config {
  Protocols protocols;
  wire::ScanDepth validation = wire::ScanDepth::kStructure;
  std::uint32_t listener_threads = 1;
  Wait wait = Wait::kSecured;

  static void VisitFields(auto& self, auto& visit) {
    visit("protocols", self.protocols, "What to serve; at least one.");
    visit(
        "validation", self.validation,
        "How deep requests are checked at the door: `structure` looks at what the pipeline relies "
        "on, `full` at every field (weir only).");
    visit("listener_threads", self.listener_threads,
          "Threads that serve connections, shared by the protocols (weir only).", Between(1, 256));
    visit("wait", self.wait,
          "What a request's answer waits for: `secured`, every exporter's queue has it, or "
          "`delivered`, every exporter is done with it (weir only).");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::receivers::otlp

namespace weir {

template <>
struct EnumNames<receivers::otlp::Wait> {
  static constexpr std::pair<std::string_view, receivers::otlp::Wait> kNames[] = {
      {"secured", receivers::otlp::Wait::kSecured},
      {"delivered", receivers::otlp::Wait::kDelivered}};
};

}  // namespace weir

#endif  // WEIR_RECEIVERS_OTLP_CONFIG_H_

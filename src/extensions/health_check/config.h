// Options of the health_check extension, with the Collector's keys and defaults: those of the first
// version, and those of healthcheckv2.

#ifndef WEIR_EXTENSIONS_HEALTH_CHECK_CONFIG_H_
#define WEIR_EXTENSIONS_HEALTH_CHECK_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "net/page_server.h"
#include "weir/config/fields.h"

namespace weir::extensions::health_check {

struct ResponseBody {
  std::string healthy;
  std::string unhealthy;

  static void VisitFields(auto& self, auto& visit) {
    visit("healthy", self.healthy, "Body while the service is ready.");
    visit("unhealthy", self.unhealthy, "Body while it is not.");
  }
  bool operator==(const ResponseBody&) const = default;
};

struct CheckPipeline {
  bool enabled = false;
  std::string interval = "5m";
  std::int64_t exporter_failure_threshold = 5;

  static void VisitFields(auto& self, auto& visit) {
    visit("enabled", self.enabled, "Read for compatibility: the Collector ignores it as well.");
    visit("interval", self.interval, "Read for compatibility.");
    visit("exporter_failure_threshold", self.exporter_failure_threshold, "Read for compatibility.");
  }
  bool operator==(const CheckPipeline&) const = default;
};

struct StatusConfig {
  bool enabled = true;
  std::string path = "/status";

  static void VisitFields(auto& self, auto& visit) {
    visit("enabled", self.enabled, "Whether it is served.");
    visit("path", self.path, "Its path.");
  }
  bool operator==(const StatusConfig&) const = default;
};

struct ShownConfig {
  bool enabled = false;
  std::string path = "/config";

  static void VisitFields(auto& self, auto& visit) {
    visit("enabled", self.enabled, "Read for compatibility.");
    visit("path", self.path, "Read for compatibility.");
  }
  bool operator==(const ShownConfig&) const = default;
};

struct HttpConfig {
  net::PageServerConfig server{.endpoint = "localhost:13133", .tls = {}};
  StatusConfig status;
  ShownConfig config;

  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.server);
    visit("status", self.status, "The status page.");
    visit("config", self.config, "Read for compatibility; the `zpages` extension shows it.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const HttpConfig&) const = default;
};

struct GrpcConfig {
  net::PageServerConfig server{.endpoint = "localhost:13132", .tls = {}};

  static void VisitFields(auto& self, auto& visit) { visit.Squash(self.server); }
  bool operator==(const GrpcConfig&) const = default;
};

struct ComponentHealth {
  bool include_permanent_errors = false;
  bool include_recoverable_errors = false;
  Duration recovery_duration{0};

  static void VisitFields(auto& self, auto& visit) {
    visit("include_permanent_errors", self.include_permanent_errors,
          "Read for compatibility: components report no errors of their own yet.");
    visit("include_recoverable_errors", self.include_recoverable_errors, "Read for compatibility.");
    visit("recovery_duration", self.recovery_duration, "Read for compatibility.", AtLeast(0));
  }
  bool operator==(const ComponentHealth&) const = default;
};

struct Config {
  net::PageServerConfig server{.endpoint = "localhost:13133", .tls = {}};
  std::string path = "/";
  std::optional<ResponseBody> response_body;
  std::optional<CheckPipeline> check_collector_pipeline;
  bool use_v2 = false;
  std::optional<HttpConfig> http;
  std::optional<GrpcConfig> grpc;
  std::optional<ComponentHealth> component_health;

  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.server);
    visit("path", self.path, "Path of the health page.");
    visit("response_body", self.response_body, "Bodies in place of the JSON object.");
    visit("check_collector_pipeline", self.check_collector_pipeline, "Read for compatibility.");
    visit("use_v2", self.use_v2, "Serve `http` and `grpc` instead of `endpoint`.");
    visit("http", self.http, "Status over HTTP; naming it turns `use_v2` on.");
    visit("grpc", self.grpc, "The standard gRPC health service; naming it turns `use_v2` on.");
    visit("component_health", self.component_health, "Which errors of components count.");
  }
  bool is_v2() const { return use_v2 || http.has_value() || grpc.has_value(); }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::extensions::health_check

#endif  // WEIR_EXTENSIONS_HEALTH_CHECK_CONFIG_H_

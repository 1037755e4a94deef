#include "net/server_config.h"

#include <algorithm>

#include "net/compression.h"
#include "weir/base/text.h"

namespace weir::net {
namespace {

constexpr std::size_t kMib = 1024 * 1024;

void CheckEndpoint(const FieldCheck& check, const std::string& endpoint, Transport transport) {
  if (endpoint.empty()) {
    check.Error("endpoint", "must not be empty");
  } else if (transport != Transport::kUnix) {
    if (const auto parsed = ParseHostPort(endpoint); !parsed.ok()) {
      check.Error("endpoint", "{}", std::string(parsed.status().message()));
    }
  }
}

Duration OrDefault(Duration configured, Duration otherwise) {
  return configured.count() > 0 ? configured : otherwise;
}

}  // namespace

void ServerAuthConfig::Validate(FieldCheck& check) const {
  if (authenticator.type.empty()) {
    check.Error("authenticator", "must name an extension");
  }
}

void GrpcServerConfig::Validate(FieldCheck& check) const {
  CheckEndpoint(check, endpoint, transport);
}

std::size_t GrpcServerConfig::message_bytes_max() const {
  return (max_recv_msg_size_mib == 0 ? 4 : max_recv_msg_size_mib) * kMib;
}

void CorsConfig::Validate(FieldCheck& check) const {
  if (allowed_origins.empty() && !allowed_headers.empty()) {
    check.Warning("allowed_headers", "has no effect without `allowed_origins`");
  }
}

void HttpServerConfig::Validate(FieldCheck& check) const {
  CheckEndpoint(check, endpoint, transport);
  for (const std::string& name : compression_algorithms) {
    if (!ParseCompression(name).has_value()) {
      check.Error("compression_algorithms", "has \"{}\", which is no compression", name);
    }
  }
  for (const auto& [name, value] : response_headers) {
    if (!IsToken(name) || !IsFieldValue(value.reveal())) {
      check.Error("response_headers", "has \"{}\", which can't be a header", name);
    }
  }
}

std::size_t HttpServerConfig::body_bytes_max() const {
  return max_request_body_size == 0 ? 20 * kMib : max_request_body_size;
}

ServerOptions MakeServerOptions(const GrpcServerConfig& config) {
  ServerOptions options;
  options.endpoint = {.address = config.endpoint, .transport = config.transport};
  options.tls = config.tls;
  options.http1 = false;
  if (config.max_concurrent_streams != 0) {
    options.max_concurrent_streams = config.max_concurrent_streams;
  }
  const KeepaliveServerParametersConfig& parameters = config.keepalive.server_parameters;
  const KeepaliveEnforcementConfig& policy = config.keepalive.enforcement_policy;
  options.keepalive = {
      .max_connection_idle = parameters.max_connection_idle,
      .max_connection_age = parameters.max_connection_age,
      .max_connection_age_grace = parameters.max_connection_age_grace,
      .time = OrDefault(parameters.time, std::chrono::hours(2)),
      .timeout = OrDefault(parameters.timeout, std::chrono::seconds(20)),
      .min_time = OrDefault(policy.min_time, std::chrono::minutes(5)),
      .permit_without_stream = policy.permit_without_stream,
  };
  return options;
}

ServerOptions MakeServerOptions(const HttpServerConfig& config) {
  ServerOptions options;
  options.endpoint = {.address = config.endpoint, .transport = config.transport};
  options.tls = config.tls;
  options.keepalive.max_connection_idle = config.idle_timeout;  // Of HTTP/2.
  options.head_timeout = OrDefault(config.read_header_timeout, options.head_timeout);
  options.idle_timeout = config.idle_timeout;
  options.read_timeout = config.read_timeout;
  options.write_timeout = OrDefault(config.write_timeout, options.write_timeout);
  options.keep_alives_enabled = config.keep_alives_enabled;
  if (!config.compression_algorithms.empty()) {
    options.content_encodings.clear();
    for (const std::string& name : config.compression_algorithms) {
      options.content_encodings.push_back(*ParseCompression(name));
    }
  }
  if (config.cors.has_value() && !config.cors->allowed_origins.empty()) {
    options.cors.emplace(
        CorsPolicy::Options{.allowed_origins = config.cors->allowed_origins,
                            .allowed_headers = config.cors->allowed_headers,
                            .exposed_headers = config.cors->exposed_headers,
                            .max_age = std::chrono::seconds(config.cors->max_age)});
  }
  for (const auto& [name, value] : config.response_headers) {
    options.response_fields.emplace_back(AsciiLower(name), value.reveal());
  }
  return options;
}

}  // namespace weir::net

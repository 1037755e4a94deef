#include "service/metrics_server.h"

#include <random>
#include <utility>

#include "fmt/format.h"
#include "service/service.h"
#include "weir/base/status.h"

namespace weir::service {
namespace {

// A random UUID (RFC 9562, version 4), as the Collector gives each of its processes.
std::string InstanceId() {
  std::random_device random;
  const auto word = [&random] { return static_cast<std::uint64_t>(random()) << 32 | random(); };
  const std::uint64_t high = (word() & 0xffffffffffff0fffU) | 0x4000U;
  const std::uint64_t low = (word() & 0x3fffffffffffffffU) | 0x8000000000000000U;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffffffffffffU);
}

}  // namespace

MetricsServer::MetricsServer(const PrometheusReader& reader, Service& service) : service_(service) {
  text_.without_type_suffix = reader.without_type_suffix;
  text_.without_units = reader.without_units;
  std::map<std::string, std::optional<std::string>> resource = {
      {"service.name", "weir"},
      {"service.version", service.options().version},
      {"service.instance.id", InstanceId()}};
  for (const auto& [name, value] : service.options().config.telemetry.resource.attributes) {
    resource[name] = value;
  }
  for (const auto& [name, value] : resource) {
    if (value.has_value()) {
      text_.constant_labels.emplace_back(name, *value);
      text_.target_info.emplace_back(name, *value);
    }
  }
}

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Open(const PrometheusReader& reader,
                                                                   Service& service,
                                                                   const Logger& logger) {
  std::unique_ptr<MetricsServer> made(new MetricsServer(reader, service));
  net::PageServerConfig config;
  config.endpoint = reader.host.find(':') == std::string::npos
                        ? fmt::format("{}:{}", reader.host, reader.port)
                        : fmt::format("[{}]:{}", reader.host, reader.port);
  absl::StatusOr<std::unique_ptr<net::PageServer>> server = net::PageServer::Open(
      config, [self = made.get()](const net::RequestHead& head) { return self->Answer(head); },
      service.budget(), "metrics");
  if (!server.ok()) {
    return Annotate(server.status(), fmt::format("service::telemetry::metrics: cannot serve on {}",
                                                 config.endpoint));
  }
  made->server_ = *std::move(server);
  logger.Info("Serving own metrics", {{"endpoint", reader.host}, {"port", made->port()}});
  return made;
}

net::Page MetricsServer::Answer(const net::RequestHead& head) const {
  if (head.path() == "/metrics") {
    return {.content_type = std::string(kPrometheusTextContentType),
            .body = RenderPrometheusText(service_.metrics(), text_)};
  }
  if (head.path() == "/ledger") {
    return {.content_type = "application/json", .body = service_.ledger().ToJson()};
  }
  return {.status = 404, .body = "not found; try /metrics or /ledger\n"};
}

}  // namespace weir::service

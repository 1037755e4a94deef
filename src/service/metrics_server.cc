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

constexpr std::string_view kReloadPath = "/-/reload";

int StatusOf(ReloadOutcome::Result result) {
  switch (result) {
    case ReloadOutcome::Result::kDone:
      return 200;
    case ReloadOutcome::Result::kInvalid:
      return 400;
    case ReloadOutcome::Result::kFailed:
      break;
  }
  return 500;
}

}  // namespace

MetricsServer::MetricsServer(const PrometheusReader& reader, Service& service)
    : service_(service), host_(reader.host), port_(reader.port), instance_id_(InstanceId()) {}

void MetricsServer::Update(const PrometheusReader& reader, const ResourceTelemetry& configured) {
  PrometheusTextOptions text;
  text.without_type_suffix = reader.without_type_suffix;
  text.without_units = reader.without_units;
  std::map<std::string, std::optional<std::string>> resource = {
      {"service.name", "weir"},
      {"service.version", service_.options().version},
      {"service.instance.id", instance_id_}};
  for (const auto& [name, value] : configured.attributes) {
    resource[name] = value;
  }
  for (const auto& [name, value] : resource) {
    if (value.has_value()) {
      text.constant_labels.emplace_back(name, *value);
      text.target_info.emplace_back(name, *value);
    }
  }
  auto shown = std::make_shared<const PrometheusTextOptions>(std::move(text));
  const std::lock_guard lock(mutex_);
  text_ = std::move(shown);
}

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Open(
    const PrometheusReader& reader, const ResourceTelemetry& resource, Service& service,
    const Logger& logger) {
  std::unique_ptr<MetricsServer> made(new MetricsServer(reader, service));
  made->Update(reader, resource);
  net::PageServerConfig config;
  config.endpoint = reader.host.find(':') == std::string::npos
                        ? fmt::format("{}:{}", reader.host, reader.port)
                        : fmt::format("[{}]:{}", reader.host, reader.port);
  absl::StatusOr<std::unique_ptr<net::PageServer>> server = net::PageServer::Open(
      config, [self = made.get()](const net::RequestHead& head) { return self->Answer(head); },
      service.budget(), "metrics", nullptr,
      [self = made.get()](const net::RequestHead& head, net::PageServer::Reply reply) {
        self->Command(head, std::move(reply));
      });
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
    const std::shared_ptr<const PrometheusTextOptions> text = [this] {
      const std::lock_guard lock(mutex_);
      return text_;
    }();
    return {.content_type = std::string(kPrometheusTextContentType),
            .body = RenderPrometheusText(service_.metrics(), *text)};
  }
  if (head.path() == "/ledger") {
    return {.content_type = "application/json", .body = service_.ledger().ToJson()};
  }
  if (head.path() == kReloadPath) {
    return {.status = 405, .body = "a reload is asked for with POST\n"};
  }
  return {.status = 404, .body = "not found; try /metrics or /ledger\n"};
}

void MetricsServer::Command(const net::RequestHead& head, net::PageServer::Reply reply) const {
  if (head.path() != kReloadPath) {
    reply({.status = 405, .body = "only GET is answered here\n"});
    return;
  }
  if (head.Find("origin").has_value()) {
    reply({.status = 403, .body = "no page of another site may ask for a reload\n"});
    return;
  }
  if (!service_.options().request_reload) {
    reply({.status = 404, .body = "this process can't reload its configuration\n"});
    return;
  }
  service_.options().request_reload([reply = std::move(reply)](const ReloadOutcome& outcome) {
    reply({.status = StatusOf(outcome.result), .body = outcome.text});
  });
}

}  // namespace weir::service

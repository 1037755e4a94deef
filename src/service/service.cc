#include "service/service.h"

#include <algorithm>
#include <utility>

#include "service/debug_pages.h"
#include "telemetry/process_metrics.h"
#include "weir/base/status.h"
#include "weir/base/system_memory.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::service {
namespace {

PipelineSignals ToPipelineSignals(SignalSet signals) { return {.bits = signals.bits}; }

LogOptions ToLogOptions(const LogsTelemetry& logs) {
  LogOptions options;
  options.level = static_cast<LogLevel>(logs.level);
  options.encoding =
      logs.encoding == LogsEncoding::kJson ? LogEncoding::kJson : LogEncoding::kConsole;
  options.output_paths = logs.output_paths;
  for (const auto& [key, value] : logs.initial_fields) {
    options.initial_fields.emplace_back(key, value.scalar());
  }
  options.sampling_enabled = logs.sampling.has_value();
  if (logs.sampling.has_value()) {
    options.sampling_tick = logs.sampling->tick;
    options.sampling_initial = logs.sampling->initial;
    options.sampling_thereafter = logs.sampling->thereafter;
  }
  return options;
}

}  // namespace

KnownComponents DescribeComponents(const Registry& registry) {
  constexpr std::pair<ComponentKind, ComponentSection> kSections[] = {
      {ComponentKind::kReceiver, ComponentSection::kReceivers},
      {ComponentKind::kProcessor, ComponentSection::kProcessors},
      {ComponentKind::kExporter, ComponentSection::kExporters},
      {ComponentKind::kConnector, ComponentSection::kConnectors},
      {ComponentKind::kExtension, ComponentSection::kExtensions}};
  KnownComponents known;
  for (const auto& [kind, section] : kSections) {
    for (const FactoryInfo* info : registry.List(kind)) {
      KnownComponent component;
      component.type = info->type;
      component.aliases.assign(info->aliases.begin(), info->aliases.end());
      component.signals = ToPipelineSignals(info->signals);
      component.outputs = ToPipelineSignals(info->outputs);
      component.config = info->config;
      known.Add(section, std::move(component));
    }
  }
  return known;
}

Service::Service(ServiceOptions options) : options_(std::move(options)) {}

Service::~Service() { Shutdown(); }

absl::StatusOr<std::unique_ptr<Service>> Service::Create(ServiceOptions options) {
  std::unique_ptr<Service> service(new Service(std::move(options)));
  WEIR_RETURN_IF_ERROR(service->Build());
  return service;
}

GraphParts Service::PartsOf(const ServiceConfig& config) {
  return {.config = config,
          .registry = *options_.registry,
          .logger = logger_,
          .metrics = metrics_,
          .ledger = ledger_,
          .budget = budget_,
          .host = *this};
}

absl::Status Service::Build() {
  WEIR_ASSIGN_OR_RETURN(log_output_,
                        OpenLog(ToLogOptions(options_.config.telemetry.logs), &metrics_));
  logger_ = Logger(*log_output_);
  ShowProcess(metrics_);
  ShowBuild(metrics_, options_.version, options_.revision);
  ShowBudget(metrics_, budget_);
  metrics_.ObserveForever(kUnsettledTokens, {},
                          [] { return static_cast<double>(UnsettledTokens()); });
  WEIR_RETURN_IF_ERROR(MakeExtensions());
  WEIR_ASSIGN_OR_RETURN(graph_, Graph::Build(PartsOf(options_.config)));
  graph_->set_on_retired(options_.on_retired);
  ApplyMemoryLimit();
  metrics_.GetGauge(kConfigLastReloadSuccessful).Set(1);
  for (const std::string_view result : {"success", "failure"}) {
    metrics_.GetCounter(kConfigReloads, {{"result", std::string(result)}});
  }
  ShowConfig();
  return absl::OkStatus();
}

void Service::ApplyMemoryLimit() {
  // Without a memory_limiter the process keeps to 80 % of what it may use.
  const std::size_t usable = UsableMemoryBytes();
  budget_.set_limit(graph_->memory_limit_bytes().value_or(usable / 100 * 80));
}

// Which configuration runs, and since when.
void Service::ShowConfig() {
  auto scope = std::make_unique<MetricScope>(metrics_);
  scope
      ->GetGauge(kConfigInfo,
                 {{"hash", HashConfig(options_.root, DescribeComponents(*options_.registry))}})
      .Set(1);
  config_scope_ = std::move(scope);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  metrics_.GetGauge(kConfigLastReloadTimestamp).Set(std::chrono::duration<double>(now).count());
}

absl::Status Service::MakeExtensions() {
  for (const ComponentId& id : options_.config.extensions) {
    WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ExtensionNode> node, MakeExtension(options_.config, id));
    visible_.push_back(node.get());
    extensions_.push_back(std::move(node));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ExtensionNode>> Service::MakeExtension(const ServiceConfig& config,
                                                                      const ComponentId& id) {
  const ComponentEntry& entry = *config.Find(ComponentSection::kExtensions, id);
  const ExtensionFactory& factory = *options_.registry->FindExtension(id.type);
  const std::string name = id.ToString();
  auto node = std::make_unique<ExtensionNode>(
      id, logger_.With({{"otelcol.component.kind", "extension"}, {"otelcol.component.id", name}}),
      metrics_);
  WEIR_ASSIGN_OR_RETURN(node->extension, factory.create(entry.options, entry.path,
                                                        {.id = id,
                                                         .logger = node->logger,
                                                         .metrics = node->metrics,
                                                         .ledger = ledger_,
                                                         .budget = budget_,
                                                         .host = *this}));
  if (auto* pages = dynamic_cast<DebugPages*>(node->extension.get()); pages != nullptr) {
    pages->SetDebugPages([this](std::string_view path) { return RenderDebugPage(*this, path); });
  }
  return node;
}

absl::Status Service::Start() {
  started_ = true;
  SetState(ServiceState::kStarting);
  absl::Status status = StartExtensions();
  if (status.ok()) {
    status = graph_->Start();
  }
  if (status.ok()) {
    status = OpenMetricsServers(options_.config, metrics_servers_);
  }
  if (!status.ok()) {
    Shutdown();
    return status;
  }
  SetState(ServiceState::kReady);
  logger_.Info("Everything is ready. Begin running and processing data.",
               {{"version", options_.version}, {"memory_limit_bytes", budget_.limit()}});
  return absl::OkStatus();
}

// Those that are not served yet; `opened` gets them.
absl::Status Service::OpenMetricsServers(const ServiceConfig& config,
                                         std::vector<std::unique_ptr<MetricsServer>>& opened) {
  for (const PrometheusReader& reader : config.telemetry.metrics.Servers()) {
    if (std::ranges::any_of(metrics_servers_,
                            [&](const auto& server) { return server->ServesOn(reader); })) {
      continue;
    }
    WEIR_ASSIGN_OR_RETURN(std::unique_ptr<MetricsServer> server,
                          MetricsServer::Open(reader, config.telemetry.resource, *this, logger_));
    opened.push_back(std::move(server));
  }
  return absl::OkStatus();
}

absl::Status Service::StartExtensions() {
  for (const auto& node : extensions_) {
    if (const absl::Status status = node->extension->Start(); !status.ok()) {
      return Annotate(status, fmt::format("cannot start extension {}", node->id.ToString()));
    }
  }
  return absl::OkStatus();
}

void Service::SetState(ServiceState state) {
  for (const auto& node : extensions_) {
    node->extension->OnServiceState(state);
  }
}

std::uint64_t Service::Shutdown() {
  if (std::exchange(shut_down_, true) || !started_) {
    return 0;
  }
  const TimePoint deadline = std::chrono::steady_clock::now() + options_.config.shutdown_timeout;
  SetState(ServiceState::kStopping);
  std::uint64_t abandoned = 0;
  if (graph_ != nullptr) {
    abandoned = graph_->Shutdown(deadline);
  }
  // The books are shown until the last item is accounted for.
  metrics_servers_.clear();
  retired_servers_.clear();
  StopExtensions(deadline);
  if (abandoned > 0) {
    logger_.Error("Shutdown ended before everything was delivered; the rest is dropped",
                  {{"items", abandoned}});
  } else {
    logger_.Info("Shutdown complete", {});
  }
  log_output_->Flush();
  return abandoned;
}

void Service::StopExtensions(TimePoint deadline) {
  for (auto node = retired_extensions_.rbegin(); node != retired_extensions_.rend(); ++node) {
    (*node)->extension->Shutdown(deadline).IgnoreError();  // Nobody looks after it any more.
  }
  for (auto node = extensions_.rbegin(); node != extensions_.rend(); ++node) {
    if (const absl::Status status = (*node)->extension->Shutdown(deadline); !status.ok()) {
      (*node)->logger.Warn("The extension did not stop cleanly", {{"error", status.ToString()}});
    }
  }
}

absl::Status Service::fatal() const {
  std::lock_guard lock(fatal_mutex_);
  return fatal_;
}

std::vector<std::uint16_t> Service::metrics_ports() const {
  std::vector<std::uint16_t> ports;
  for (const auto& server : metrics_servers_) {
    ports.push_back(server->port());
  }
  return ports;
}

Extension* Service::FindExtension(const ComponentId& id) const {
  for (const ExtensionNode* const node : visible_) {
    if (node->id == id) {
      return node->extension.get();
    }
  }
  return nullptr;
}

void Service::ReportFatal(const ComponentId& id, const absl::Status& status) {
  logger_.Error("A component cannot go on",
                {{"component", id.ToString()}, {"error", status.ToString()}});
  {
    std::lock_guard lock(fatal_mutex_);
    if (fatal_.ok()) {
      fatal_ = Annotate(status, id.ToString());
    }
  }
  if (options_.on_fatal) {
    options_.on_fatal();
  }
}

}  // namespace weir::service

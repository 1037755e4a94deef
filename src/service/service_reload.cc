// Service::Reload: extensions and own metrics around Graph::Reload, each step so that it can be
// taken back until the graph has changed.

#include <algorithm>
#include <utility>

#include "service/service.h"
#include "weir/base/status.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::service {
namespace {

// Components hold on to these; an old one has to live until they are gone. All others are servers
// of their own, which free their ports before their successors start.
bool IsHeldByComponents(const Extension& extension) {
  return dynamic_cast<const ServerAuthenticator*>(&extension) != nullptr ||
         dynamic_cast<const ClientAuthenticator*>(&extension) != nullptr ||
         dynamic_cast<const StorageProvider*>(&extension) != nullptr;
}

}  // namespace

struct Service::ExtensionSwap {
  std::vector<std::unique_ptr<ExtensionNode>> made;
  std::vector<ComponentId> stopped;    // Old ones that were shut down for them.
  std::vector<ExtensionNode*> before;  // What FindExtension found until now.
  std::vector<ExtensionNode*> after;   // And finds from now on.
};

absl::StatusOr<ConfigDiff> Service::Reload(ServiceConfig config, ConfigNode root) {
  ConfigDiff diff = DiffConfigs(options_.config, config, *options_.registry);
  const TimePoint deadline = std::chrono::steady_clock::now() + config.shutdown_timeout;
  ExtensionSwap swap;
  std::vector<std::unique_ptr<MetricsServer>> opened;
  absl::Status status = BeginExtensions(config, diff, swap);
  if (status.ok()) {
    status = OpenMetricsServers(config, opened);
  }
  if (status.ok()) {
    GraphParts before = PartsOf(options_.config);
    before.select_extensions = [&] { visible_ = swap.before; };
    GraphParts after = PartsOf(config);
    after.select_extensions = [&] { visible_ = swap.after; };
    status = graph_->Reload(before, after, diff, deadline);
  }
  if (!status.ok()) {
    TakeBackExtensions(swap);
    CountReload(/*success=*/false);
    return status;
  }
  FinishExtensions(swap);
  const std::vector<PrometheusReader> readers = config.telemetry.metrics.Servers();
  std::ranges::move(opened, std::back_inserter(metrics_servers_));
  for (auto& server : metrics_servers_) {
    const auto reader = std::ranges::find_if(
        readers, [&](const PrometheusReader& r) { return server->ServesOn(r); });
    if (reader == readers.end()) {
      retired_servers_.push_back(std::move(server));
    } else {
      server->Update(*reader, config.telemetry.resource);
    }
  }
  std::erase(metrics_servers_, nullptr);
  ApplyLogs(config.telemetry.logs);
  options_.config = std::move(config);
  {
    const std::lock_guard lock(root_mutex_);
    options_.root = std::move(root);
  }
  ApplyMemoryLimit();
  ShowConfig();
  CountReload(/*success=*/true);
  logger_.Info("Configuration reloaded", {{"changes", diff.Summary()}});
  return diff;
}

void Service::CountReload(bool success) {
  metrics_.GetCounter(kConfigReloads, {{"result", success ? "success" : "failure"}}).Add();
  metrics_.GetGauge(kConfigLastReloadSuccessful).Set(success ? 1 : 0);
}

absl::Status Service::BeginExtensions(const ServiceConfig& config, const ConfigDiff& diff,
                                      ExtensionSwap& swap) {
  swap.before = visible_;
  const auto touched = [&](const ComponentId& id) {
    return diff.Touches(ComponentSection::kExtensions, id);
  };
  for (const ComponentId& id : config.extensions) {
    const auto running =
        std::ranges::find(extensions_, id, [](const auto& node) { return node->id; });
    if (running != extensions_.end() && !touched(id)) {
      swap.after.push_back(running->get());
      continue;
    }
    WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ExtensionNode> node, MakeExtension(config, id));
    swap.after.push_back(node.get());
    swap.made.push_back(std::move(node));
  }
  if (swap.made.empty()) {
    return absl::OkStatus();
  }
  for (const auto& node : extensions_) {
    if (touched(node->id) && !IsHeldByComponents(*node->extension)) {
      node->extension->Shutdown(std::chrono::steady_clock::now() + std::chrono::seconds(1))
          .IgnoreError();  // It is gone either way.
      swap.stopped.push_back(node->id);
    }
  }
  visible_ = swap.after;
  for (const auto& node : swap.made) {
    node->extension->OnServiceState(ServiceState::kStarting);
    if (const absl::Status status = node->extension->Start(); !status.ok()) {
      return Annotate(status, fmt::format("cannot start extension {}", node->id.ToString()));
    }
  }
  return absl::OkStatus();
}

void Service::TakeBackExtensions(ExtensionSwap& swap) {
  visible_ = swap.before;
  for (auto& node : swap.made) {
    node->extension->Shutdown(std::chrono::steady_clock::now()).IgnoreError();
    // What was made of them and had to be thrown away may still drain.
    retired_extensions_.push_back(std::move(node));
  }
  for (const ComponentId& id : swap.stopped) {
    auto again = MakeExtension(options_.config, id);
    absl::Status status = again.status();
    if (status.ok()) {
      auto& place = *std::ranges::find(extensions_, id, [](const auto& node) { return node->id; });
      std::ranges::replace(visible_, place.get(), again->get());
      place = *std::move(again);
      status = place->extension->Start();
      place->extension->OnServiceState(ServiceState::kReady);
    }
    if (!status.ok()) {
      ReportFatal(id, Annotate(status, "a failed reload cannot be taken back"));
    }
  }
}

void Service::FinishExtensions(ExtensionSwap& swap) {
  visible_ = swap.after;
  for (const auto& node : swap.made) {
    node->extension->OnServiceState(ServiceState::kReady);
  }
  std::vector<std::unique_ptr<ExtensionNode>> all = std::exchange(extensions_, {});
  std::ranges::move(swap.made, std::back_inserter(all));
  for (ExtensionNode* const wanted : swap.after) {
    extensions_.push_back(
        std::move(*std::ranges::find(all, wanted, &std::unique_ptr<ExtensionNode>::get)));
  }
  std::erase(all, nullptr);
  std::ranges::move(all, std::back_inserter(retired_extensions_));
}

void Service::ApplyLogs(const LogsTelemetry& logs) {
  log_output_->set_level(static_cast<LogLevel>(logs.level));
  LogsTelemetry same = logs;
  same.level = options_.config.telemetry.logs.level;
  if (!(same == options_.config.telemetry.logs)) {
    logger_.Warn("service::telemetry::logs: all but the level takes effect at the next start", {});
  }
}

void Service::Reap() {
  if (shut_down_) {
    return;
  }
  graph_->Reap();
  for (const auto& server : retired_servers_) {
    server->Shutdown(std::chrono::steady_clock::now() + std::chrono::seconds(1));
  }
  retired_servers_.clear();
  if (graph_->retired() != 0) {
    return;
  }
  for (const auto& node : retired_extensions_) {
    node->extension->Shutdown(std::chrono::steady_clock::now()).IgnoreError();
  }
  retired_extensions_.clear();
}

}  // namespace weir::service

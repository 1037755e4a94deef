// Service runs one configuration: extensions, graph, own metrics.
//
//   auto service = Service::Create(options);     // everything is made, nothing runs
//   service->Start();                            // or an error, with nothing left running
//   service->Reload(config, root);               // or an error, with everything as it was
//   const std::uint64_t lost = service->Shutdown();
//
// Threads: the service thread makes every call except ReportFatal, root and EndDrain, which are for
// any, and what the debug pages show.
// Ownership: owns all that runs. The registry outlives it.
// Loss: Shutdown returns how many items it had to abandon after shutdown_timeout.

#ifndef WEIR_SERVICE_SERVICE_H_
#define WEIR_SERVICE_SERVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/graph.h"
#include "service/metrics_server.h"
#include "service/nodes.h"
#include "weir/component/context.h"
#include "weir/component/registry.h"
#include "weir/config/node.h"
#include "weir/config/service_config.h"

namespace weir::service {

// What the registry's components look like to the configuration.
KnownComponents DescribeComponents(const Registry& registry);

struct ReloadOutcome;
using RequestReload = std::function<void(std::function<void(const ReloadOutcome&)> done)>;

struct ServiceOptions {
  ServiceConfig config;
  ConfigNode root;  // The merged configuration, for the debug pages.
  const Registry* registry = nullptr;
  std::string version;
  std::string revision;
  std::function<void()> on_fatal;  // Called on any thread once a component cannot go on.
  // Set where a reload may be asked for over HTTP: called on any thread, `done` may be too. Null
  // answers that it can't.
  RequestReload request_reload = nullptr;
  std::function<void()> on_retired = nullptr;  // On any thread: Reap has something to do.
};

// How a reload went, as it is told to whoever asked for it.
struct ReloadOutcome {
  enum class Result : std::uint8_t { kDone, kInvalid, kFailed };
  Result result = Result::kDone;
  std::string text;  // What changed, or what is wrong.
};

class Service final : public Host {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Create(ServiceOptions options);
  ~Service() override;

  absl::Status Start();
  // Makes the running service that of `config`, of which `root` is the tree. Only what differs is
  // touched; an error leaves everything as it was. REQUIRES: started.
  absl::StatusOr<ConfigDiff> Reload(ServiceConfig config, ConfigNode root);
  // Counts a reload that got no further than reading its configuration.
  void CountFailedReload() { CountReload(/*success=*/false); }
  // Ends what reloads left behind, as far as it is done with its data.
  void Reap();

  // Drains within shutdown_timeout. Safe to call twice.
  std::uint64_t Shutdown();

  // Ends a Shutdown under way on another thread at once. What is left is counted as dropped.
  void EndDrain() { graph_->EndDrain(); }

  // OK until a component reported that it cannot go on.
  absl::Status fatal() const;

  const Logger& logger() const { return logger_; }
  Ledger& ledger() { return ledger_; }
  const Graph& graph() const { return *graph_; }
  MemoryBudget& budget() { return budget_; }
  const MetricRegistry& metrics() const { return metrics_; }
  const ServiceOptions& options() const { return options_; }
  // Of the options, for any thread.
  ConfigNode root() const {
    const std::lock_guard lock(root_mutex_);
    return options_.root;
  }
  // Ports that /metrics is served on, in the order of the configuration.
  std::vector<std::uint16_t> metrics_ports() const;

  Extension* FindExtension(const ComponentId& id) const override;
  void ReportFatal(const ComponentId& id, const absl::Status& status) override;

 private:
  explicit Service(ServiceOptions options);

  absl::Status Build();
  absl::Status MakeExtensions();
  absl::StatusOr<std::unique_ptr<ExtensionNode>> MakeExtension(const ServiceConfig& config,
                                                               const ComponentId& id);
  absl::Status StartExtensions();
  absl::Status OpenMetricsServers(const ServiceConfig& config,
                                  std::vector<std::unique_ptr<MetricsServer>>& opened);
  void ApplyMemoryLimit();
  void ShowConfig();
  GraphParts PartsOf(const ServiceConfig& config);

  // service_reload.cc
  struct ExtensionSwap;
  void CountReload(bool success);
  absl::Status BeginExtensions(const ServiceConfig& config, const ConfigDiff& diff,
                               ExtensionSwap& swap);
  void TakeBackExtensions(ExtensionSwap& swap);
  void FinishExtensions(ExtensionSwap& swap);
  void ApplyLogs(const LogsTelemetry& logs);
  void SetState(ServiceState state);
  void StopExtensions(TimePoint deadline);

  ServiceOptions options_;
  mutable std::mutex root_mutex_;  // Guards options_.root.
  MetricRegistry metrics_;
  MemoryBudget budget_;
  Ledger ledger_{metrics_};
  std::unique_ptr<LogOutput> log_output_;
  Logger logger_;
  std::unique_ptr<MetricScope> config_scope_;  // weir_config_info of the running configuration.
  std::vector<std::unique_ptr<ExtensionNode>> extensions_;
  // Replaced, but what a reload left behind may still ask them for credentials.
  std::vector<std::unique_ptr<ExtensionNode>> retired_extensions_;
  std::vector<ExtensionNode*> visible_;  // What FindExtension finds.
  std::unique_ptr<Graph> graph_;
  std::vector<std::unique_ptr<MetricsServer>> metrics_servers_;
  // Replaced; the answer to the request for the reload may still be on its way.
  std::vector<std::unique_ptr<MetricsServer>> retired_servers_;
  bool started_ = false;
  bool shut_down_ = false;

  mutable std::mutex fatal_mutex_;
  absl::Status fatal_;
};

}  // namespace weir::service

#endif  // WEIR_SERVICE_SERVICE_H_

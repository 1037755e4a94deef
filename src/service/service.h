// Service runs one configuration: extensions, graph, own metrics.
//
//   auto service = Service::Create(options);     // everything is made, nothing runs
//   service->Start();                            // or an error, with nothing left running
//   service->WaitForFatal(...);
//   const std::uint64_t lost = service->Shutdown();
//
// Threads: the service thread makes every call except ReportFatal, which is called from any.
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

struct ServiceOptions {
  ServiceConfig config;
  ConfigNode root;  // The merged configuration, for the debug pages.
  const Registry* registry = nullptr;
  std::string version;
  std::string revision;
  std::function<void()> on_fatal;  // Called on any thread once a component cannot go on.
};

class Service final : public Host {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Create(ServiceOptions options);
  ~Service() override;

  absl::Status Start();
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
  // Ports that /metrics is served on, in the order of the configuration.
  std::vector<std::uint16_t> metrics_ports() const;

  Extension* FindExtension(const ComponentId& id) const override;
  void ReportFatal(const ComponentId& id, const absl::Status& status) override;

 private:
  explicit Service(ServiceOptions options);

  absl::Status Build();
  absl::Status MakeExtensions();
  absl::Status StartExtensions();
  void SetState(ServiceState state);
  void StopExtensions(TimePoint deadline);

  const ServiceOptions options_;
  MetricRegistry metrics_;
  MemoryBudget budget_;
  Ledger ledger_{metrics_};
  std::unique_ptr<LogOutput> log_output_;
  Logger logger_;
  std::vector<std::unique_ptr<ExtensionNode>> extensions_;
  std::unique_ptr<Graph> graph_;
  std::vector<std::unique_ptr<MetricsServer>> metrics_servers_;
  bool started_ = false;
  bool shut_down_ = false;

  mutable std::mutex fatal_mutex_;
  absl::Status fatal_;
};

}  // namespace weir::service

#endif  // WEIR_SERVICE_SERVICE_H_

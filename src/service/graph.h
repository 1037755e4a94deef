// Graph is a configuration turned into running components.
//
//   start     exporters, connectors, processors, then receivers: nothing comes in before its way
//             out stands
//   shutdown  receivers stop taking, lanes flush from the doors onwards, queues drain until the
//             deadline, exporters stop
//
// Threads: the service thread.
// Ownership: owns every component but the extensions, which outlive it.
// Loss: what the exporters could not send by the deadline is abandoned, counted and returned.

#ifndef WEIR_SERVICE_GRAPH_H_
#define WEIR_SERVICE_GRAPH_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/journals.h"
#include "service/nodes.h"
#include "weir/component/registry.h"
#include "weir/config/service_config.h"

namespace weir::service {

// What the graph shares with the rest of the service; all outlives it.
struct GraphParts {
  const ServiceConfig& config;
  const Registry& registry;
  const Logger& logger;
  MetricRegistry& metrics;
  Ledger& ledger;
  MemoryBudget& budget;
  Host& host;
};

class Graph {
 public:
  // Makes every component and wires them; no I/O yet.
  static absl::StatusOr<std::unique_ptr<Graph>> Build(const GraphParts& parts);
  ~Graph();

  absl::Status Start();

  // Items that had to be abandoned. Safe without Start and after a failed one.
  std::uint64_t Shutdown(TimePoint deadline);

  // Ends a Shutdown that is draining on another thread as if its deadline had come.
  void EndDrain();

  // What an operator should know before relying on it: stages that hold what a crash loses.
  std::vector<std::string> Notes() const;

  // The lowest limit that a memory_limiter states; nullopt without one.
  std::optional<std::size_t> memory_limit_bytes() const;

  const std::vector<std::unique_ptr<PipelineNode>>& pipelines() const { return pipelines_; }
  const std::map<ComponentId, std::unique_ptr<ExporterNode>>& exporters() const {
    return exporters_;
  }

 private:
  friend class GraphBuilder;
  static std::unique_ptr<Graph> Empty(Host& host) {
    return std::unique_ptr<Graph>(new Graph(host));
  }
  explicit Graph(Host& host) : host_(host), lane_loop_("lanes") {}

  absl::Status StartAll();
  void FlushLanes(TimePoint deadline);
  std::uint64_t DrainExporters(TimePoint deadline);

  Host& host_;
  Journals journals_;  // First: outlives the queues in front of it.
  // Receivers are destroyed last: until every token is settled, one may still bring an answer back
  // to a receiver's loop.
  std::map<ComponentId, std::unique_ptr<ReceiverNode>> receivers_;
  std::map<ComponentId, std::unique_ptr<ExporterNode>> exporters_;
  std::map<ComponentId, std::unique_ptr<ConnectorNode>> connectors_;
  // Downstream first: a pipeline that feeds another by a connector comes after it.
  std::vector<std::unique_ptr<PipelineNode>> pipelines_;
  bool shut_down_ = false;
  LoopThread lane_loop_;  // Timers of the lanes, and what is left of a burst. Last: see LaneNode.
};

}  // namespace weir::service

#endif  // WEIR_SERVICE_GRAPH_H_

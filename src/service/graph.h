// Graph is a configuration turned into running components.
//
//   start     exporters, connectors, processors, then receivers: nothing comes in before its way
//             out stands
//   reload    what is new is made and started beside what runs; receivers that changed give up
//             their sockets to their successors; then doors and lanes are switched over, and what
//             is left behind flushes, drains and goes (graph_reload.cc)
//   shutdown  receivers stop taking, lanes flush from the doors onwards, queues drain until the
//             deadline, exporters stop
//
// Threads: the service thread; VisitQueues and EndDrain from any.
// Ownership: owns every component but the extensions, which outlive it.
// Loss: what the exporters could not send by the deadline is abandoned, counted and returned.

#ifndef WEIR_SERVICE_GRAPH_H_
#define WEIR_SERVICE_GRAPH_H_

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/config_diff.h"
#include "service/graph_change.h"
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
  // At a reload: makes the host find the extensions of this configuration.
  std::function<void()> select_extensions = nullptr;
};

class Graph {
 public:
  // Makes every component and wires them; no I/O yet.
  static absl::StatusOr<std::unique_ptr<Graph>> Build(const GraphParts& parts);
  ~Graph();

  absl::Status Start();

  // Turns the graph, which was made of `before`, into that of `after`. An error leaves the old one
  // running; where a receiver had to give up its socket and can't have it back, the host is told
  // that it is fatal. What has to flush or drain may take until `deadline`.
  absl::Status Reload(const GraphParts& before, const GraphParts& after, const ConfigDiff& diff,
                      TimePoint deadline);

  // Called on any thread when Reap has something to do.
  void set_on_retired(std::function<void()> on_retired) { on_retired_ = std::move(on_retired); }
  // Ends what a reload left behind, as far as it is done with its data.
  void Reap();
  std::size_t retired() const { return retired_exporters_.size() + retired_receivers_.size(); }

  // Items that had to be abandoned. Safe without Start and after a failed one.
  std::uint64_t Shutdown(TimePoint deadline);

  // Ends a Shutdown that is draining on another thread as if its deadline had come.
  void EndDrain();

  // What an operator should know before relying on it: stages that hold what a crash loses.
  std::vector<std::string> Notes() const;

  // The lowest limit that a memory_limiter states; nullopt without one.
  std::optional<std::size_t> memory_limit_bytes() const;

  const std::vector<std::unique_ptr<PipelineNode>>& pipelines() const { return pipelines_; }
  const std::map<ComponentId, std::unique_ptr<ReceiverNode>>& receivers() const {
    return receivers_;
  }
  void VisitQueues(const std::function<void(const ComponentId& exporter, Signal signal,
                                            const pipeline::ExportQueue& queue)>& visit) const;

 private:
  // An exporter that sends what it holds and then goes.
  struct RetiredExporter {
    std::unique_ptr<ExporterNode> node;
    std::vector<std::future<std::uint64_t>> drained;  // Items abandoned, a queue each.
  };
  friend class GraphBuilder;
  explicit Graph(Host& host) : host_(host), lane_loop_("lanes") {}

  PipelineNode* FindPipeline(const std::string& name) const;
  // Runs `change` while nobody looks at what VisitQueues shows.
  template <typename Change>
  void View(Change change) {
    const std::lock_guard lock(view_mutex_);
    change();
  }

  void Adopt(GraphChange change);
  absl::Status StartAll();
  using Connectors = std::map<ComponentId, std::unique_ptr<ConnectorNode>>;
  // Stops those of `connectors` that feed the pipeline, then flushes and stops its processors.
  // False when a lane did not get to it in time.
  static bool FlushPipeline(const PipelineNode& pipeline, const Connectors& connectors,
                            TimePoint deadline);
  static RetiredExporter BeginDrain(std::unique_ptr<ExporterNode> node, TimePoint deadline,
                                    std::function<void()> done);
  static std::uint64_t FinishDrain(RetiredExporter& retired, TimePoint deadline);
  std::uint64_t DrainExporters(TimePoint deadline);

  // graph_reload.cc
  static absl::Status StartMade(const GraphChange& change);
  absl::Status SwapReceivers(GraphChange& change, const GraphParts& before, TimePoint deadline);
  void Commit(GraphChange& change, TimePoint deadline);
  void Discard(GraphChange& change, TimePoint deadline);
  static void Rewire(PipelineChange& change, std::vector<std::unique_ptr<ProcessorNode>>& leaving);
  void RetirePipeline(std::unique_ptr<PipelineNode> pipeline, const Connectors& connectors,
                      TimePoint deadline);
  void RetireExporters(std::map<ComponentId, std::unique_ptr<ExporterNode>> exporters,
                       TimePoint deadline);

  Host& host_;
  Journals journals_;  // First: outlives the queues in front of it.
  // Receivers are destroyed last: until every token is settled, one may still bring an answer back
  // to a receiver's loop.
  std::vector<std::unique_ptr<ReceiverNode>> retired_receivers_;
  std::map<ComponentId, std::unique_ptr<ReceiverNode>> receivers_;
  std::vector<RetiredExporter> retired_exporters_;
  std::map<ComponentId, std::unique_ptr<ExporterNode>> exporters_;
  std::map<ComponentId, std::unique_ptr<ConnectorNode>> connectors_;
  // Downstream first: a pipeline that feeds another by a connector comes after it.
  std::vector<std::unique_ptr<PipelineNode>> pipelines_;
  // Those of which a lane did not come to its end; they are only safe to destroy with the loops.
  std::vector<std::unique_ptr<PipelineNode>> stuck_;
  std::function<void()> on_retired_;
  mutable std::mutex view_mutex_;  // Guards exporters_ and their queues against VisitQueues.
  bool shut_down_ = false;
  LoopThread lane_loop_;  // Timers of the lanes, and what is left of a burst. Last: see LaneNode.
};

}  // namespace weir::service

#endif  // WEIR_SERVICE_GRAPH_H_

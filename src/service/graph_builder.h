// GraphBuilder makes the components of a configuration that a graph does not have yet. At the start
// that is all of them; at a reload those that a ConfigDiff touches.
//
// It goes against the stream: exporters first, then pipelines from the last one backwards, so that
// what a component is given (a queue, a door) exists when the component is made.
//
// The running graph sees nothing of it but further queues and batchers that nobody uses yet.

#ifndef WEIR_SERVICE_GRAPH_BUILDER_H_
#define WEIR_SERVICE_GRAPH_BUILDER_H_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/config_diff.h"
#include "service/graph.h"
#include "service/graph_change.h"

namespace weir::service {

// The layers below config do not know signals of the wire, so it has an enumeration of its own.
inline Signal SignalOf(const PipelineConfig& config) {
  switch (config.signal) {
    case PipelineSignal::kTraces:
      return Signal::kTraces;
    case PipelineSignal::kMetrics:
      return Signal::kMetrics;
    case PipelineSignal::kLogs:
      break;
  }
  return Signal::kLogs;
}

inline bool Lists(const std::vector<ComponentId>& ids, const ComponentId& id) {
  return std::ranges::find(ids, id) != ids.end();
}

class GraphBuilder {
 public:
  // `diff` is from the configuration that `graph` was made of to that of `parts`; null keeps
  // nothing.
  GraphBuilder(const GraphParts& parts, Graph& graph, const ConfigDiff* diff)
      : parts_(parts), graph_(graph), diff_(diff) {}

  absl::Status Build();
  // What Build made, also where it failed.
  GraphChange TakeChange() { return std::move(change_); }

  // A receiver once more, with its doors to what the graph runs now.
  absl::StatusOr<std::unique_ptr<ReceiverNode>> MakeReceiverAgain(const ComponentId& id);

 private:
  template <typename Node>
  bool Keeps(ComponentSection section, const std::map<ComponentId, std::unique_ptr<Node>>& running,
             const ComponentId& id) const {
    return diff_ != nullptr && running.contains(id) && !diff_->Touches(section, id);
  }
  ComponentContext Context(const ComponentId& id, const Logger& logger, MetricScope& metrics) const;
  Logger LoggerFor(ComponentKind kind, const ComponentId& id) const;

  // FailedPrecondition where a reload would touch a queue on disk.
  absl::Status CheckDurable() const;
  absl::Status MakeExporters();
  absl::Status MakeExporter(const ComponentId& id);
  absl::Status AddQueues(const ComponentId& id, ExporterNode& node);
  absl::Status MakePipelines();
  absl::StatusOr<bool> TryMakePipeline(const PipelineConfig& config);
  absl::Status MakePipeline(const PipelineConfig& config);
  absl::Status KeepPipeline(const PipelineConfig& config, PipelineNode& running);
  absl::StatusOr<LaneChange> ChangeLane(const PipelineConfig& config, LaneNode& running);
  // The index of the `batch` that moves behind the queues, or npos.
  std::size_t BatchToMove(const PipelineConfig& config, const ProcessorChain& chain) const;
  // True when the edges that `running` has will do.
  bool EdgesStay(const PipelineConfig& config, const PipelineEdges& planned,
                 const PipelineNode& running) const;
  absl::Status MakeEdges(const PipelineConfig& config, PipelineEdges& edges);
  absl::StatusOr<std::unique_ptr<LaneNode>> MakeLane(const PipelineConfig& config);
  absl::StatusOr<std::unique_ptr<ProcessorNode>> MakeProcessor(const PipelineConfig& config,
                                                               const ComponentId& id,
                                                               LaneScheduler& lane);
  absl::Status MakeConnector(const ComponentId& id);
  absl::Status MakeReceivers();
  absl::StatusOr<std::unique_ptr<ReceiverNode>> MakeReceiver(const ComponentId& id);
  void KeepDoors(const ComponentId& id, DoorNodes& doors);

  ExporterNode& ExporterOf(const ComponentId& id);
  ConnectorNode& ConnectorOf(const ComponentId& id);

  // True when every pipeline that lists the connector as a receiver is made.
  bool OutputsReady(const ComponentId& connector) const;
  // The doors of the pipelines that list `id` as a receiver, by signal.
  std::array<std::vector<BatchSink*>, kSignalCount> TargetsOf(const ComponentId& id) const;
  std::array<BatchSink*, kSignalCount> OpenDoors(const ComponentId& id, DoorNodes& doors) const;
  const ComponentEntry& Entry(ComponentSection section, const ComponentId& id) const;
  PipelineNode* FindPipeline(const PipelineConfig& config) const;  // Null until it is made.
  bool IsConnector(const ComponentId& id) const;

  const GraphParts parts_;
  Graph& graph_;
  const ConfigDiff* const diff_;
  GraphChange change_;
};

// Puts the stages of `chain` in a row that ends in `last`; the first of the row. Under the baton of
// a lane at work.
BatchOutput& WireChain(const ProcessorChain& chain, std::size_t batch_moved, BatchOutput& last);

}  // namespace weir::service

#endif  // WEIR_SERVICE_GRAPH_BUILDER_H_

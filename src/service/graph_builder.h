// GraphBuilder makes the components that a configuration names and wires them into a Graph.
//
// It goes against the stream: exporters first, then pipelines from the last one backwards, so that
// what a component is given (a queue, a door) exists when the component is made.

#ifndef WEIR_SERVICE_GRAPH_BUILDER_H_
#define WEIR_SERVICE_GRAPH_BUILDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/graph.h"

namespace weir::service {

class GraphBuilder {
 public:
  explicit GraphBuilder(const GraphParts& parts);

  absl::StatusOr<std::unique_ptr<Graph>> Build();

 private:
  ComponentContext Context(const ComponentId& id, const Logger& logger, MetricScope& metrics) const;
  Logger LoggerFor(ComponentKind kind, const ComponentId& id) const;

  absl::Status MakeExporters();
  absl::Status MakeExporter(const ComponentId& id);
  absl::Status MakePipelines();
  absl::StatusOr<bool> TryMakePipeline(const PipelineConfig& config);
  absl::Status MakeEdges(const PipelineConfig& config, PipelineNode& pipeline,
                         const std::optional<BatcherSettings>& batcher, BatchMetrics* metrics);
  absl::Status MakeLane(const PipelineConfig& config, PipelineNode& pipeline);
  absl::Status MakeProcessor(const PipelineConfig& config, const ComponentId& id, LaneNode& lane);
  void WireLane(PipelineNode& pipeline, LaneNode& lane);
  absl::Status MakeConnector(const ComponentId& id);
  absl::Status MakeReceivers();
  absl::Status MakeReceiver(const ComponentId& id);

  // True when every pipeline that lists the connector as a receiver is made.
  bool OutputsReady(const ComponentId& connector) const;
  // The doors of the made pipelines that list `id` as a receiver, one a signal; `owned` keeps the
  // forks where several pipelines of a signal do.
  std::array<BatchSink*, kSignalCount> DoorsFor(
      const ComponentId& id, std::vector<std::unique_ptr<BatchSink>>& owned) const;
  const ComponentEntry& Entry(ComponentSection section, const ComponentId& id) const;
  const PipelineNode* FindPipeline(const PipelineConfig& config) const;  // Null until it is made.
  bool IsConnector(const ComponentId& id) const;

  const GraphParts parts_;
  std::unique_ptr<Graph> graph_;
};

// How many processors at the end of the pipeline the exporters' queues may see as if they were not
// there: the index of the `batch` that moves behind the queues, or npos.
std::size_t MovableBatch(const std::vector<std::unique_ptr<ProcessorNode>>& processors);

}  // namespace weir::service

#endif  // WEIR_SERVICE_GRAPH_BUILDER_H_

// The instances a graph is made of: each component with what belongs to it alone. Members are in
// the order in which they must come to be, so destruction is the reverse.
//
// Threads: built, started and torn down on the service thread.
// Ownership: a node owns its component and what serves only that component.

#ifndef WEIR_SERVICE_NODES_H_
#define WEIR_SERVICE_NODES_H_

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/export_queue.h"
#include "pipeline/lane.h"
#include "pipeline/stages.h"
#include "weir/base/event_loop.h"
#include "weir/component/factory.h"
#include "weir/telemetry/ledger.h"
#include "weir/telemetry/log.h"
#include "weir/telemetry/metrics.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::service {

struct ExporterNode {
  ExporterNode(ComponentId id, Logger logger, MetricRegistry& registry)
      : id(std::move(id)),
        logger(std::move(logger)),
        metrics(registry),
        loop("x-" + this->id.ToString()) {}

  const ComponentId id;
  const Logger logger;
  MetricScope metrics;
  std::array<NodeHandle, kSignalCount> books;
  LoopThread loop;
  std::unique_ptr<Exporter> exporter;
  std::array<std::unique_ptr<pipeline::ExportQueue>, kSignalCount> queues;
};

struct ConnectorNode {
  ConnectorNode(ComponentId id, Logger logger, MetricRegistry& registry)
      : id(std::move(id)), logger(std::move(logger)), metrics(registry) {}

  const ComponentId id;
  const Logger logger;
  MetricScope metrics;
  std::array<NodeHandle, kSignalCount> books;
  std::vector<std::unique_ptr<BatchSink>> doors;  // Where several pipelines list it.
  std::unique_ptr<Connector> connector;
};

// A processor of one lane of one pipeline.
struct ProcessorNode {
  ProcessorNode(ComponentId id, Logger logger, MetricRegistry& registry, Signal signal)
      : id(std::move(id)),
        logger(std::move(logger)),
        metrics(registry),
        counts(metrics, this->id.ToString(), signal) {}

  const ComponentId id;
  const Logger logger;
  MetricScope metrics;
  ProcessorMetrics counts;
  NodeHandle books;
  std::unique_ptr<Processor> processor;
  std::unique_ptr<BatchMetrics> batch_metrics;      // Set when the queues batch in its place.
  std::unique_ptr<pipeline::ProcessorStage> stage;  // Null for that one.
};

// Forwards to a stage that is made after the lane it belongs to.
class LaneEntry final : public BatchOutput {
 public:
  void set_first(BatchOutput& first) { first_ = &first; }
  void Emit(Batch batch) override { first_->Emit(std::move(batch)); }

 private:
  BatchOutput* first_ = nullptr;
};

struct LaneNode {
  LaneEntry entry;
  std::unique_ptr<pipeline::Lane> lane;
  std::vector<std::unique_ptr<ProcessorNode>> processors;
  std::size_t batch_moved = ~std::size_t{0};  // The processor that the queues stand in for.
  // Null when it runs on its producers' threads. Last: stops before the lane that it runs goes.
  std::unique_ptr<LoopThread> thread;
};

struct PipelineNode {
  std::string name;  // "traces/2"
  Signal signal = Signal::kTraces;
  std::vector<std::unique_ptr<BatchOutput>> edges;  // To queues and connectors.
  std::unique_ptr<pipeline::FanOut> fan_out;        // Null when there is one edge.
  std::vector<std::unique_ptr<LaneNode>> lanes;
  std::unique_ptr<pipeline::PipelineDoor> door;
};

struct ReceiverNode {
  ReceiverNode(ComponentId id, Logger logger, MetricRegistry& registry)
      : id(std::move(id)), logger(std::move(logger)), metrics(registry) {}

  const ComponentId id;
  const Logger logger;
  MetricScope metrics;
  std::vector<std::unique_ptr<BatchSink>> doors;  // Where several pipelines list it.
  std::unique_ptr<Receiver> receiver;
};

struct ExtensionNode {
  ExtensionNode(ComponentId id, Logger logger, MetricRegistry& registry)
      : id(std::move(id)), logger(std::move(logger)), metrics(registry) {}

  const ComponentId id;
  const Logger logger;
  MetricScope metrics;
  std::unique_ptr<Extension> extension;
};

}  // namespace weir::service

#endif  // WEIR_SERVICE_NODES_H_

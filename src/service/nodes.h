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
#include "pipeline/stage_timers.h"
#include "pipeline/stages.h"
#include "pipeline/switch_door.h"
#include "weir/base/event_loop.h"
#include "weir/component/factory.h"
#include "weir/config/service_config.h"
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

// Where a receiver or connector offers the batches of one signal: the doors of the pipelines that
// list it, behind a gate that stays while they change.
struct DoorNode {
  std::vector<BatchSink*> targets;
  std::unique_ptr<pipeline::ForkDoor> fork;  // Where several pipelines list it.
  std::unique_ptr<pipeline::SwitchDoor> gate;
};
using DoorNodes = std::array<DoorNode, kSignalCount>;

struct ConnectorNode {
  ConnectorNode(ComponentId id, Logger logger, MetricRegistry& registry)
      : id(std::move(id)), logger(std::move(logger)), metrics(registry) {}

  const ComponentId id;
  const Logger logger;
  MetricScope metrics;
  std::array<NodeHandle, kSignalCount> books;
  DoorNodes doors;
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
  std::unique_ptr<pipeline::StageTimers> timers;
  std::unique_ptr<Processor> processor;
  std::unique_ptr<BatchMetrics> batch_metrics;      // Set when the queues batch in its place.
  std::unique_ptr<pipeline::ProcessorStage> stage;  // Null for that one.
};

// The processors of a lane in order, as far as they are or will be wired.
using ProcessorChain = std::vector<ProcessorNode*>;

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

// What the lanes of a pipeline end in.
struct PipelineEdges {
  std::vector<std::unique_ptr<BatchOutput>> outputs;  // To queues and connectors.
  std::vector<pipeline::QueueingEdge*> to_queues;
  std::unique_ptr<pipeline::FanOut> fan_out;  // Null when there is one output.
  // How the queues merge what comes over them, where a `batch` was moved there.
  std::optional<BatcherSettings> batcher;
  BatchMetrics* metrics = nullptr;

  BatchOutput& first() const {
    return fan_out == nullptr ? *outputs.front() : static_cast<BatchOutput&>(*fan_out);
  }
};

struct PipelineNode {
  PipelineConfig config;
  std::string name;  // "traces/2"
  Signal signal = Signal::kTraces;
  PipelineEdges edges;
  std::vector<std::unique_ptr<LaneNode>> lanes;
  std::unique_ptr<pipeline::PipelineDoor> door;
};

struct ReceiverNode {
  ReceiverNode(ComponentId id, Logger logger, MetricRegistry& registry)
      : id(std::move(id)), logger(std::move(logger)), metrics(registry) {}

  const ComponentId id;
  const Logger logger;
  MetricScope metrics;
  DoorNodes doors;
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

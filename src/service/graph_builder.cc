#include "service/graph_builder.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "pipeline/journal_edge.h"
#include "weir/base/status.h"

namespace weir::service {
namespace {

// Requests that wait for a lane when its baton is taken. A listener that finds more is told kBusy.
constexpr std::size_t kLaneRingSlots = 1024;

constexpr std::size_t kNotFound = ~std::size_t{0};

// The layers below config do not know signals of the wire, so it has an enumeration of its own.
Signal SignalOf(const PipelineConfig& config) {
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

bool Lists(const std::vector<ComponentId>& ids, const ComponentId& id) {
  return std::ranges::find(ids, id) != ids.end();
}

// Tells a pipeline's records from those of others after a restart, too: a hash of its name.
std::uint32_t EdgeId(std::string_view pipeline) {
  std::uint32_t hash = 2166136261U;  // FNV-1a.
  for (const char c : pipeline) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return hash;
}

}  // namespace

std::size_t MovableBatch(const std::vector<std::unique_ptr<ProcessorNode>>& processors) {
  for (std::size_t i = processors.size(); i-- > 0;) {
    if (processors[i]->processor->batcher_settings().has_value()) {
      return i;
    }
    if (!processors[i]->processor->per_item()) {
      break;
    }
  }
  return kNotFound;
}

GraphBuilder::GraphBuilder(const GraphParts& parts)
    : parts_(parts), graph_(Graph::Empty(parts.host)) {}

Logger GraphBuilder::LoggerFor(ComponentKind kind, const ComponentId& id) const {
  const std::string name = id.ToString();
  return parts_.logger.With(
      {{"otelcol.component.kind", ComponentKindName(kind)}, {"otelcol.component.id", name}});
}

ComponentContext GraphBuilder::Context(const ComponentId& id, const Logger& logger,
                                       MetricScope& metrics) const {
  return {.id = id,
          .logger = logger,
          .metrics = metrics,
          .ledger = parts_.ledger,
          .budget = parts_.budget,
          .host = parts_.host};
}

const ComponentEntry& GraphBuilder::Entry(ComponentSection section, const ComponentId& id) const {
  return *parts_.config.Find(section, id);  // Validation has found every reference to be defined.
}

const PipelineNode* GraphBuilder::FindPipeline(const PipelineConfig& config) const {
  const std::string name = config.ToString();
  const auto found = std::ranges::find_if(
      graph_->pipelines_, [&](const auto& pipeline) { return pipeline->name == name; });
  return found == graph_->pipelines_.end() ? nullptr : found->get();
}

bool GraphBuilder::IsConnector(const ComponentId& id) const {
  return parts_.config.Find(ComponentSection::kConnectors, id) != nullptr;
}

absl::StatusOr<std::unique_ptr<Graph>> GraphBuilder::Build() {
  WEIR_RETURN_IF_ERROR(MakeExporters());
  WEIR_RETURN_IF_ERROR(MakePipelines());
  WEIR_RETURN_IF_ERROR(MakeReceivers());
  return std::move(graph_);
}

absl::Status GraphBuilder::MakeExporters() {
  for (const PipelineConfig& pipeline : parts_.config.pipelines) {
    for (const ComponentId& id : pipeline.exporters) {
      if (!IsConnector(id) && !graph_->exporters_.contains(id)) {
        WEIR_RETURN_IF_ERROR(MakeExporter(id));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::MakeExporter(const ComponentId& id) {
  const ExporterFactory& factory = *parts_.registry.FindExporter(id.type);
  const ComponentEntry& entry = Entry(ComponentSection::kExporters, id);
  auto made =
      std::make_unique<ExporterNode>(id, LoggerFor(ComponentKind::kExporter, id), parts_.metrics);
  WEIR_ASSIGN_OR_RETURN(const ExporterSettings settings,
                        factory.settings(entry.options, entry.path));
  WEIR_ASSIGN_OR_RETURN(made->exporter, factory.create(entry.options, entry.path,
                                                       {Context(id, made->logger, made->metrics),
                                                        made->loop.loop()}));
  for (const Signal signal : kSignals) {
    const bool used = std::ranges::any_of(parts_.config.pipelines, [&](const PipelineConfig& p) {
      return SignalOf(p) == signal && Lists(p.exporters, id);
    });
    if (!used) {
      continue;
    }
    NodeHandle& books = made->books[SignalIndex(signal)];
    books = parts_.ledger.Open(
        {.node = id.ToString(), .kind = NodeKind::kExporter, .signal = signal, .pipeline = ""});
    const QueueSettings& queue = settings.sending_queue;
    pipeline::DurableBacklog* const backlog =
        queue.enabled && queue.storage.has_value()
            ? &graph_->journals_.Join(*queue.storage, signal, id.ToString(), *books, made->logger,
                                      parts_.budget)
            : nullptr;
    made->queues[SignalIndex(signal)] = std::make_unique<pipeline::ExportQueue>(
        pipeline::ExportQueue::Parts{.exporter_id = id.ToString(),
                                     .signal = signal,
                                     .settings = settings,
                                     .exporter = *made->exporter,
                                     .loop = made->loop.loop(),
                                     .books = *books,
                                     .metrics = made->metrics,
                                     .logger = made->logger,
                                     .budget = parts_.budget,
                                     .backlog = backlog});
  }
  graph_->exporters_.emplace(id, std::move(made));
  return absl::OkStatus();
}

absl::Status GraphBuilder::MakePipelines() {
  std::vector<const PipelineConfig*> waiting;
  for (const PipelineConfig& config : parts_.config.pipelines) {
    waiting.push_back(&config);
  }
  while (!waiting.empty()) {
    std::vector<const PipelineConfig*> left;
    for (const PipelineConfig* config : waiting) {
      WEIR_ASSIGN_OR_RETURN(const bool made, TryMakePipeline(*config));
      if (!made) {
        left.push_back(config);
      }
    }
    if (left.size() == waiting.size()) {
      return InvalidArgument("service::pipelines: the connectors form a cycle at {}",
                             left.front()->ToString());
    }
    waiting = std::move(left);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> GraphBuilder::TryMakePipeline(const PipelineConfig& config) {
  for (const ComponentId& id : config.exporters) {
    if (IsConnector(id) && !OutputsReady(id)) {
      return false;
    }
  }
  auto pipeline = std::make_unique<PipelineNode>();
  pipeline->name = config.ToString();
  pipeline->signal = SignalOf(config);
  const std::uint32_t lanes = std::max<std::uint32_t>(1, config.lanes.value_or(1));
  for (std::uint32_t i = 0; i < lanes; ++i) {
    WEIR_RETURN_IF_ERROR(MakeLane(config, *pipeline));
  }

  // All lanes have the same processors, so the first one tells what the edges do.
  const auto& processors = pipeline->lanes.front()->processors;
  const bool queues_only = std::ranges::none_of(
      config.exporters, [this](const ComponentId& id) { return IsConnector(id); });
  const std::size_t moved = queues_only ? MovableBatch(processors) : kNotFound;
  std::optional<BatcherSettings> batcher;
  BatchMetrics* batch_metrics = nullptr;
  if (moved != kNotFound) {
    ProcessorNode& node = *processors[moved];
    batcher = node.processor->batcher_settings();
    node.batch_metrics = std::make_unique<BatchMetrics>(node.metrics, node.id.ToString());
    batch_metrics = node.batch_metrics.get();
    for (const auto& lane : pipeline->lanes) {
      lane->batch_moved = moved;
    }
  }
  WEIR_RETURN_IF_ERROR(MakeEdges(config, *pipeline, batcher, batch_metrics));
  std::vector<BatchSink*> doors;
  for (const auto& lane : pipeline->lanes) {
    WireLane(*pipeline, *lane);
    doors.push_back(lane->lane.get());
  }
  pipeline->door = std::make_unique<pipeline::PipelineDoor>(std::move(doors));
  graph_->pipelines_.push_back(std::move(pipeline));
  return true;
}

absl::Status GraphBuilder::MakeEdges(const PipelineConfig& config, PipelineNode& pipeline,
                                     const std::optional<BatcherSettings>& batcher,
                                     BatchMetrics* metrics) {
  std::vector<BatchOutput*> edges;
  std::map<const JournalNode*, pipeline::JournalEdge*> journal_edges;
  const std::size_t signal = SignalIndex(pipeline.signal);
  for (const ComponentId& id : config.exporters) {
    if (IsConnector(id)) {
      if (!graph_->connectors_.contains(id)) {
        WEIR_RETURN_IF_ERROR(MakeConnector(id));
      }
      ConnectorNode& node = *graph_->connectors_.at(id);
      if (node.books[signal] == nullptr) {
        node.books[signal] = parts_.ledger.Open({.node = id.ToString(),
                                                 .kind = NodeKind::kConnector,
                                                 .signal = pipeline.signal,
                                                 .pipeline = ""});
      }
      pipeline.edges.push_back(
          std::make_unique<pipeline::ConnectorEdge>(*node.connector, *node.books[signal]));
    } else if (const auto [journal, reader] =
                   graph_->journals_.Find(pipeline.signal, id.ToString());
               journal != nullptr) {
      pipeline::JournalEdge*& edge = journal_edges[journal];
      const bool made = edge == nullptr;
      if (made) {
        auto owned =
            std::make_unique<pipeline::JournalEdge>(journal->journal, EdgeId(pipeline.name));
        edge = owned.get();
        pipeline.edges.push_back(std::move(owned));
      }
      edge->AddTarget(*graph_->exporters_.at(id)->queues[signal], reader, batcher, metrics);
      if (!made) {
        continue;
      }
    } else {
      ExporterNode& node = *graph_->exporters_.at(id);
      pipeline.edges.push_back(
          std::make_unique<pipeline::QueueEdge>(*node.queues[signal], batcher, metrics));
    }
    edges.push_back(pipeline.edges.back().get());
  }
  if (edges.size() > 1) {
    pipeline.fan_out = std::make_unique<pipeline::FanOut>(std::move(edges));
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::MakeLane(const PipelineConfig& config, PipelineNode& pipeline) {
  auto lane = std::make_unique<LaneNode>();
  const bool own_thread = config.lanes.has_value();
  if (own_thread) {
    lane->thread = std::make_unique<LoopThread>("lane-" + pipeline.name);
  }
  lane->lane = std::make_unique<pipeline::Lane>(
      kLaneRingSlots, own_thread ? lane->thread->loop() : graph_->lane_loop_.loop(),
      own_thread ? pipeline::Lane::Mode::kThread : pipeline::Lane::Mode::kInline, lane->entry);
  for (const ComponentId& id : config.processors) {
    WEIR_RETURN_IF_ERROR(MakeProcessor(config, id, *lane));
  }
  pipeline.lanes.push_back(std::move(lane));
  return absl::OkStatus();
}

absl::Status GraphBuilder::MakeProcessor(const PipelineConfig& config, const ComponentId& id,
                                         LaneNode& lane) {
  const ProcessorFactory& factory = *parts_.registry.FindProcessor(id.type);
  const ComponentEntry& entry = Entry(ComponentSection::kProcessors, id);
  const std::string name = config.ToString();
  auto node = std::make_unique<ProcessorNode>(
      id, LoggerFor(ComponentKind::kProcessor, id).With({{"otelcol.pipeline.id", name}}),
      parts_.metrics, SignalOf(config));
  node->books = parts_.ledger.Open({.node = id.ToString(),
                                    .kind = NodeKind::kProcessor,
                                    .signal = SignalOf(config),
                                    .pipeline = name});
  WEIR_ASSIGN_OR_RETURN(node->processor,
                        factory.create(entry.options, entry.path,
                                       {Context(id, node->logger, node->metrics), SignalOf(config),
                                        *lane.lane, *node->books}));
  lane.processors.push_back(std::move(node));
  return absl::OkStatus();
}

void GraphBuilder::WireLane(PipelineNode& pipeline, LaneNode& lane) {
  BatchOutput* next =
      pipeline.fan_out != nullptr ? pipeline.fan_out.get() : pipeline.edges.front().get();
  for (std::size_t i = lane.processors.size(); i-- > 0;) {
    if (i == lane.batch_moved) {
      continue;
    }
    ProcessorNode& node = *lane.processors[i];
    node.stage = std::make_unique<pipeline::ProcessorStage>(*node.processor, *node.books,
                                                            node.counts, *next);
    next = node.stage.get();
  }
  lane.entry.set_first(*next);
}

bool GraphBuilder::OutputsReady(const ComponentId& connector) const {
  for (const PipelineConfig& config : parts_.config.pipelines) {
    if (Lists(config.receivers, connector) && FindPipeline(config) == nullptr) {
      return false;
    }
  }
  return true;
}

std::array<BatchSink*, kSignalCount> GraphBuilder::DoorsFor(
    const ComponentId& id, std::vector<std::unique_ptr<BatchSink>>& owned) const {
  std::array<std::vector<BatchSink*>, kSignalCount> doors;
  for (const PipelineConfig& config : parts_.config.pipelines) {
    if (Lists(config.receivers, id)) {
      doors[SignalIndex(SignalOf(config))].push_back(FindPipeline(config)->door.get());
    }
  }
  std::array<BatchSink*, kSignalCount> sinks{};
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    if (doors[i].size() == 1) {
      sinks[i] = doors[i].front();
    } else if (!doors[i].empty()) {
      owned.push_back(std::make_unique<pipeline::ForkDoor>(std::move(doors[i])));
      sinks[i] = owned.back().get();
    }
  }
  return sinks;
}

absl::Status GraphBuilder::MakeConnector(const ComponentId& id) {
  const ConnectorFactory& factory = *parts_.registry.FindConnector(id.type);
  const ComponentEntry& entry = Entry(ComponentSection::kConnectors, id);
  auto node =
      std::make_unique<ConnectorNode>(id, LoggerFor(ComponentKind::kConnector, id), parts_.metrics);
  const auto sinks = DoorsFor(id, node->doors);
  WEIR_ASSIGN_OR_RETURN(
      node->connector,
      factory.create(entry.options, entry.path, {Context(id, node->logger, node->metrics), sinks}));
  graph_->connectors_.emplace(id, std::move(node));
  return absl::OkStatus();
}

absl::Status GraphBuilder::MakeReceivers() {
  for (const PipelineConfig& pipeline : parts_.config.pipelines) {
    for (const ComponentId& id : pipeline.receivers) {
      if (!IsConnector(id) && !graph_->receivers_.contains(id)) {
        WEIR_RETURN_IF_ERROR(MakeReceiver(id));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::MakeReceiver(const ComponentId& id) {
  const ReceiverFactory& factory = *parts_.registry.FindReceiver(id.type);
  const ComponentEntry& entry = Entry(ComponentSection::kReceivers, id);
  auto node =
      std::make_unique<ReceiverNode>(id, LoggerFor(ComponentKind::kReceiver, id), parts_.metrics);
  const auto sinks = DoorsFor(id, node->doors);
  WEIR_ASSIGN_OR_RETURN(
      node->receiver,
      factory.create(entry.options, entry.path, {Context(id, node->logger, node->metrics), sinks}));
  graph_->receivers_.emplace(id, std::move(node));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Graph>> Graph::Build(const GraphParts& parts) {
  return GraphBuilder(parts).Build();
}

}  // namespace weir::service

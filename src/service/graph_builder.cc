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

ProcessorChain Chain(const LaneNode& lane) {
  ProcessorChain chain;
  for (const auto& node : lane.processors) {
    chain.push_back(node.get());
  }
  return chain;
}

// What the edges are to do in the place of the `batch` that moves.
void PlanBatcher(const ProcessorChain& chain, std::size_t moved, PipelineEdges& edges) {
  if (moved == kNotFound) {
    return;
  }
  ProcessorNode& node = *chain[moved];
  if (node.batch_metrics == nullptr) {
    node.batch_metrics = std::make_unique<BatchMetrics>(node.metrics, node.id.ToString());
  }
  edges.batcher = node.processor->batcher_settings();
  edges.metrics = node.batch_metrics.get();
}

// Gives each processor that will be wired its stage. Where they lead is told later.
void PrepareStages(const ProcessorChain& chain, std::size_t moved) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    ProcessorNode& node = *chain[i];
    if (i != moved && node.stage == nullptr) {
      node.stage =
          std::make_unique<pipeline::ProcessorStage>(*node.processor, *node.books, node.counts);
    }
  }
}

// Tells a pipeline's records from those of others after a restart, too: a hash of its name.
std::uint32_t EdgeId(std::string_view pipeline) {
  std::uint32_t hash = 2166136261U;  // FNV-1a.
  for (const char c : pipeline) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return hash;
}

bool IsDurable(const QueueSettings& queue) { return queue.enabled && queue.storage.has_value(); }

// A journal's readers are fixed while it is open, and two queues must not read as one of them.
absl::Status NoDurableChange(const ComponentId& id) {
  return absl::FailedPreconditionError(fmt::format(
      "exporters::{}: a queue with a storage can't be added, changed or removed by a reload; "
      "restart weir, which keeps what is queued",
      id.ToString()));
}

}  // namespace

BatchOutput& WireChain(const ProcessorChain& chain, std::size_t batch_moved, BatchOutput& last) {
  BatchOutput* next = &last;
  for (std::size_t i = chain.size(); i-- > 0;) {
    if (i != batch_moved) {
      chain[i]->stage->set_next(*next);
      next = chain[i]->stage.get();
    }
  }
  return *next;
}

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

PipelineNode* GraphBuilder::FindPipeline(const PipelineConfig& config) const {
  const std::string name = config.ToString();
  const auto found = std::ranges::find_if(
      change_.pipelines, [&](const PipelineChange& change) { return change.node->name == name; });
  return found == change_.pipelines.end() ? nullptr : found->node;
}

bool GraphBuilder::IsConnector(const ComponentId& id) const {
  return parts_.config.Find(ComponentSection::kConnectors, id) != nullptr;
}

absl::Status GraphBuilder::Build() {
  if (diff_ != nullptr) {
    WEIR_RETURN_IF_ERROR(CheckDurable());
  }
  WEIR_RETURN_IF_ERROR(MakeExporters());
  WEIR_RETURN_IF_ERROR(MakePipelines());
  return MakeReceivers();
}

absl::Status GraphBuilder::CheckDurable() const {
  for (const auto& [id, node] : graph_.exporters_) {
    const bool durable = std::ranges::any_of(node->queues, [](const auto& queue) {
      return queue != nullptr && queue->backlog() != nullptr;
    });
    const bool used = std::ranges::any_of(
        parts_.config.pipelines,
        [&id = id](const PipelineConfig& pipeline) { return Lists(pipeline.exporters, id); });
    if (durable && !(used && Keeps(ComponentSection::kExporters, graph_.exporters_, id))) {
      return NoDurableChange(id);
    }
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::MakeExporters() {
  for (const PipelineConfig& pipeline : parts_.config.pipelines) {
    for (const ComponentId& id : pipeline.exporters) {
      if (IsConnector(id) || change_.exporters.contains(id) ||
          change_.exporters_kept.contains(id)) {
        continue;
      }
      if (Keeps(ComponentSection::kExporters, graph_.exporters_, id)) {
        change_.exporters_kept.insert(id);
        WEIR_RETURN_IF_ERROR(AddQueues(id, *graph_.exporters_.at(id)));
      } else {
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
  WEIR_ASSIGN_OR_RETURN(made->exporter, factory.create(entry.options, entry.path,
                                                       {Context(id, made->logger, made->metrics),
                                                        made->loop.loop()}));
  WEIR_RETURN_IF_ERROR(AddQueues(id, *made));
  change_.exporters.emplace(id, std::move(made));
  return absl::OkStatus();
}

absl::Status GraphBuilder::AddQueues(const ComponentId& id, ExporterNode& node) {
  const ComponentEntry& entry = Entry(ComponentSection::kExporters, id);
  WEIR_ASSIGN_OR_RETURN(const ExporterSettings settings,
                        parts_.registry.FindExporter(id.type)->settings(entry.options, entry.path));
  for (const Signal signal : kSignals) {
    const bool used = std::ranges::any_of(parts_.config.pipelines, [&](const PipelineConfig& p) {
      return SignalOf(p) == signal && Lists(p.exporters, id);
    });
    if (!used || node.queues[SignalIndex(signal)] != nullptr) {
      continue;
    }
    NodeHandle& books = node.books[SignalIndex(signal)];
    books = parts_.ledger.Open(
        {.node = id.ToString(), .kind = NodeKind::kExporter, .signal = signal, .pipeline = ""});
    pipeline::DurableBacklog* backlog = nullptr;
    if (IsDurable(settings.sending_queue)) {
      if (diff_ != nullptr) {
        return NoDurableChange(id);
      }
      backlog = &graph_.journals_.Join(*settings.sending_queue.storage, signal, id.ToString(),
                                       *books, node.logger, parts_.budget);
    }
    auto queue = std::make_unique<pipeline::ExportQueue>(
        pipeline::ExportQueue::Parts{.exporter_id = id.ToString(),
                                     .signal = signal,
                                     .settings = settings,
                                     .exporter = *node.exporter,
                                     .loop = node.loop.loop(),
                                     .books = *books,
                                     .metrics = node.metrics,
                                     .logger = node.logger,
                                     .budget = parts_.budget,
                                     .backlog = backlog});
    graph_.View([&] { node.queues[SignalIndex(signal)] = std::move(queue); });
  }
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
  for (const ComponentId& id : config.exporters) {
    if (IsConnector(id) && !change_.connectors.contains(id) &&
        !change_.connectors_kept.contains(id)) {
      WEIR_RETURN_IF_ERROR(MakeConnector(id));
    }
  }
  PipelineNode* const running = diff_ == nullptr ? nullptr : graph_.FindPipeline(config.ToString());
  // Another number of lanes spreads what has one affinity anew, so they can't live on.
  if (running != nullptr && running->config.lanes == config.lanes) {
    WEIR_RETURN_IF_ERROR(KeepPipeline(config, *running));
  } else {
    WEIR_RETURN_IF_ERROR(MakePipeline(config));
  }
  return true;
}

absl::Status GraphBuilder::MakePipeline(const PipelineConfig& config) {
  PipelineChange& change = change_.pipelines.emplace_back();
  change.config = config;
  change.made = std::make_unique<PipelineNode>();
  PipelineNode& pipeline = *change.made;
  change.node = &pipeline;
  pipeline.config = config;
  pipeline.name = config.ToString();
  pipeline.signal = SignalOf(config);
  const std::uint32_t lanes = std::max<std::uint32_t>(1, config.lanes.value_or(1));
  for (std::uint32_t i = 0; i < lanes; ++i) {
    WEIR_ASSIGN_OR_RETURN(std::unique_ptr<LaneNode> lane, MakeLane(config));
    pipeline.lanes.push_back(std::move(lane));
  }
  // All lanes have the same processors, so the first one tells what the edges do.
  const std::size_t moved = BatchToMove(config, Chain(*pipeline.lanes.front()));
  PlanBatcher(Chain(*pipeline.lanes.front()), moved, pipeline.edges);
  WEIR_RETURN_IF_ERROR(MakeEdges(config, pipeline.edges));
  std::vector<BatchSink*> doors;
  for (const auto& lane : pipeline.lanes) {
    lane->batch_moved = moved;
    PrepareStages(Chain(*lane), moved);
    lane->entry.set_first(WireChain(Chain(*lane), moved, pipeline.edges.first()));
    doors.push_back(lane->lane.get());
  }
  pipeline.door = std::make_unique<pipeline::PipelineDoor>(std::move(doors));
  return absl::OkStatus();
}

absl::Status GraphBuilder::KeepPipeline(const PipelineConfig& config, PipelineNode& running) {
  PipelineChange& change = change_.pipelines.emplace_back();
  change.config = config;
  change.node = &running;
  bool lanes_differ = false;
  std::size_t moved = kNotFound;
  PipelineEdges edges;
  for (const auto& lane : running.lanes) {
    WEIR_ASSIGN_OR_RETURN(LaneChange lane_change, ChangeLane(config, *lane));
    if (lane == running.lanes.front()) {
      moved = BatchToMove(config, lane_change.chain);
      PlanBatcher(lane_change.chain, moved, edges);
    }
    lane_change.batch_moved = moved;
    lanes_differ = lanes_differ || lane_change.chain != Chain(*lane) || moved != lane->batch_moved;
    change.lanes.push_back(std::move(lane_change));
  }
  const bool edges_stay = EdgesStay(config, edges, running);
  if (!edges_stay) {
    WEIR_RETURN_IF_ERROR(MakeEdges(config, edges));
    change.edges = std::move(edges);
  }
  if (edges_stay && !lanes_differ) {
    change.lanes.clear();
  }
  for (const LaneChange& lane : change.lanes) {
    PrepareStages(lane.chain, moved);
  }
  return absl::OkStatus();
}

absl::StatusOr<LaneChange> GraphBuilder::ChangeLane(const PipelineConfig& config,
                                                    LaneNode& running) {
  LaneChange change;
  for (const ComponentId& id : config.processors) {
    const auto found = std::ranges::find_if(running.processors, [&](const auto& node) {
      return node->id == id && std::ranges::find(change.chain, node.get()) == change.chain.end();
    });
    if (found != running.processors.end() && !diff_->Touches(ComponentSection::kProcessors, id)) {
      change.chain.push_back(found->get());
      continue;
    }
    WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ProcessorNode> made,
                          MakeProcessor(config, id, *running.lane));
    change.chain.push_back(made.get());
    change.made.push_back(std::move(made));
  }
  return change;
}

std::size_t GraphBuilder::BatchToMove(const PipelineConfig& config,
                                      const ProcessorChain& chain) const {
  const bool queues_only = std::ranges::none_of(
      config.exporters, [this](const ComponentId& id) { return IsConnector(id); });
  for (std::size_t i = queues_only ? chain.size() : 0; i-- > 0;) {
    if (chain[i]->processor->batcher_settings().has_value()) {
      return i;
    }
    if (!chain[i]->processor->per_item()) {
      break;
    }
  }
  return kNotFound;
}

bool GraphBuilder::EdgesStay(const PipelineConfig& config, const PipelineEdges& planned,
                             const PipelineNode& running) const {
  return config.exporters == running.config.exporters && planned.batcher == running.edges.batcher &&
         planned.metrics == running.edges.metrics &&
         std::ranges::all_of(config.exporters, [this](const ComponentId& id) {
           return change_.exporters_kept.contains(id) || change_.connectors_kept.contains(id);
         });
}

absl::Status GraphBuilder::MakeEdges(const PipelineConfig& config, PipelineEdges& edges) {
  std::vector<BatchOutput*> outputs;
  std::map<const JournalNode*, pipeline::JournalEdge*> journal_edges;
  const Signal signal = SignalOf(config);
  const std::size_t index = SignalIndex(signal);
  for (const ComponentId& id : config.exporters) {
    if (IsConnector(id)) {
      ConnectorNode& node = ConnectorOf(id);
      if (node.books[index] == nullptr) {
        node.books[index] = parts_.ledger.Open({.node = id.ToString(),
                                                .kind = NodeKind::kConnector,
                                                .signal = signal,
                                                .pipeline = ""});
      }
      edges.outputs.push_back(
          std::make_unique<pipeline::ConnectorEdge>(*node.connector, *node.books[index]));
    } else if (const auto [journal, reader] = graph_.journals_.Find(signal, id.ToString());
               journal != nullptr) {
      pipeline::JournalEdge*& edge = journal_edges[journal];
      const bool made = edge == nullptr;
      if (made) {
        auto owned =
            std::make_unique<pipeline::JournalEdge>(journal->journal, EdgeId(config.ToString()));
        edge = owned.get();
        edges.to_queues.push_back(edge);
        edges.outputs.push_back(std::move(owned));
      }
      edge->AddTarget(*ExporterOf(id).queues[index], reader, edges.batcher, edges.metrics);
      if (!made) {
        continue;
      }
    } else {
      auto edge = std::make_unique<pipeline::QueueEdge>(*ExporterOf(id).queues[index],
                                                        edges.batcher, edges.metrics);
      edges.to_queues.push_back(edge.get());
      edges.outputs.push_back(std::move(edge));
    }
    outputs.push_back(edges.outputs.back().get());
  }
  if (outputs.size() > 1) {
    edges.fan_out = std::make_unique<pipeline::FanOut>(std::move(outputs));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<LaneNode>> GraphBuilder::MakeLane(const PipelineConfig& config) {
  auto lane = std::make_unique<LaneNode>();
  const bool own_thread = config.lanes.has_value();
  if (own_thread) {
    lane->thread = std::make_unique<LoopThread>("lane-" + config.ToString());
  }
  lane->lane = std::make_unique<pipeline::Lane>(
      kLaneRingSlots, own_thread ? lane->thread->loop() : graph_.lane_loop_.loop(),
      own_thread ? pipeline::Lane::Mode::kThread : pipeline::Lane::Mode::kInline, lane->entry);
  for (const ComponentId& id : config.processors) {
    WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ProcessorNode> node,
                          MakeProcessor(config, id, *lane->lane));
    lane->processors.push_back(std::move(node));
  }
  return lane;
}

absl::StatusOr<std::unique_ptr<ProcessorNode>> GraphBuilder::MakeProcessor(
    const PipelineConfig& config, const ComponentId& id, LaneScheduler& lane) {
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
  node->timers = std::make_unique<pipeline::StageTimers>(lane);
  WEIR_ASSIGN_OR_RETURN(node->processor,
                        factory.create(entry.options, entry.path,
                                       {Context(id, node->logger, node->metrics), SignalOf(config),
                                        *node->timers, *node->books}));
  return node;
}

bool GraphBuilder::OutputsReady(const ComponentId& connector) const {
  for (const PipelineConfig& config : parts_.config.pipelines) {
    if (Lists(config.receivers, connector) && FindPipeline(config) == nullptr) {
      return false;
    }
  }
  return true;
}

ExporterNode& GraphBuilder::ExporterOf(const ComponentId& id) {
  const auto made = change_.exporters.find(id);
  return made != change_.exporters.end() ? *made->second : *graph_.exporters_.at(id);
}

ConnectorNode& GraphBuilder::ConnectorOf(const ComponentId& id) {
  const auto made = change_.connectors.find(id);
  return made != change_.connectors.end() ? *made->second : *graph_.connectors_.at(id);
}

}  // namespace weir::service

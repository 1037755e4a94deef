#include "service/graph.h"

#include <algorithm>
#include <future>

#include "service/graph_builder.h"
#include "weir/base/status.h"

namespace weir::service {
namespace {

std::string StartError(std::string_view kind, const ComponentId& id) {
  return fmt::format("cannot start {} {}", kind, id.ToString());
}

// Runs `task` under the baton of a lane that nobody offers to any more, once its ring is empty, and
// waits for it. False when `deadline` passed first.
bool RunOnEmptyLane(pipeline::Lane& lane, TimePoint deadline, std::function<void()> task) {
  struct Waiting {
    pipeline::Lane& lane;
    std::function<void()> task;
    std::promise<void> done;
    // Tasks run ahead of the ring, so it asks again behind what it found there.
    static void Run(const std::shared_ptr<Waiting>& self) {
      if (!self->lane.empty()) {
        self->lane.Post([self] { Run(self); });
        return;
      }
      self->task();
      self->done.set_value();
    }
  };
  const auto waiting = std::make_shared<Waiting>(Waiting{lane, std::move(task), {}});
  auto done = waiting->done.get_future();
  lane.Post([waiting] { Waiting::Run(waiting); });
  return done.wait_until(deadline) == std::future_status::ready;
}

template <typename Node>
void LogUnclean(const Node& node, std::string_view message, const absl::Status& status) {
  if (!status.ok()) {
    node.logger.Warn(message, {{"error", status.ToString()}});
  }
}

}  // namespace

Graph::~Graph() {
  Shutdown(std::chrono::steady_clock::now());
  // Lane timers run on this loop; once it has stopped, nothing refers to the lanes any more.
  lane_loop_.StopAndJoin();
}

absl::Status Graph::Start() {
  const absl::Status status = StartAll();
  if (!status.ok()) {
    Shutdown(std::chrono::steady_clock::now());
  }
  return status;
}

absl::Status Graph::StartAll() {
  WEIR_RETURN_IF_ERROR(journals_.Open(host_));
  for (const auto& [id, node] : exporters_) {
    if (const absl::Status status = node->exporter->Start(); !status.ok()) {
      return Annotate(status, StartError("exporter", id));
    }
  }
  for (const auto& [id, node] : exporters_) {
    for (const auto& queue : node->queues) {
      if (queue != nullptr) {
        queue->Start();
      }
    }
  }
  for (const auto& [id, node] : connectors_) {
    if (const absl::Status status = node->connector->Start(); !status.ok()) {
      return Annotate(status, StartError("connector", id));
    }
  }
  for (const auto& pipeline : pipelines_) {
    for (const auto& lane : pipeline->lanes) {
      for (const auto& node : lane->processors) {
        if (const absl::Status status = node->processor->Start(); !status.ok()) {
          return Annotate(status, StartError("processor", node->id));
        }
      }
    }
  }
  for (const auto& [id, node] : receivers_) {
    if (const absl::Status status = node->receiver->Start(); !status.ok()) {
      return Annotate(status, StartError("receiver", id));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> Graph::Notes() const {
  std::vector<std::string> notes;
  for (const auto& pipeline : pipelines_) {
    const LaneNode& lane = *pipeline->lanes.front();
    for (std::size_t i = 0; i < lane.processors.size(); ++i) {
      const ProcessorNode& node = *lane.processors[i];
      if (i != lane.batch_moved && node.processor->batcher_settings().has_value()) {
        notes.push_back(fmt::format(
            "service::pipelines::{}: {} merges in place, because what follows it depends on where "
            "batches are cut; items it has acknowledged and holds do not survive a crash",
            pipeline->name, node.id.ToString()));
      }
    }
  }
  return notes;
}

std::optional<std::size_t> Graph::memory_limit_bytes() const {
  std::optional<std::size_t> lowest;
  for (const auto& pipeline : pipelines_) {
    for (const auto& lane : pipeline->lanes) {
      for (const auto& node : lane->processors) {
        if (const auto limit = node->processor->memory_limit_bytes(); limit.has_value()) {
          lowest = lowest.has_value() ? std::min(*lowest, *limit) : *limit;
        }
      }
    }
  }
  return lowest;
}

std::uint64_t Graph::Shutdown(TimePoint deadline) {
  if (std::exchange(shut_down_, true)) {
    return 0;
  }
  for (const auto& [id, node] : receivers_) {
    LogUnclean(*node, "The receiver did not stop cleanly", node->receiver->Shutdown(deadline));
  }
  for (const auto& [id, node] : receivers_) {
    for (const DoorNode& door : node->doors) {
      if (door.gate != nullptr) {
        door.gate->Switch(door.gate->target());  // Its threads have left the lanes after this.
      }
    }
  }
  // A flush is work that is ready to run, so it gets a moment even when the deadline has passed.
  const TimePoint flushed_by =
      std::max(deadline, std::chrono::steady_clock::now() + std::chrono::seconds(1));
  for (auto pipeline = pipelines_.rbegin(); pipeline != pipelines_.rend(); ++pipeline) {
    FlushPipeline(**pipeline, connectors_, flushed_by);
  }
  return DrainExporters(deadline);
}

bool Graph::FlushPipeline(const PipelineNode& pipeline, const Connectors& connectors,
                          TimePoint deadline) {
  for (const ComponentId& id : pipeline.config.receivers) {
    // What fed the connector has stopped before; its own flush comes in here.
    if (const auto found = connectors.find(id); found != connectors.end()) {
      LogUnclean(*found->second, "The connector did not stop cleanly",
                 found->second->connector->Shutdown(deadline));
    }
  }
  bool flushed = true;
  for (const auto& lane : pipeline.lanes) {
    const bool in_time = RunOnEmptyLane(*lane->lane, deadline, [lane = lane.get()] {
      for (std::size_t i = 0; i < lane->processors.size(); ++i) {
        if (i != lane->batch_moved && lane->processors[i]->stage != nullptr) {
          lane->processors[i]->stage->Flush();
        }
      }
    });
    for (const auto& node : lane->processors) {
      if (!in_time) {
        node->logger.Error("The lane did not flush in time", {});
      }
      LogUnclean(*node, "The processor did not stop cleanly", node->processor->Shutdown(deadline));
    }
    flushed = flushed && in_time;
  }
  return flushed;
}

void Graph::EndDrain() {
  const auto end = [](ExporterNode& node) {
    for (const auto& queue : node.queues) {
      if (queue != nullptr) {
        node.loop.loop().Post([queue = queue.get()] { queue->EndDrain(); });
      }
    }
  };
  const std::lock_guard lock(view_mutex_);
  for (const auto& [id, node] : exporters_) {
    end(*node);
  }
  for (const RetiredExporter& retired : retired_exporters_) {
    end(*retired.node);
  }
}

Graph::RetiredExporter Graph::BeginDrain(std::unique_ptr<ExporterNode> node, TimePoint deadline,
                                         std::function<void()> done) {
  RetiredExporter retired;
  for (const auto& queue : node->queues) {
    if (queue == nullptr) {
      continue;
    }
    auto abandoned = std::make_shared<std::promise<std::uint64_t>>();
    retired.drained.push_back(abandoned->get_future());
    node->loop.loop().Post([abandoned, queue = queue.get(), deadline, done] {
      queue->Drain(deadline, [abandoned, done](std::uint64_t items) {
        abandoned->set_value(items);
        if (done) {
          done();
        }
      });
    });
  }
  retired.node = std::move(node);
  return retired;
}

std::uint64_t Graph::FinishDrain(RetiredExporter& retired, TimePoint deadline) {
  std::uint64_t abandoned = 0;
  for (auto& drained : retired.drained) {
    abandoned += drained.get();
  }
  LogUnclean(*retired.node, "The exporter did not stop cleanly",
             retired.node->exporter->Shutdown(deadline));
  retired.node->loop.StopAndJoin();
  return abandoned;
}

std::uint64_t Graph::DrainExporters(TimePoint deadline) {
  View([&] {
    for (auto& [id, node] : exporters_) {
      retired_exporters_.push_back(BeginDrain(std::move(node), deadline, nullptr));
    }
    exporters_.clear();
  });
  std::uint64_t abandoned = 0;
  for (RetiredExporter& retired : retired_exporters_) {
    for (auto& drained : std::exchange(retired.drained, {})) {
      abandoned += drained.get();
    }
  }
  // After the last acknowledgement, and while the loops still take what was just appended.
  journals_.Close();
  for (RetiredExporter& retired : retired_exporters_) {
    FinishDrain(retired, deadline);
  }
  return abandoned;
}

PipelineNode* Graph::FindPipeline(const std::string& name) const {
  const auto found = std::ranges::find_if(
      pipelines_, [&](const auto& pipeline) { return pipeline->name == name; });
  return found == pipelines_.end() ? nullptr : found->get();
}

void Graph::VisitQueues(
    const std::function<void(const ComponentId& exporter, Signal signal,
                             const pipeline::ExportQueue& queue)>& visit) const {
  const std::lock_guard lock(view_mutex_);
  for (const auto& [id, node] : exporters_) {
    for (const Signal signal : kSignals) {
      if (const auto* queue = node->queues[SignalIndex(signal)].get(); queue != nullptr) {
        visit(id, signal, *queue);
      }
    }
  }
}

absl::StatusOr<std::unique_ptr<Graph>> Graph::Build(const GraphParts& parts) {
  std::unique_ptr<Graph> graph(
      new Graph(parts.host));  // tidy-allow(new): the constructor is private.
  GraphBuilder builder(parts, *graph, nullptr);
  const absl::Status status = builder.Build();
  GraphChange change = builder.TakeChange();
  if (!status.ok()) {
    return status;
  }
  graph->Adopt(std::move(change));
  return graph;
}

// Of a graph that has nothing yet.
void Graph::Adopt(GraphChange change) {
  receivers_ = std::move(change.receivers);
  exporters_ = std::move(change.exporters);
  connectors_ = std::move(change.connectors);
  for (PipelineChange& pipeline : change.pipelines) {
    pipelines_.push_back(std::move(pipeline.made));
  }
}

}  // namespace weir::service

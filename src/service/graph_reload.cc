// The running graph becomes that of another configuration:
//
//   make      what the difference touches, beside what runs; an error throws it away again
//   start     exporters, connectors, processors; the same
//   sockets   receivers that changed or went stop taking, finish what they have and free their
//             sockets, then their successors start; an error makes the old ones once more
//   commit    can't fail: doors and lanes are switched over, then what is left behind goes
//
// A lane lives on with its ring whenever its pipeline does: under its baton the processors that go
// are flushed, and the row is put together anew of those that stay and those that came. So a
// processor that did not change keeps its state, and no offer meets anything but an open door.

#include <future>
#include <utility>

#include "service/graph.h"
#include "service/graph_builder.h"
#include "weir/base/status.h"

namespace weir::service {
namespace {

// Runs `task` under the lane's baton and waits for it; a lane never waits, so that is soon.
void RunOnLane(pipeline::Lane& lane, EventLoop::Task task) {
  std::promise<void> done;
  lane.Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

bool Contains(const ProcessorChain& chain, const ProcessorNode* node) {
  return std::ranges::find(chain, node) != chain.end();
}

absl::Status StartError(const absl::Status& status, std::string_view kind, const ComponentId& id) {
  return Annotate(status, fmt::format("cannot start {} {}", kind, id.ToString()));
}

absl::Status StartAllOf(const std::vector<std::unique_ptr<ProcessorNode>>& nodes) {
  for (const auto& node : nodes) {
    if (const absl::Status status = node->processor->Start(); !status.ok()) {
      return StartError(status, "processor", node->id);
    }
  }
  return absl::OkStatus();
}

void RetireEdges(const PipelineEdges& edges) {
  for (pipeline::QueueingEdge* const edge : edges.to_queues) {
    edge->Retire();
  }
}

template <typename Node>
void LogUnclean(const Node& node, const absl::Status& status) {
  if (!status.ok()) {
    node.logger.Warn("A component that a reload replaced did not stop cleanly",
                     {{"error", status.ToString()}});
  }
}

// Moves out of `map` what is not in `kept`.
template <typename Node>
std::map<ComponentId, std::unique_ptr<Node>> TakeOthers(
    std::map<ComponentId, std::unique_ptr<Node>>& map, const std::set<ComponentId>& kept) {
  std::map<ComponentId, std::unique_ptr<Node>> others;
  for (auto it = map.begin(); it != map.end();) {
    const auto here = it++;
    if (!kept.contains(here->first)) {
      others.insert(map.extract(here));
    }
  }
  return others;
}

}  // namespace

absl::Status Graph::Reload(const GraphParts& before, const GraphParts& after,
                           const ConfigDiff& diff, TimePoint deadline) {
  Reap();
  if (after.select_extensions) {
    after.select_extensions();
  }
  GraphBuilder builder(after, *this, &diff);
  absl::Status status = builder.Build();
  GraphChange change = builder.TakeChange();
  if (status.ok()) {
    status = StartMade(change);
  }
  if (status.ok()) {
    status = SwapReceivers(change, before, deadline);
  }
  if (!status.ok()) {
    Discard(change, deadline);
    return status;
  }
  Commit(change, deadline);
  return absl::OkStatus();
}

absl::Status Graph::StartMade(const GraphChange& change) {
  for (const auto& [id, node] : change.exporters) {
    if (const absl::Status status = node->exporter->Start(); !status.ok()) {
      return StartError(status, "exporter", id);
    }
  }
  for (const auto& [id, node] : change.connectors) {
    if (const absl::Status status = node->connector->Start(); !status.ok()) {
      return StartError(status, "connector", id);
    }
  }
  for (const PipelineChange& pipeline : change.pipelines) {
    for (const LaneChange& lane : pipeline.lanes) {
      WEIR_RETURN_IF_ERROR(StartAllOf(lane.made));
    }
    if (pipeline.made != nullptr) {
      for (const auto& lane : pipeline.made->lanes) {
        WEIR_RETURN_IF_ERROR(StartAllOf(lane->processors));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Graph::SwapReceivers(GraphChange& change, const GraphParts& before,
                                  TimePoint deadline) {
  auto old = TakeOthers(receivers_, change.receivers_kept);
  for (auto& [id, node] : old) {
    LogUnclean(*node, node->receiver->Shutdown(deadline));
    // It may still be told what became of what it took in, so it goes when it knows all.
    retired_receivers_.push_back(std::move(node));
  }
  absl::Status status;
  for (const auto& [id, node] : change.receivers) {
    status = node->receiver->Start();
    if (!status.ok()) {
      status = StartError(status, "receiver", id);
      break;
    }
  }
  if (status.ok()) {
    receivers_.merge(change.receivers);
    return status;
  }
  for (auto& [id, node] : change.receivers) {
    LogUnclean(*node, node->receiver->Shutdown(deadline));
    retired_receivers_.push_back(std::move(node));
  }
  change.receivers.clear();
  if (before.select_extensions) {
    before.select_extensions();
  }
  for (const auto& [id, node] : old) {
    auto again = GraphBuilder(before, *this, nullptr).MakeReceiverAgain(id);
    absl::Status back = again.status();
    if (back.ok()) {
      ReceiverNode& made = *receivers_.emplace(id, *std::move(again)).first->second;
      back = made.receiver->Start();
    }
    if (!back.ok()) {
      before.host.ReportFatal(id, Annotate(back, "a failed reload cannot be taken back"));
    }
  }
  return status;
}

void Graph::Rewire(PipelineChange& change, std::vector<std::unique_ptr<ProcessorNode>>& leaving) {
  PipelineNode& pipeline = *change.node;
  BatchOutput& last = (change.edges.has_value() ? *change.edges : pipeline.edges).first();
  for (std::size_t i = 0; i < change.lanes.size(); ++i) {
    LaneNode& lane = *pipeline.lanes[i];
    LaneChange& next = change.lanes[i];
    const ProcessorNode* const moved =
        next.batch_moved < next.chain.size() ? next.chain[next.batch_moved] : nullptr;
    RunOnLane(*lane.lane, [&] {
      for (std::size_t j = 0; j < lane.processors.size(); ++j) {
        ProcessorNode& node = *lane.processors[j];
        const bool stays = Contains(next.chain, &node);
        if (j != lane.batch_moved && (!stays || &node == moved)) {
          node.stage->Flush();
        }
        if (!stays) {
          node.timers->Close();
        }
      }
      lane.entry.set_first(WireChain(next.chain, next.batch_moved, last));
    });
    std::vector<std::unique_ptr<ProcessorNode>> all = std::move(lane.processors);
    std::ranges::move(next.made, std::back_inserter(all));
    lane.processors.clear();
    lane.batch_moved = next.batch_moved;
    for (ProcessorNode* const wanted : next.chain) {
      auto& owner = *std::ranges::find(all, wanted, &std::unique_ptr<ProcessorNode>::get);
      lane.processors.push_back(std::move(owner));
      if (wanted == moved) {
        wanted->stage.reset();
      }
    }
    std::erase(all, nullptr);
    std::ranges::move(all, std::back_inserter(leaving));
  }
  if (change.edges.has_value()) {
    std::swap(pipeline.edges, *change.edges);
  }
  pipeline.config = std::move(change.config);
}

void Graph::Commit(GraphChange& change, TimePoint deadline) {
  for (DoorChange& door : change.doors) {
    BatchSink* const target = door.fork != nullptr ? door.fork.get() : door.targets.front();
    door.door->gate->Switch(target);
    std::swap(door.door->targets, door.targets);
    std::swap(door.door->fork, door.fork);
  }
  std::vector<std::unique_ptr<ProcessorNode>> leaving;
  for (PipelineChange& pipeline : change.pipelines) {
    if (pipeline.made == nullptr) {
      Rewire(pipeline, leaving);
    }
  }
  // From here on data takes the new ways only.
  auto old_connectors = TakeOthers(connectors_, change.connectors_kept);
  connectors_.merge(change.connectors);
  auto old_pipelines = std::exchange(pipelines_, {});
  for (PipelineChange& pipeline : change.pipelines) {
    if (pipeline.made != nullptr) {
      pipelines_.push_back(std::move(pipeline.made));
      continue;
    }
    pipelines_.push_back(std::move(
        *std::ranges::find(old_pipelines, pipeline.node, &std::unique_ptr<PipelineNode>::get)));
    if (pipeline.edges.has_value()) {
      RetireEdges(*pipeline.edges);  // By now the old ones.
    }
  }
  std::erase(old_pipelines, nullptr);
  for (const auto& node : leaving) {
    LogUnclean(*node, node->processor->Shutdown(deadline));
  }
  leaving.clear();
  for (; !old_pipelines.empty(); old_pipelines.pop_back()) {  // Upstream first.
    RetirePipeline(std::move(old_pipelines.back()), old_connectors, deadline);
  }
  for (const auto& [id, node] : old_connectors) {
    LogUnclean(*node, node->connector->Shutdown(deadline));
  }
  std::map<ComponentId, std::unique_ptr<ExporterNode>> old_exporters;
  View([&] {
    old_exporters = TakeOthers(exporters_, change.exporters_kept);
    exporters_.merge(change.exporters);
  });
  RetireExporters(std::move(old_exporters), deadline);
}

// What was made may have been started, and receivers that had to be taken back may have put data
// into it.
void Graph::Discard(GraphChange& change, TimePoint deadline) {
  for (auto pipeline = change.pipelines.rbegin(); pipeline != change.pipelines.rend(); ++pipeline) {
    if (pipeline->made != nullptr) {
      RetirePipeline(std::move(pipeline->made), change.connectors, deadline);
    }
    if (pipeline->edges.has_value()) {
      RetireEdges(*pipeline->edges);
    }
    for (const LaneChange& lane : pipeline->lanes) {
      for (const auto& node : lane.made) {
        LogUnclean(*node, node->processor->Shutdown(deadline));
      }
    }
  }
  for (const auto& [id, node] : change.connectors) {
    LogUnclean(*node, node->connector->Shutdown(deadline));
  }
  RetireExporters(std::move(change.exporters), deadline);
}

void Graph::RetirePipeline(std::unique_ptr<PipelineNode> pipeline, const Connectors& connectors,
                           TimePoint deadline) {
  if (!FlushPipeline(*pipeline, connectors, deadline)) {
    stuck_.push_back(std::move(pipeline));
    return;
  }
  for (const auto& lane : pipeline->lanes) {
    lane->lane->Close();
  }
  RetireEdges(pipeline->edges);
}

void Graph::RetireExporters(std::map<ComponentId, std::unique_ptr<ExporterNode>> exporters,
                            TimePoint deadline) {
  for (auto& [id, node] : exporters) {
    RetiredExporter retired = BeginDrain(std::move(node), deadline, on_retired_);
    View([&] { retired_exporters_.push_back(std::move(retired)); });
  }
}

void Graph::Reap() {
  if (!stuck_.empty()) {
    return;  // A lane that comes back to life may still send to what would go.
  }
  const auto ready = [](const std::future<std::uint64_t>& drained) {
    return drained.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  std::vector<RetiredExporter> done;
  View([&] {
    for (RetiredExporter& retired : retired_exporters_) {
      if (std::ranges::all_of(retired.drained, ready)) {
        done.push_back(std::move(retired));
      }
    }
    std::erase_if(retired_exporters_, [](const auto& retired) { return retired.node == nullptr; });
  });
  for (RetiredExporter& retired : done) {
    const std::uint64_t abandoned = FinishDrain(retired, std::chrono::steady_clock::now());
    if (abandoned > 0) {
      retired.node->logger.Error(
          "An exporter that a reload replaced could not send everything; the rest is dropped",
          {{"items", abandoned}});
    }
  }
  std::erase_if(retired_receivers_, [](const auto& node) { return node->receiver->idle(); });
}

}  // namespace weir::service

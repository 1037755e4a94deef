#include "service/graph.h"

#include <algorithm>
#include <future>

#include "weir/base/status.h"

namespace weir::service {
namespace {

std::string StartError(std::string_view kind, const ComponentId& id) {
  return fmt::format("cannot start {} {}", kind, id.ToString());
}

// Runs `task` under the lane's baton and waits for it. False when `deadline` passed first.
bool RunOnLane(pipeline::Lane& lane, TimePoint deadline, EventLoop::Task task) {
  auto done = std::make_shared<std::promise<void>>();
  lane.Post([task = std::move(task), done]() mutable {
    task();
    done->set_value();
  });
  return done->get_future().wait_until(deadline) == std::future_status::ready;
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
    for (const auto& node : pipeline->lanes.front()->processors) {
      if (node->stage != nullptr && node->processor->batcher_settings().has_value()) {
        notes.push_back(fmt::format(
            "service::pipelines::{}: {} merges in place, because what follows it depends on where "
            "batches are cut; items it has acknowledged and holds do not survive a crash",
            pipeline->name, node->id.ToString()));
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
    if (const absl::Status status = node->receiver->Shutdown(deadline); !status.ok()) {
      node->logger.Warn("The receiver did not stop cleanly", {{"error", status.ToString()}});
    }
  }
  FlushLanes(deadline);
  return DrainExporters(deadline);
}

void Graph::FlushLanes(TimePoint deadline) {
  // A flush is work that is ready to run, so it gets a moment even when the deadline has passed.
  deadline = std::max(deadline, std::chrono::steady_clock::now() + std::chrono::seconds(1));
  for (auto pipeline = pipelines_.rbegin(); pipeline != pipelines_.rend(); ++pipeline) {
    for (const auto& lane : (*pipeline)->lanes) {
      for (const auto& node : lane->processors) {
        if (node->stage == nullptr) {
          continue;
        }
        if (!RunOnLane(*lane->lane, deadline, [stage = node->stage.get()] { stage->Flush(); })) {
          node->logger.Error("The lane did not flush in time", {});
        }
        if (const absl::Status status = node->processor->Shutdown(deadline); !status.ok()) {
          node->logger.Warn("The processor did not stop cleanly", {{"error", status.ToString()}});
        }
      }
    }
    for (const auto& [id, node] : connectors_) {
      // Idempotent; a connector's own flush reaches the pipelines behind it, which come later.
      if (const absl::Status status = node->connector->Shutdown(deadline); !status.ok()) {
        node->logger.Warn("The connector did not stop cleanly", {{"error", status.ToString()}});
      }
    }
  }
}

void Graph::EndDrain() {
  for (const auto& [id, node] : exporters_) {
    for (const auto& queue : node->queues) {
      if (queue != nullptr) {
        node->loop.loop().Post([queue = queue.get()] { queue->EndDrain(); });
      }
    }
  }
}

std::uint64_t Graph::DrainExporters(TimePoint deadline) {
  struct Pending {
    std::promise<std::uint64_t> abandoned;
  };
  std::vector<std::unique_ptr<Pending>> pending;
  for (const auto& [id, node] : exporters_) {
    for (const auto& queue : node->queues) {
      if (queue == nullptr) {
        continue;
      }
      Pending& entry = *pending.emplace_back(std::make_unique<Pending>());
      node->loop.loop().Post([&entry, queue = queue.get(), deadline] {
        queue->Drain(deadline, [&entry](std::uint64_t items) { entry.abandoned.set_value(items); });
      });
    }
  }
  std::uint64_t abandoned = 0;
  for (const auto& entry : pending) {
    abandoned += entry->abandoned.get_future().get();
  }
  for (const auto& [id, node] : exporters_) {
    if (const absl::Status status = node->exporter->Shutdown(deadline); !status.ok()) {
      node->logger.Warn("The exporter did not stop cleanly", {{"error", status.ToString()}});
    }
  }
  // What was appended meanwhile may still be on its way to a queue's loop.
  journals_.Close();
  for (const auto& [id, node] : exporters_) {
    node->loop.StopAndJoin();
  }
  return abandoned;
}

}  // namespace weir::service

// The part of GraphBuilder that makes what offers to pipelines: receivers and connectors, with
// their doors.

#include <algorithm>
#include <utility>

#include "service/graph_builder.h"
#include "weir/base/status.h"

namespace weir::service {

std::array<std::vector<BatchSink*>, kSignalCount> GraphBuilder::TargetsOf(
    const ComponentId& id) const {
  std::array<std::vector<BatchSink*>, kSignalCount> targets;
  for (const PipelineConfig& config : parts_.config.pipelines) {
    if (Lists(config.receivers, id)) {
      targets[SignalIndex(SignalOf(config))].push_back(FindPipeline(config)->door.get());
    }
  }
  return targets;
}

std::array<BatchSink*, kSignalCount> GraphBuilder::OpenDoors(const ComponentId& id,
                                                             DoorNodes& doors) const {
  auto targets = TargetsOf(id);
  std::array<BatchSink*, kSignalCount> sinks{};
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    if (targets[i].empty()) {
      continue;
    }
    DoorNode& door = doors[i];
    door.targets = std::move(targets[i]);
    BatchSink* first = door.targets.front();
    if (door.targets.size() > 1) {
      door.fork = std::make_unique<pipeline::ForkDoor>(door.targets);
      first = door.fork.get();
    }
    door.gate = std::make_unique<pipeline::SwitchDoor>(first);
    sinks[i] = door.gate.get();
  }
  return sinks;
}

void GraphBuilder::KeepDoors(const ComponentId& id, DoorNodes& doors) {
  auto targets = TargetsOf(id);
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    // A door that comes or goes is a change of the component itself, so it is not kept.
    if (doors[i].gate == nullptr || doors[i].targets == targets[i]) {
      continue;
    }
    DoorChange& change = change_.doors.emplace_back();
    change.door = &doors[i];
    change.targets = std::move(targets[i]);
    if (change.targets.size() > 1) {
      change.fork = std::make_unique<pipeline::ForkDoor>(change.targets);
    }
  }
}

absl::Status GraphBuilder::MakeConnector(const ComponentId& id) {
  if (Keeps(ComponentSection::kConnectors, graph_.connectors_, id)) {
    change_.connectors_kept.insert(id);
    KeepDoors(id, graph_.connectors_.at(id)->doors);
    return absl::OkStatus();
  }
  const ConnectorFactory& factory = *parts_.registry.FindConnector(id.type);
  const ComponentEntry& entry = Entry(ComponentSection::kConnectors, id);
  auto node =
      std::make_unique<ConnectorNode>(id, LoggerFor(ComponentKind::kConnector, id), parts_.metrics);
  const auto sinks = OpenDoors(id, node->doors);
  WEIR_ASSIGN_OR_RETURN(
      node->connector,
      factory.create(entry.options, entry.path, {Context(id, node->logger, node->metrics), sinks}));
  change_.connectors.emplace(id, std::move(node));
  return absl::OkStatus();
}

absl::Status GraphBuilder::MakeReceivers() {
  for (const PipelineConfig& pipeline : parts_.config.pipelines) {
    for (const ComponentId& id : pipeline.receivers) {
      if (IsConnector(id) || change_.receivers.contains(id) ||
          change_.receivers_kept.contains(id)) {
        continue;
      }
      if (Keeps(ComponentSection::kReceivers, graph_.receivers_, id)) {
        change_.receivers_kept.insert(id);
        KeepDoors(id, graph_.receivers_.at(id)->doors);
        continue;
      }
      WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ReceiverNode> node, MakeReceiver(id));
      change_.receivers.emplace(id, std::move(node));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ReceiverNode>> GraphBuilder::MakeReceiver(const ComponentId& id) {
  const ReceiverFactory& factory = *parts_.registry.FindReceiver(id.type);
  const ComponentEntry& entry = Entry(ComponentSection::kReceivers, id);
  auto node =
      std::make_unique<ReceiverNode>(id, LoggerFor(ComponentKind::kReceiver, id), parts_.metrics);
  const auto sinks = OpenDoors(id, node->doors);
  WEIR_ASSIGN_OR_RETURN(
      node->receiver,
      factory.create(entry.options, entry.path, {Context(id, node->logger, node->metrics), sinks}));
  return node;
}

absl::StatusOr<std::unique_ptr<ReceiverNode>> GraphBuilder::MakeReceiverAgain(
    const ComponentId& id) {
  change_.pipelines.clear();
  for (const auto& pipeline : graph_.pipelines_) {
    PipelineChange& change = change_.pipelines.emplace_back();
    change.node = pipeline.get();
  }
  return MakeReceiver(id);
}

}  // namespace weir::service

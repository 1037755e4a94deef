// GraphChange is what turns the running graph into that of another configuration: everything that
// has to be made, made, and what stays, named. Nothing in it is started or seen by data yet.
//
// Threads: the service thread.
// Ownership: owns what was made until Graph takes it over; points to what the graph keeps.

#ifndef WEIR_SERVICE_GRAPH_CHANGE_H_
#define WEIR_SERVICE_GRAPH_CHANGE_H_

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "service/nodes.h"

namespace weir::service {

// The processors of one lane that lives on.
struct LaneChange {
  ProcessorChain chain;                              // Kept and made.
  std::vector<std::unique_ptr<ProcessorNode>> made;  // Those of the chain that are new.
  std::size_t batch_moved = ~std::size_t{0};
};

// One pipeline of the new configuration.
struct PipelineChange {
  PipelineNode* node = nullptr;
  std::unique_ptr<PipelineNode> made;  // Null when `node` is the graph's and stays.
  PipelineConfig config;

  // Of one that stays. Empty when its lanes stay as they are.
  std::vector<LaneChange> lanes;
  std::optional<PipelineEdges> edges;  // New ones, where they differ.
};

// New targets of a door that stays.
struct DoorChange {
  DoorNode* door = nullptr;
  std::vector<BatchSink*> targets;
  std::unique_ptr<pipeline::ForkDoor> fork;
};

struct GraphChange {
  // Made anew; those of the graph with the same id, and those in `removed`, end.
  std::map<ComponentId, std::unique_ptr<ReceiverNode>> receivers;
  std::map<ComponentId, std::unique_ptr<ExporterNode>> exporters;
  std::map<ComponentId, std::unique_ptr<ConnectorNode>> connectors;
  std::set<ComponentId> receivers_kept;
  std::set<ComponentId> exporters_kept;
  std::set<ComponentId> connectors_kept;

  std::vector<PipelineChange> pipelines;  // All of them, downstream first.
  std::vector<DoorChange> doors;
};

}  // namespace weir::service

#endif  // WEIR_SERVICE_GRAPH_CHANGE_H_

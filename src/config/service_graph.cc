#include "config/service_graph.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"

namespace weir {

namespace {

// Pipelines by index; a connector may stand on both sides of many.
struct ConnectorUse {
  const ComponentEntry* connector = nullptr;
  const KnownComponent* type = nullptr;  // Null: unknown, so anything may go.
  std::vector<std::size_t> sources;      // Pipelines that end in it.
  std::vector<std::size_t> targets;      // Pipelines that begin with it.
};

struct Edge {
  std::size_t target;
  const ComponentEntry* connector;
};

bool Converts(const ConnectorUse& use, PipelineSignal from, PipelineSignal to) {
  if (use.type == nullptr) {
    return true;
  }
  if (!use.type->signals.Has(from)) {
    return false;
  }
  return use.type->outputs.empty() ? from == to : use.type->outputs.Has(to);
}

class ConnectorChecks {
 public:
  ConnectorChecks(const ServiceConfig& config, const KnownComponents& known, ConfigErrors& errors)
      : config_(config), errors_(errors), edges_(config.pipelines.size()) {
    for (const ComponentEntry& entry : config.Of(ComponentSection::kConnectors)) {
      uses_[entry.id].connector = &entry;
      uses_[entry.id].type = known.Find(ComponentSection::kConnectors, entry.id.type);
    }
    for (std::size_t i = 0; i < config.pipelines.size(); ++i) {
      Note(config.pipelines[i].exporters, i, &ConnectorUse::sources);
      Note(config.pipelines[i].receivers, i, &ConnectorUse::targets);
    }
  }

  void Run() {
    for (const auto& [id, use] : uses_) {
      CheckSides(use);
      AddEdges(use);
    }
    FindCycles();
  }

 private:
  void Note(const std::vector<ComponentId>& ids, std::size_t pipeline,
            std::vector<std::size_t> ConnectorUse::*side) {
    for (const ComponentId& id : ids) {
      if (const auto use = uses_.find(id); use != uses_.end()) {
        (use->second.*side).push_back(pipeline);
      }
    }
  }

  const PipelineConfig& At(std::size_t pipeline) const { return config_.pipelines[pipeline]; }

  void Report(std::size_t pipeline, const std::string& message) {
    errors_.Add(At(pipeline).mark, "service::pipelines::" + At(pipeline).ToString(), message);
  }

  void CheckSides(const ConnectorUse& use) {
    const std::string id = use.connector->id.ToString();
    if (use.sources.empty() != use.targets.empty()) {
      const std::size_t pipeline = use.sources.empty() ? use.targets[0] : use.sources[0];
      Report(pipeline,
             use.sources.empty()
                 ? fmt::format("begins with the connector `{}`, which is among the exporters of no "
                               "pipeline",
                               id)
                 : fmt::format("ends in the connector `{}`, which is among the receivers of no "
                               "pipeline",
                               id));
      return;
    }
    for (const std::size_t source : use.sources) {
      const bool fits = std::ranges::any_of(use.targets, [&](std::size_t target) {
        return Converts(use, At(source).signal, At(target).signal);
      });
      if (!fits) {
        Report(source, fmt::format("ends in the connector `{}`, which makes of {} nothing that a "
                                   "pipeline beginning with it takes",
                                   id, PipelineSignalName(At(source).signal)));
      }
    }
    for (const std::size_t target : use.targets) {
      const bool fits = std::ranges::any_of(use.sources, [&](std::size_t source) {
        return Converts(use, At(source).signal, At(target).signal);
      });
      if (!fits) {
        Report(target, fmt::format("begins with the connector `{}`, which makes no {} of what the "
                                   "pipelines ending in it carry",
                                   id, PipelineSignalName(At(target).signal)));
      }
    }
  }

  void AddEdges(const ConnectorUse& use) {
    for (const std::size_t source : use.sources) {
      for (const std::size_t target : use.targets) {
        if (Converts(use, At(source).signal, At(target).signal)) {
          edges_[source].push_back({target, use.connector});
        }
      }
    }
  }

  // Depth first without recursion; an edge back into the current path closes a cycle.
  void FindCycles() {
    enum class State : std::uint8_t { kNew, kOnPath, kDone };
    std::vector<State> states(edges_.size(), State::kNew);
    struct Step {
      std::size_t pipeline;
      std::size_t next_edge;
    };
    for (std::size_t start = 0; start < edges_.size(); ++start) {
      if (states[start] != State::kNew) {
        continue;
      }
      std::vector<Step> path = {{start, 0}};
      states[start] = State::kOnPath;
      while (!path.empty()) {
        Step& step = path.back();
        if (step.next_edge == edges_[step.pipeline].size()) {
          states[step.pipeline] = State::kDone;
          path.pop_back();
          continue;
        }
        const Edge edge = edges_[step.pipeline][step.next_edge++];
        if (states[edge.target] == State::kOnPath) {
          std::string text = At(edge.target).ToString();
          auto from = std::ranges::find(path, edge.target, &Step::pipeline);
          for (; from != path.end(); ++from) {
            const Edge& taken = edges_[from->pipeline][from->next_edge - 1];
            text += fmt::format(" -> {} -> {}", taken.connector->id.ToString(),
                                At(taken.target).ToString());
          }
          Report(edge.target, "feeds itself: " + text);
        } else if (states[edge.target] == State::kNew) {
          states[edge.target] = State::kOnPath;
          path.push_back({edge.target, 0});
        }
      }
    }
  }

  const ServiceConfig& config_;
  ConfigErrors& errors_;
  std::map<ComponentId, ConnectorUse> uses_;
  std::vector<std::vector<Edge>> edges_;  // By source pipeline.
};

}  // namespace

void CheckConnectors(const ServiceConfig& config, const KnownComponents& known,
                     ConfigErrors& errors) {
  ConnectorChecks(config, known, errors).Run();
}

}  // namespace weir

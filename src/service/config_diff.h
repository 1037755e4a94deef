// ConfigDiff says what a reload from one configuration to another touches, and why.
//
// Options are compared by their meaning: read into their fields, so that a default that is written
// out, another name of an option, or another order makes no difference. What depends on something
// that changed (a receiver on its authenticator) has changed as well.
//
// Threads: plain values and pure functions.

#ifndef WEIR_SERVICE_CONFIG_DIFF_H_
#define WEIR_SERVICE_CONFIG_DIFF_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/component/registry.h"
#include "weir/config/service_config.h"

namespace weir::service {

enum class Change : std::uint8_t { kAdded, kRemoved, kChanged };
std::string_view ChangeName(Change change);  // "added", ...

// A component that runs in at least one of the two.
struct ComponentChange {
  ComponentSection section = ComponentSection::kReceivers;
  ComponentId id;
  Change change = Change::kChanged;
  std::string reason;  // Of kChanged: the options that differ, or what it depends on.
};

// A pipeline whose own lines differ, or one that a component of another kind of change goes
// through.
struct PipelineChangeNote {
  std::string name;
  Change change = Change::kChanged;
  std::string reason;
};

struct ConfigDiff {
  std::vector<ComponentChange> components;  // By section, then id.
  std::vector<PipelineChangeNote> pipelines;
  std::vector<std::string> service;  // Paths below `service` that differ.

  bool empty() const { return components.empty() && pipelines.empty() && service.empty(); }
  // True when the component has to be made anew (or is gone).
  bool Touches(ComponentSection section, const ComponentId& id) const {
    return Find(section, id) != nullptr;
  }
  const ComponentChange* Find(ComponentSection section, const ComponentId& id) const;

  // "receivers::otlp changed (protocols::grpc::endpoint), pipelines::logs added": one line.
  std::string Summary() const;
  std::string ToText() const;  // A line a change.
  std::string ToJson() const;
};

ConfigDiff DiffConfigs(const ServiceConfig& before, const ServiceConfig& after,
                       const Registry& registry);

// A fingerprint of what print-config shows, the same in every process: secrets are not in it.
std::string HashConfig(const ConfigNode& root, const KnownComponents& known);

}  // namespace weir::service

#endif  // WEIR_SERVICE_CONFIG_DIFF_H_

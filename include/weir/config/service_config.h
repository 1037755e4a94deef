// ServiceConfig is a whole configuration, checked: which components there are, which pipelines they
// form, and what the daemon says about itself. ParseServiceConfig reports everything that is wrong
// in one pass: unknown components and options, dangling references, signals that do not fit,
// cycles.
//
// Which components exist is told from outside, so this knows no component.
//
// Threads: plain values and pure functions.

#ifndef WEIR_CONFIG_SERVICE_CONFIG_H_
#define WEIR_CONFIG_SERVICE_CONFIG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/config/errors.h"
#include "weir/config/fields.h"
#include "weir/config/node.h"
#include "weir/config/service_telemetry.h"

namespace weir {

// The top-level maps of components, in the order in which they are read.
enum class ComponentSection : std::uint8_t {
  kReceivers,
  kProcessors,
  kExporters,
  kConnectors,
  kExtensions
};
inline constexpr std::size_t kComponentSectionCount = 5;
std::string_view SectionName(ComponentSection section);    // "receivers"
std::string_view SectionMember(ComponentSection section);  // "receiver"

enum class PipelineSignal : std::uint8_t { kTraces, kMetrics, kLogs };
std::string_view PipelineSignalName(PipelineSignal signal);

// A set of signals, one bit each in the order of the enumeration.
struct PipelineSignals {
  std::uint8_t bits = 0;
  constexpr bool Has(PipelineSignal signal) const {
    return (bits >> static_cast<unsigned>(signal) & 1) != 0;
  }
  constexpr bool empty() const { return bits == 0; }
  bool operator==(const PipelineSignals&) const = default;
};
inline constexpr PipelineSignals kEverySignal = {7};

struct KnownComponent {
  std::string type;                    // The name the documentation leads with.
  std::vector<std::string> aliases;    // Other names of the same, such as `otlphttp`.
  PipelineSignals signals;             // Of a connector: what it consumes. Of an extension: none.
  PipelineSignals outputs;             // Of a connector: what it makes; empty: what it consumed.
  const StructType* config = nullptr;  // Its options; null leaves them unchecked.
};

class KnownComponents {
 public:
  // REQUIRES: neither the type nor an alias is taken in this section.
  void Add(ComponentSection section, KnownComponent component);

  // By type or alias; null when there is none. Valid until the next Add.
  const KnownComponent* Find(ComponentSection section, std::string_view type) const;
  const std::vector<KnownComponent>& List(ComponentSection section) const {
    return components_[static_cast<std::size_t>(section)];
  }
  std::vector<std::string> Names(ComponentSection section) const;  // Aliases included.

 private:
  std::array<std::vector<KnownComponent>, kComponentSectionCount> components_;
};

// One component as configured. Its options have been checked, but not kept: it reads them itself.
struct ComponentEntry {
  ComponentId id;    // As written, which is what its metrics are labelled with.
  std::string type;  // The leading name of its type.
  ConfigNode options;
  SourceMark mark;
  std::string path;   // `receivers::otlp/2`
  bool used = false;  // By a pipeline, or by service::extensions.
};

struct PipelineConfig {
  PipelineSignal signal = PipelineSignal::kTraces;
  std::string name;  // `2` of `traces/2`; empty without.

  // Ids as their section writes them; a receiver or exporter may be a connector.
  std::vector<ComponentId> receivers;
  std::vector<ComponentId> processors;
  std::vector<ComponentId> exporters;
  std::optional<std::uint32_t> lanes;  // Unset: one, on its producers' threads.

  SourceMark mark;

  std::string ToString() const;  // `traces/2`
};

struct ServiceConfig {
  static constexpr std::uint32_t kLanesMax = 256;

  std::array<std::vector<ComponentEntry>, kComponentSectionCount> components;
  std::vector<ComponentId> extensions;  // Those that run, in the order they start.
  std::vector<PipelineConfig> pipelines;
  ServiceTelemetry telemetry;
  // How long the drain at the end may take.
  Duration shutdown_timeout = std::chrono::seconds(30);

  const std::vector<ComponentEntry>& Of(ComponentSection section) const {
    return components[static_cast<std::size_t>(section)];
  }
  // Null when there is none.
  const ComponentEntry* Find(ComponentSection section, const ComponentId& id) const;
};

// The result is to be used only if nothing was added to `errors`.
ServiceConfig ParseServiceConfig(const ConfigNode& root, const KnownComponents& known,
                                 ConfigErrors& errors);

// JSON Schema (draft 2020-12) of a whole configuration: what editors complete from.
std::string RenderSchema(const KnownComponents& known);

// The merged configuration as YAML, each value with its origin behind it and secrets redacted:
// those the option tables know, and in components without a table whatever is called like one.
std::string RenderEffective(const ConfigNode& root, const KnownComponents& known);

// The option table of the service section, for the reference documentation.
std::string RenderServiceTable();

}  // namespace weir

#endif  // WEIR_CONFIG_SERVICE_CONFIG_H_

// A factory is a value, not a class to inherit from: what the component is called, which signals it
// carries, how its options read, how to build it. The registry is a list of these values.
//
//   ExporterFactory Factory() {
//     return MakeExporterFactory<Config, NopExporter>(
//         {.type = "nop", .signals = kAllSignals, .stability = Stability::kBeta});
//   }

#ifndef WEIR_COMPONENT_FACTORY_H_
#define WEIR_COMPONENT_FACTORY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/component/connector.h"
#include "weir/component/exporter.h"
#include "weir/component/exporter_settings.h"
#include "weir/component/extension.h"
#include "weir/component/processor.h"
#include "weir/component/receiver.h"
#include "weir/config/fields.h"

namespace weir {

enum class ComponentKind : std::uint8_t {
  kReceiver,
  kProcessor,
  kExporter,
  kConnector,
  kExtension
};
std::string_view ComponentKindName(ComponentKind kind);  // "receiver", ...

enum class Stability : std::uint8_t { kDevelopment, kAlpha, kBeta, kStable };
std::string_view StabilityName(Stability stability);

// A set of signals, one bit each.
struct SignalSet {
  std::uint8_t bits = 0;
  constexpr bool Has(Signal signal) const { return (bits >> SignalIndex(signal) & 1) != 0; }
  bool operator==(const SignalSet&) const = default;
};
constexpr SignalSet SignalsOf(std::initializer_list<Signal> signals) {
  SignalSet set;
  for (const Signal signal : signals) {
    set.bits = static_cast<std::uint8_t>(set.bits | 1U << SignalIndex(signal));
  }
  return set;
}
inline constexpr SignalSet kAllSignals =
    SignalsOf({Signal::kTraces, Signal::kMetrics, Signal::kLogs});

struct FactoryInfo {
  std::string_view type;                    // The YAML key; the new one where it was renamed.
  std::vector<std::string_view> aliases{};  // Other keys that mean the same.
  SignalSet signals{};  // For an extension: none. For a connector: what it consumes.
  Stability stability = Stability::kDevelopment;
  std::string_view folder{};  // Below src/<kind>s/, where it is not the type.
  SignalSet outputs{};        // For a connector: what it produces; empty: the same as it consumes.

  // Filled in by the Make functions.
  ComponentKind kind = ComponentKind::kReceiver;
  const StructType* config = nullptr;  // The field table.
};

struct ReceiverFactory {
  FactoryInfo info;
  absl::StatusOr<std::unique_ptr<Receiver>> (*create)(const ConfigNode& node,
                                                      const std::string& path,
                                                      const ReceiverContext& context);
};

struct ProcessorFactory {
  FactoryInfo info;
  absl::StatusOr<std::unique_ptr<Processor>> (*create)(const ConfigNode& node,
                                                       const std::string& path,
                                                       const ProcessorContext& context);
};

struct ExporterFactory {
  FactoryInfo info;
  // The settings of the stack around the exporter, from the same options.
  absl::StatusOr<ExporterSettings> (*settings)(const ConfigNode& node, const std::string& path);
  absl::StatusOr<std::unique_ptr<Exporter>> (*create)(const ConfigNode& node,
                                                      const std::string& path,
                                                      const ExporterContext& context);
};

struct ConnectorFactory {
  FactoryInfo info;
  absl::StatusOr<std::unique_ptr<Connector>> (*create)(const ConfigNode& node,
                                                       const std::string& path,
                                                       const ConnectorContext& context);
};

struct ExtensionFactory {
  FactoryInfo info;
  absl::StatusOr<std::unique_ptr<Extension>> (*create)(const ConfigNode& node,
                                                       const std::string& path,
                                                       const ComponentContext& context);
};

namespace internal {

template <ComponentConfig Config>
absl::StatusOr<Config> ReadForCreate(const ConfigNode& node, const std::string& path) {
  ConfigErrors errors;
  Config config = ReadConfig<Config>(node, path, errors);
  if (!errors.ok()) {
    return errors.ToStatus();
  }
  return config;
}

// A component is made by its own `static absl::StatusOr<std::unique_ptr<C>> Create(Config, const
// Context&)` where it has one (something can be wrong that validation cannot see), otherwise by its
// constructor from the same arguments.
template <typename C, typename Base, typename Config, typename Context>
absl::StatusOr<std::unique_ptr<Base>> Create(const ConfigNode& node, const std::string& path,
                                             const Context& context) {
  absl::StatusOr<Config> config = ReadForCreate<Config>(node, path);
  if (!config.ok()) {
    return config.status();
  }
  if constexpr (requires { C::Create(*std::move(config), context); }) {
    absl::StatusOr<std::unique_ptr<C>> created = C::Create(*std::move(config), context);
    if (!created.ok()) {
      return created.status();
    }
    return *std::move(created);
  } else {
    return std::make_unique<C>(*std::move(config), context);
  }
}

template <typename Config>
FactoryInfo Complete(FactoryInfo info, ComponentKind kind) {
  info.kind = kind;
  info.config = &StructTypeOf<Config>();
  if (info.folder.empty()) {
    info.folder = info.type;
  }
  return info;
}

}  // namespace internal

template <ComponentConfig Config, std::derived_from<Receiver> C>
ReceiverFactory MakeReceiverFactory(FactoryInfo info) {
  return {.info = internal::Complete<Config>(std::move(info), ComponentKind::kReceiver),
          .create = internal::Create<C, Receiver, Config, ReceiverContext>};
}

template <ComponentConfig Config, std::derived_from<Processor> C>
ProcessorFactory MakeProcessorFactory(FactoryInfo info) {
  return {.info = internal::Complete<Config>(std::move(info), ComponentKind::kProcessor),
          .create = internal::Create<C, Processor, Config, ProcessorContext>};
}

template <ComponentConfig Config, std::derived_from<Exporter> C>
requires requires(Config config) {
  { config.settings } -> std::same_as<ExporterSettings&>;
}
ExporterFactory MakeExporterFactory(FactoryInfo info) {
  return {.info = internal::Complete<Config>(std::move(info), ComponentKind::kExporter),
          .settings = [](const ConfigNode& node,
                         const std::string& path) -> absl::StatusOr<ExporterSettings> {
            absl::StatusOr<Config> config = internal::ReadForCreate<Config>(node, path);
            if (!config.ok()) {
              return config.status();
            }
            return config->settings;
          },
          .create = internal::Create<C, Exporter, Config, ExporterContext>};
}

template <ComponentConfig Config, std::derived_from<Connector> C>
ConnectorFactory MakeConnectorFactory(FactoryInfo info) {
  return {.info = internal::Complete<Config>(std::move(info), ComponentKind::kConnector),
          .create = internal::Create<C, Connector, Config, ConnectorContext>};
}

template <ComponentConfig Config, std::derived_from<Extension> C>
ExtensionFactory MakeExtensionFactory(FactoryInfo info) {
  return {.info = internal::Complete<Config>(std::move(info), ComponentKind::kExtension),
          .create = internal::Create<C, Extension, Config, ComponentContext>};
}

}  // namespace weir

#endif  // WEIR_COMPONENT_FACTORY_H_

// Commands that show something and end: validate, print-config, components, schema, version.

#include <cstdio>
#include <string>

#include "app/commands.h"
#include "app/config_source.h"
#include "fmt/format.h"
#include "service/service.h"
#include "weir/config/service_config.h"

namespace weir::app {

int Validate(const Registry& registry, const ConfigOptions& options) {
  const std::optional<CheckedConfig> config = LoadChecked(registry, options);
  if (!config.has_value()) {
    return kExitConfig;
  }
  fmt::print("the configuration is valid: {} pipelines\n", config->service.pipelines.size());
  return kExitOk;
}

int PrintConfig(const Registry& registry, const ConfigOptions& options) {
  const std::optional<CheckedConfig> config = LoadChecked(registry, options);
  if (!config.has_value()) {
    return kExitConfig;
  }
  fmt::print("{}", RenderEffective(config->root, service::DescribeComponents(registry)));
  return kExitOk;
}

int ListComponents(const Registry& registry) {
  for (const ComponentKind kind :
       {ComponentKind::kReceiver, ComponentKind::kProcessor, ComponentKind::kExporter,
        ComponentKind::kConnector, ComponentKind::kExtension}) {
    fmt::print("{}s:\n", ComponentKindName(kind));
    for (const FactoryInfo* info : registry.List(kind)) {
      std::string signals;
      for (const Signal signal : kSignals) {
        if (info->signals.Has(signal)) {
          signals += signals.empty() ? "" : ", ";
          signals += SignalName(signal);
        }
      }
      std::string aliases;
      for (const std::string_view alias : info->aliases) {
        aliases += aliases.empty() ? " (also " : ", ";
        aliases += alias;
      }
      if (!aliases.empty()) {
        aliases += ")";
      }
      fmt::print("  - name: {}{}\n    stability: {}\n", info->type, aliases,
                 StabilityName(info->stability));
      if (!signals.empty()) {
        fmt::print("    signals: [{}]\n", signals);
      }
    }
  }
  return kExitOk;
}

int PrintSchema(const Registry& registry) {
  fmt::print("{}", RenderSchema(service::DescribeComponents(registry)));
  return kExitOk;
}

int PrintVersion() {
  fmt::print("weir {} ({})\n", Version(), Revision());
  return kExitOk;
}

}  // namespace weir::app

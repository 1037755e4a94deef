// Commands that show something and end: validate, print-config, diff, components, schema, version.

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "app/commands.h"
#include "app/config_source.h"
#include "fmt/format.h"
#include "service/service.h"
#include "weir/config/service_config.h"

namespace weir::app {

int Validate(const Registry& registry, const ConfigOptions& options) {
  std::optional<CheckedConfig> config = LoadChecked(registry, options);
  if (!config.has_value()) {
    return kExitConfig;
  }
  const std::size_t pipelines = config->service.pipelines.size();
  // Making the components finds what only they can see (a pattern that does not compile); nothing
  // is opened but the log, which stays on the terminal.
  config->service.telemetry.logs.output_paths = {"stderr"};
  const absl::StatusOr<std::unique_ptr<service::Service>> service =
      service::Service::Create({.config = std::move(config->service),
                                .root = std::move(config->root),
                                .registry = &registry,
                                .version = Version(),
                                .revision = Revision(),
                                .on_fatal = nullptr});
  if (!service.ok()) {
    fmt::print(stderr, "error: {}\n", std::string(service.status().message()));
    return kExitConfig;
  }
  for (const std::string& note : (*service)->graph().Notes()) {
    fmt::print(stderr, "warning: {}\n", note);
  }
  fmt::print("the configuration is valid: {} pipelines\n", pipelines);
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

int Diff(const Registry& registry, const DiffOptions& options) {
  const std::optional<CheckedConfig> before =
      LoadChecked(registry, {.locations = {options.before}});
  const std::optional<CheckedConfig> after = LoadChecked(registry, {.locations = {options.after}});
  if (!before.has_value() || !after.has_value()) {
    return kExitConfig;
  }
  const service::ConfigDiff diff = service::DiffConfigs(before->service, after->service, registry);
  fmt::print("{}", options.json ? diff.ToJson() : diff.ToText());
  return diff.empty() ? kExitOk : kExitDifferent;
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

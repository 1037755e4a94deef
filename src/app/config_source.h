// Loads and checks the configuration that a command line names, and shows what is wrong with it.

#ifndef WEIR_APP_CONFIG_SOURCE_H_
#define WEIR_APP_CONFIG_SOURCE_H_

#include <optional>

#include "app/commands.h"
#include "weir/config/node.h"
#include "weir/config/service_config.h"

namespace weir::app {

struct CheckedConfig {
  ConfigNode root;
  ServiceConfig service;
};

// Errors and warnings go to stderr, all of them. nullopt when there was an error.
std::optional<CheckedConfig> LoadChecked(const Registry& registry, const ConfigOptions& options);

}  // namespace weir::app

#endif  // WEIR_APP_CONFIG_SOURCE_H_

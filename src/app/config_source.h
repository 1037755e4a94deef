// Loads and checks the configuration that a command line names, and shows what is wrong with it.

#ifndef WEIR_APP_CONFIG_SOURCE_H_
#define WEIR_APP_CONFIG_SOURCE_H_

#include <map>
#include <optional>
#include <string>

#include "app/commands.h"
#include "weir/config/node.h"
#include "weir/config/service_config.h"

namespace weir::app {

// What a file was when it was looked at; equal while it has not changed. It follows symbolic links,
// so a link that is switched over makes a difference.
struct FileVersion {
  std::uint64_t device = 0;  // All 0: there is no such file.
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t changed_ns = 0;

  static FileVersion Of(const std::string& path);
  bool operator==(const FileVersion&) const = default;
};
using FileVersions = std::map<std::string, FileVersion>;

struct CheckedConfig {
  ConfigNode root;
  ServiceConfig service;
};

struct ConfigLoad {
  std::optional<CheckedConfig> config;  // nullopt when there was an error.
  std::string report;  // Errors and warnings, all of them, as `validate` prints them.
  FileVersions files;  // What was read, each as it was just before.
};
ConfigLoad LoadAndCheck(const Registry& registry, const ConfigOptions& options);

// Errors and warnings go to stderr, all of them. nullopt when there was an error.
std::optional<CheckedConfig> LoadChecked(const Registry& registry, const ConfigOptions& options);

}  // namespace weir::app

#endif  // WEIR_APP_CONFIG_SOURCE_H_

// LoadConfig reads a whole configuration: every location in order, merged, overridden from the
// command line, with references expanded.
//
// Locations
//   path, file:path      a file
//   env:NAME             the text of an environment variable
//   yaml:TEXT            the text itself; `yaml:processors::batch::timeout: 2s`
//   http://, https://    fetched by the function the caller gives
// Later ones win: maps are merged key by key, everything else is replaced. A key `a::b` is `b`
// inside `a`.
//
// References in any value, as the Collector has them
//   ${env:NAME}  ${env:NAME:-default}  ${NAME}  ${file:path}  ${yaml:text}  ${https://...}
// A value that is one reference as a whole takes the type that its text has as YAML, even a map or
// a list; inside a longer text a reference is replaced by its text. References nest and what they
// bring is expanded again. `$$` is a dollar sign; a dollar sign before anything but `{` is itself.
// An unset variable is empty, with a warning. Two things the Collector refuses work here:
// `${NAME:-default}`, and a reference after an escaped one in the same text.
//
// Threads: none; all outside access goes through ConfigWorld.

#ifndef WEIR_CONFIG_LOADER_H_
#define WEIR_CONFIG_LOADER_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/config/errors.h"
#include "weir/config/node.h"

namespace weir {

// What a configuration may look at. Injected, so that a load in a test depends on nothing outside.
struct ConfigWorld {
  // nullopt when the variable is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<absl::StatusOr<std::string>(const std::string& path)> read_file;
  // May be empty: then http and https are errors.
  std::function<absl::StatusOr<std::string>(const std::string& url)> fetch;
};

struct LoadRequest {
  std::vector<std::string> locations;  // `--config`, in order.
  std::vector<std::string> overrides;  // `--set`: `processors.batch.timeout=2s`.
};

struct LoadedConfig {
  ConfigNode root;                 // Null when a location could not be read or parsed.
  std::vector<std::string> files;  // Every file that was read: what a reload watches.
};

LoadedConfig LoadConfig(const LoadRequest& request, const ConfigWorld& world, ConfigErrors& errors);

// Reads at most kConfigBytesMax from disk: the `read_file` of the daemon.
absl::StatusOr<std::string> ReadConfigFile(const std::string& path);

// `over` laid over `base`: maps by key, everything else replaced.
ConfigNode MergeConfig(const ConfigNode& base, const ConfigNode& over);

}  // namespace weir

#endif  // WEIR_CONFIG_LOADER_H_

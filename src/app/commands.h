// One function a command. Each takes what the command line said and returns the exit code.
//
//   0  done                       1  configuration is wrong
//   2  wrong command line         3  start-up failed (a port is taken, a file cannot be opened)
//   4  a component could not go on while running
//   5  shutdown gave up on data after shutdown_timeout
//   6  `load` sent items that were not acknowledged
//   7  `diff` found a difference
//   8  `journal verify` or `journal export` found damage

#ifndef WEIR_APP_COMMANDS_H_
#define WEIR_APP_COMMANDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "weir/component/registry.h"

namespace weir::app {

enum ExitCode : int {
  kExitOk = 0,
  kExitConfig = 1,
  kExitUsage = 2,
  kExitStart = 3,
  kExitFatal = 4,
  kExitDataLost = 5,
  kExitUnacknowledged = 6,
  kExitDifferent = 7,
  kExitDamaged = 8,
};

struct ConfigOptions {
  std::vector<std::string> locations;  // --config, in order.
  std::vector<std::string> overrides;  // --set
  std::string feature_gates;           // --feature-gates
};

struct RunOptions {
  bool watch = false;  // --watch: a changed file reloads the configuration.
};

struct DiffOptions {
  std::string before;
  std::string after;
  bool json = false;
};

int Run(const Registry& registry, const ConfigOptions& options, const RunOptions& run);
int Diff(const Registry& registry, const DiffOptions& options);
int Validate(const Registry& registry, const ConfigOptions& options);
int PrintConfig(const Registry& registry, const ConfigOptions& options);
int ListComponents(const Registry& registry);
int PrintSchema(const Registry& registry);
int PrintVersion();
int PrintCompletion(const std::string& shell);

// "0.1.0" and the commit it was built from.
const char* Version();
const char* Revision();

}  // namespace weir::app

#endif  // WEIR_APP_COMMANDS_H_

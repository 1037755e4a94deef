// The `load` command: its options on the command line, and its run on a terminal.

#ifndef WEIR_APP_LOAD_H_
#define WEIR_APP_LOAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace weir::app {

// As the command line says it; what is not text here goes into `options` as it is.
struct LoadArguments {
  load::LoadOptions options;
  std::string protocol = "grpc";
  std::string signal = "traces";
  std::string item_size = "200";
  std::string duration;  // Empty: 10s, unless a count bounds the run.
  std::string timeout = "10s";
  std::string drain_timeout = "30s";
  std::string compression = "none";
  std::vector<std::string> headers;
  std::optional<std::uint64_t> seed;  // Unset: another one each time.
  bool insecure = false;
  bool tls = false;
  bool json = false;
};

void AddLoadOptions(CLI::App& command, LoadArguments& arguments);

// kExitOk when every item was acknowledged.
int Load(const LoadArguments& arguments);

}  // namespace weir::app

#endif  // WEIR_APP_LOAD_H_

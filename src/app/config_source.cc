#include "app/config_source.h"

#include <cstdio>
#include <cstdlib>

#include "fmt/format.h"
#include "net/http_client.h"
#include "service/service.h"
#include "weir/config/errors.h"
#include "weir/config/loader.h"

namespace weir::app {
namespace {

ConfigWorld RealWorld() {
  return {.variable = [](const std::string& name) -> std::optional<std::string> {
            const char* const value = std::getenv(name.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          },
          .read_file = ReadConfigFile,
          .fetch = [](const std::string& url) { return net::FetchUrl(url); }};
}

}  // namespace

std::optional<CheckedConfig> LoadChecked(const Registry& registry, const ConfigOptions& options) {
  ConfigErrors errors;
  if (!options.feature_gates.empty()) {
    errors.Warn({}, "--feature-gates", "accepted without effect: there are no feature gates");
  }
  CheckedConfig checked;
  checked.root = LoadConfig({.locations = options.locations, .overrides = options.overrides},
                            RealWorld(), errors)
                     .root;
  if (errors.ok()) {
    checked.service =
        ParseServiceConfig(checked.root, service::DescribeComponents(registry), errors);
  }
  fmt::print(stderr, "{}", errors.Render());
  if (!errors.ok()) {
    fmt::print(stderr, "{} {} in the configuration\n", errors.error_count(),
               errors.error_count() == 1 ? "error" : "errors");
    return std::nullopt;
  }
  return checked;
}

}  // namespace weir::app

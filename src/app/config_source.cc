#include "app/config_source.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "fmt/format.h"
#include "net/http_client.h"
#include "service/service.h"
#include "weir/config/errors.h"
#include "weir/config/loader.h"

namespace weir::app {
namespace {

ConfigWorld RealWorld(FileVersions& files) {
  return {.variable = [](const std::string& name) -> std::optional<std::string> {
            const char* const value = std::getenv(name.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          },
          .read_file =
              [&files](const std::string& path) {
                files.emplace(path, FileVersion::Of(path));
                return ReadConfigFile(path);
              },
          .fetch = [](const std::string& url) { return net::FetchUrl(url); }};
}

}  // namespace

FileVersion FileVersion::Of(const std::string& path) {
  struct stat seen {};
  if (::stat(path.c_str(), &seen) != 0) {
    return {};
  }
  return {.device = seen.st_dev,
          .inode = seen.st_ino,
          .size = static_cast<std::uint64_t>(seen.st_size),
          .changed_ns = std::int64_t{seen.st_ctim.tv_sec} * 1'000'000'000 + seen.st_ctim.tv_nsec};
}

ConfigLoad LoadAndCheck(const Registry& registry, const ConfigOptions& options) {
  ConfigErrors errors;
  if (!options.feature_gates.empty()) {
    errors.Warn({}, "--feature-gates", "accepted without effect: there are no feature gates");
  }
  ConfigLoad load;
  CheckedConfig checked;
  checked.root = LoadConfig({.locations = options.locations, .overrides = options.overrides},
                            RealWorld(load.files), errors)
                     .root;
  if (errors.ok()) {
    checked.service =
        ParseServiceConfig(checked.root, service::DescribeComponents(registry), errors);
  }
  load.report = errors.Render();
  if (errors.ok()) {
    load.config = std::move(checked);
  } else {
    load.report += fmt::format("{} {} in the configuration\n", errors.error_count(),
                               errors.error_count() == 1 ? "error" : "errors");
  }
  return load;
}

std::optional<CheckedConfig> LoadChecked(const Registry& registry, const ConfigOptions& options) {
  ConfigLoad load = LoadAndCheck(registry, options);
  fmt::print(stderr, "{}", load.report);
  return std::move(load.config);
}

}  // namespace weir::app

// Loads any bytes as a configuration, with references enabled, and holds the loader to its word:
// no crash, no hang, bounded memory, and what is written back is read as the same values.
//
// How it works:
//   1. The first line, if it starts with `#env `, becomes the value of every variable, so that the
//      fuzzer reaches what references bring.
//   2. The rest is loaded as a file that may include itself.
//   3. A result is rendered (YAML and JSON), parsed again, and compared.
//   4. Then it is taken for the configuration of a service that has a few components.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "weir/base/check.h"
#include "weir/config/loader.h"
#include "weir/config/render.h"
#include "weir/config/service_config.h"
#include "weir/config/yaml.h"

namespace {

std::optional<weir::ConfigNode> Reparse(const std::string& text) {
  weir::ConfigErrors errors;
  return weir::ParseYaml(
      std::make_shared<const weir::ConfigSource>(weir::ConfigSource{"again", text}), errors);
}

weir::KnownComponents Known() {
  using weir::ComponentSection;
  weir::KnownComponents known;
  const weir::StructType* options = &weir::StructTypeOf<weir::ServiceTelemetry>();
  known.Add(ComponentSection::kReceivers, {"otlp", {"o"}, weir::kEverySignal, {}, options});
  known.Add(ComponentSection::kProcessors, {"batch", {}, {1}, {}, options});
  known.Add(ComponentSection::kExporters, {"debug", {"d"}, weir::kEverySignal, {}, options});
  known.Add(ComponentSection::kConnectors, {"forward", {"f"}, weir::kEverySignal, {}, nullptr});
  return known;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string variable;
  if (input.starts_with("#env ")) {
    variable = input.substr(5, input.find('\n') - 5);
  }
  const std::string text(input);
  const weir::ConfigWorld world = {
      .variable = [&variable](const std::string&) { return std::optional(variable); },
      .read_file = [&text](const std::string&) { return absl::StatusOr<std::string>(text); },
      .fetch = {},
  };
  weir::ConfigErrors errors;
  const weir::LoadedConfig loaded = weir::LoadConfig({{"fuzz.yaml"}, {}}, world, errors);
  static_cast<void>(errors.Render());
  if (!errors.ok()) {
    WEIR_CHECK(loaded.root.is_null());
    return 0;
  }
  WEIR_CHECK(loaded.root.expanded_node_count() <= 2 * weir::kConfigNodesMax);
  // A dollar sign is written as two, which ParseYaml alone does not undo.
  if (text.find('$') == std::string::npos && text.find('\\') == std::string::npos) {
    const auto again = Reparse(weir::RenderYaml(loaded.root, weir::OriginComments::kShown));
    WEIR_CHECK(again.has_value() && *again == loaded.root);
  }
  static_cast<void>(weir::RenderJson(loaded.root));
  static const weir::KnownComponents known = Known();
  static_cast<void>(weir::ParseServiceConfig(loaded.root, known, errors));
  static_cast<void>(errors.Render());
  static_cast<void>(weir::RenderEffective(loaded.root, known));
  return 0;
}

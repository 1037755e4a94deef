// Writing a ConfigNode as text: JSON for schemas, YAML for people.
//
// Threads: pure functions.

#ifndef WEIR_CONFIG_RENDER_H_
#define WEIR_CONFIG_RENDER_H_

#include <cstdint>
#include <string>

#include "weir/config/node.h"

namespace weir {

std::string RenderJson(const ConfigNode& node);  // Indented by two spaces, newline at the end.

// On one line, as YAML: `[a, 2]`, `{key: value}`, `""`, `null`.
std::string RenderFlow(const ConfigNode& node);

enum class OriginComments : std::uint8_t { kNone, kShown };

// Block style. With kShown each value carries its origin as a comment behind it:
//   timeout: 2s  # otel.yaml:4:14
//   endpoint: gateway:4317  # env:GATEWAY at otel.yaml:9:15
std::string RenderYaml(const ConfigNode& node, OriginComments origins = OriginComments::kNone);

}  // namespace weir

#endif  // WEIR_CONFIG_RENDER_H_

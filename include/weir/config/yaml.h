// ParseYaml turns one YAML text into a ConfigNode, with a mark on every key and value.
//
// Stricter than the parser below it: duplicate keys, keys that are no text, and documents past the
// limits are errors. Anchors, aliases and merge keys (`<<`) work; an alias shares its node, and
// what aliases would unfold to is bounded, so a "billion laughs" document is refused.
//
// Threads: pure function. No exception leaves it.

#ifndef WEIR_CONFIG_YAML_H_
#define WEIR_CONFIG_YAML_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "weir/config/errors.h"
#include "weir/config/node.h"

namespace weir {

// Real configurations are a few kilobytes; the limits leave room for generated ones.
inline constexpr std::size_t kConfigBytesMax = 4 << 20;
inline constexpr std::size_t kConfigNodesMax = 200'000;  // With aliases and merges unfolded.
inline constexpr std::size_t kConfigDepthMax = 100;

// nullopt after an error; an empty text is a null node.
std::optional<ConfigNode> ParseYaml(const std::shared_ptr<const ConfigSource>& source,
                                    ConfigErrors& errors);

}  // namespace weir

#endif  // WEIR_CONFIG_YAML_H_

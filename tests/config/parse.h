// Parse reads a YAML text under the name `test.yaml`; a test that gives bad YAML by mistake fails.

#ifndef WEIR_TESTS_CONFIG_PARSE_H_
#define WEIR_TESTS_CONFIG_PARSE_H_

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "weir/config/yaml.h"

namespace weir {

inline std::optional<ConfigNode> TryParse(std::string text, ConfigErrors& errors) {
  return ParseYaml(std::make_shared<const ConfigSource>(ConfigSource{"test.yaml", std::move(text)}),
                   errors);
}

inline ConfigNode Parse(std::string text) {
  ConfigErrors errors;
  const std::optional<ConfigNode> node = TryParse(std::move(text), errors);
  EXPECT_TRUE(node.has_value()) << errors.Render();
  return node.value_or(ConfigNode());
}

}  // namespace weir

#endif  // WEIR_TESTS_CONFIG_PARSE_H_

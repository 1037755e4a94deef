#include "config/schema_nodes.h"

#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"

namespace weir {

namespace {

ConfigNode ReferenceForm() {
  return ConfigNode::Map({{"type", {}, ConfigNode::String("string")},
                          {"pattern", {}, ConfigNode::String(R"(\$\{.+\})")}});
}

}  // namespace

ConfigNode SchemaOfType(std::string_view type) {
  return ConfigNode::Map({{"type", {}, ConfigNode::String(type)}});
}

ConfigNode SchemaOfTypes(std::initializer_list<std::string_view> types) {
  std::vector<ConfigNode> names;
  for (const std::string_view type : types) {
    names.push_back(ConfigNode::String(type));
  }
  return ConfigNode::Map({{"type", {}, ConfigNode::Sequence(std::move(names))}});
}

ConfigNode SchemaOfNumber(std::string_view type, const FieldLimits& limits) {
  std::vector<ConfigNode::Entry> entries = {{"type", {}, ConfigNode::String(type)}};
  if (limits.min.has_value()) {
    entries.push_back({"minimum", {}, ConfigNode::Plain(fmt::format("{}", *limits.min))});
  }
  if (limits.max.has_value()) {
    entries.push_back({"maximum", {}, ConfigNode::Plain(fmt::format("{}", *limits.max))});
  }
  return ConfigNode::Map(std::move(entries));
}

ConfigNode SchemaOfPattern(std::string_view pattern) {
  std::vector<ConfigNode> forms;
  forms.push_back(ConfigNode::Map(
      {{"type", {}, ConfigNode::String("string")}, {"pattern", {}, ConfigNode::String(pattern)}}));
  forms.push_back(SchemaOfType("integer"));
  forms.push_back(ReferenceForm());
  return ConfigNode::Map({{"anyOf", {}, ConfigNode::Sequence(std::move(forms))}});
}

ConfigNode OrReference(ConfigNode schema) {
  std::vector<ConfigNode> forms;
  forms.push_back(std::move(schema));
  forms.push_back(ReferenceForm());
  return ConfigNode::Map({{"anyOf", {}, ConfigNode::Sequence(std::move(forms))}});
}

}  // namespace weir

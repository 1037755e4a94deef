// What a whole configuration looks like from outside: its schema, and its effective form.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/redact.h"
#include "config/service_fields.h"
#include "fmt/format.h"
#include "weir/config/render.h"
#include "weir/config/service_config.h"

namespace weir {

namespace {

constexpr std::array kSections = {ComponentSection::kReceivers, ComponentSection::kProcessors,
                                  ComponentSection::kExporters, ComponentSection::kConnectors,
                                  ComponentSection::kExtensions};

using Entries = std::vector<ConfigNode::Entry>;

ConfigNode ObjectOrNull() {
  return ConfigNode::Sequence({ConfigNode::String("object"), ConfigNode::String("null")});
}

// `^(otlp_http|otlphttp)(/.+)?$`
std::string KeyPattern(const KnownComponent& component) {
  std::string names = component.type;
  for (const std::string& alias : component.aliases) {
    names += "|" + alias;
  }
  return fmt::format("^({})(/.+)?$", names);
}

ConfigNode RedactSection(ComponentSection section, const ConfigNode& node,
                         const KnownComponents& known) {
  if (!node.is_map()) {
    return node;
  }
  Entries entries(node.entries().begin(), node.entries().end());
  for (ConfigNode::Entry& entry : entries) {
    const std::optional<ComponentId> id = ParseComponentId(entry.key);
    const KnownComponent* type = id.has_value() ? known.Find(section, id->type) : nullptr;
    entry.value = type == nullptr || type->config == nullptr
                      ? RedactByName(entry.value)
                      : RedactSecrets(entry.value, *type->config);
  }
  return ConfigNode::Map(std::move(entries), node.mark());
}

}  // namespace

std::string RenderSchema(const KnownComponents& known) {
  Entries properties;
  Entries definitions;
  for (const ComponentSection section : kSections) {
    Entries patterns;
    for (const KnownComponent& component : known.List(section)) {
      const std::string name = fmt::format("{}.{}", SectionName(section), component.type);
      definitions.push_back(
          {name,
           {},
           component.config == nullptr ? ConfigNode::Map({}) : FieldSchema(*component.config)});
      patterns.push_back({KeyPattern(component),
                          {},
                          ConfigNode::Map({{"$ref", {}, ConfigNode::String("#/$defs/" + name)}})});
    }
    properties.push_back(
        {std::string(SectionName(section)),
         {},
         ConfigNode::Map({{"type", {}, ObjectOrNull()},
                          {"patternProperties", {}, ConfigNode::Map(std::move(patterns))},
                          {"additionalProperties", {}, ConfigNode::Plain("false")}})});
  }
  properties.push_back({"service", {}, FieldSchema(StructTypeOf<ServiceFields>())});
  return RenderJson(ConfigNode::Map(
      {{"$schema", {}, ConfigNode::String("https://json-schema.org/draft/2020-12/schema")},
       {"title", {}, ConfigNode::String("weir configuration")},
       {"type", {}, ConfigNode::String("object")},
       {"properties", {}, ConfigNode::Map(std::move(properties))},
       {"additionalProperties", {}, ConfigNode::Plain("false")},
       {"$defs", {}, ConfigNode::Map(std::move(definitions))}}));
}

std::string RenderEffective(const ConfigNode& root, const KnownComponents& known) {
  Entries entries(root.entries().begin(), root.entries().end());
  for (ConfigNode::Entry& entry : entries) {
    const auto section = std::ranges::find(kSections, entry.key, &SectionName);
    entry.value = section == kSections.end() ? RedactByName(entry.value)
                                             : RedactSection(*section, entry.value, known);
  }
  return RenderYaml(ConfigNode::Map(std::move(entries), root.mark()), OriginComments::kShown);
}

std::string RenderServiceTable() { return RenderFieldTable<ServiceFields>(); }

}  // namespace weir

// Lists, maps and optionals of fields.

#include <utility>

#include "weir/config/field_type.h"

namespace weir {

namespace {

constexpr int kSchemaDepthMax = 12;

std::string Plural(const std::string& name) {
  return name.ends_with('s') || name.starts_with("one of") ? name : name + "s";
}

ConfigNode WithValues(const ConfigNode& node, std::vector<ConfigNode::Entry> entries) {
  return ConfigNode::Map(std::move(entries), node.mark())
      .WithExpansion(node.expanded_from(), std::nullopt, node.mark());
}

// `a,b` as the list [a, b]: the Collector splits a string where it needs a list.
std::vector<ConfigNode> SplitAtCommas(const ConfigNode& node) {
  std::vector<ConfigNode> parts;
  std::string_view rest = node.scalar();
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    parts.push_back(ConfigNode::String(rest.substr(0, comma)).WithMark(node.mark()));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return parts;
}

}  // namespace

void ListType::Read(const ConfigNode& node, const ReadContext& context, void* target) const {
  if (node.is_null()) {
    return;
  }
  std::vector<ConfigNode> split;
  std::span<const ConfigNode> items = node.items();
  if (node.is_scalar() && Element().AsStruct() == nullptr) {
    split = SplitAtCommas(node);
    items = split;
  } else if (!node.is_sequence()) {
    context.errors.Add(
        node.mark(), context.path,
        fmt::format("expected a list, found {}", node.is_map() ? "a map" : "a value"));
    return;
  }
  Clear(target);
  std::size_t index = 0;
  for (const ConfigNode& item : items) {
    Element().Read(item,
                   {.path = fmt::format("{}[{}]", context.path, index),
                    .errors = context.errors,
                    .limits = context.limits},
                   Append(target));
    ++index;
  }
}

ConfigNode ListType::Format(const void* source, SecretPolicy policy) const {
  std::vector<ConfigNode> items;
  for (std::size_t i = 0; i < Size(source); ++i) {
    items.push_back(Element().Format(At(source, i), policy));
  }
  return ConfigNode::Sequence(std::move(items));
}

ConfigNode ListType::Schema(const FieldLimits& limits, int depth) const {
  std::vector<ConfigNode::Entry> entries = {{"type", {}, ConfigNode::String("array")}};
  if (depth < kSchemaDepthMax) {
    entries.push_back({"items", {}, Element().Schema(limits, depth + 1)});
  }
  return ConfigNode::Map(std::move(entries));
}

std::string ListType::Name() const { return "list of " + Plural(Element().Name()); }

ConfigNode ListType::Redact(const ConfigNode& node) const {
  if (node.is_scalar()) {
    return Element().Redact(node);
  }
  if (!node.is_sequence()) {
    return node;
  }
  std::vector<ConfigNode> items;
  for (const ConfigNode& item : node.items()) {
    items.push_back(Element().Redact(item));
  }
  return ConfigNode::Sequence(std::move(items), node.mark())
      .WithExpansion(node.expanded_from(), std::nullopt, node.mark());
}

void ListType::AddRows(const std::string& prefix, int depth, std::vector<FieldRow>& rows) const {
  Element().AddRows(prefix + "[]", depth + 1, rows);
}

void MapType::Read(const ConfigNode& node, const ReadContext& context, void* target) const {
  if (node.is_null()) {
    return;
  }
  if (!node.is_map()) {
    context.errors.Add(
        node.mark(), context.path,
        fmt::format("expected a map, found {}", node.is_sequence() ? "a list" : "a value"));
    return;
  }
  for (const ConfigNode::Entry& entry : node.entries()) {
    Element().Read(entry.value,
                   {.path = JoinPath(context.path, entry.key),
                    .errors = context.errors,
                    .limits = context.limits},
                   At(target, entry.key));
  }
}

ConfigNode MapType::Format(const void* source, SecretPolicy policy) const {
  std::vector<ConfigNode::Entry> entries;
  for (const auto& [key, value] : Entries(source)) {
    entries.push_back({key, {}, Element().Format(value, policy)});
  }
  return ConfigNode::Map(std::move(entries));
}

ConfigNode MapType::Schema(const FieldLimits& limits, int depth) const {
  std::vector<ConfigNode::Entry> entries = {{"type", {}, ConfigNode::String("object")}};
  if (depth < kSchemaDepthMax) {
    entries.push_back({"additionalProperties", {}, Element().Schema(limits, depth + 1)});
  }
  return ConfigNode::Map(std::move(entries));
}

std::string MapType::Name() const { return "map of " + Plural(Element().Name()); }

ConfigNode MapType::Redact(const ConfigNode& node) const {
  if (!node.is_map()) {
    return node;
  }
  std::vector<ConfigNode::Entry> entries(node.entries().begin(), node.entries().end());
  for (ConfigNode::Entry& entry : entries) {
    entry.value = Element().Redact(entry.value);
  }
  return WithValues(node, std::move(entries));
}

void MapType::AddRows(const std::string& prefix, int depth, std::vector<FieldRow>& rows) const {
  Element().AddRows(JoinPath(prefix, "<name>"), depth + 1, rows);
}

void OptionalType::Read(const ConfigNode& node, const ReadContext& context, void* target) const {
  const StructType* section = Element().AsStruct();
  if (section == nullptr) {
    if (node.is_null() && !node.expanded_text().has_value()) {
      return Reset(target);
    }
    return Element().Read(node, context, Engage(target));
  }
  const ConfigNode::Entry* enabled =
      section->HasField("enabled") ? nullptr : node.FindEntry("enabled");
  if (enabled == nullptr) {
    return Element().Read(node, context, Engage(target));
  }
  bool is_enabled = true;
  BoolFieldType().Read(enabled->value,
                       {.path = JoinPath(context.path, "enabled"), .errors = context.errors},
                       &is_enabled);
  std::vector<ConfigNode::Entry> others;
  for (const ConfigNode::Entry& entry : node.entries()) {
    if (entry.key != "enabled") {
      others.push_back(entry);
    }
  }
  if (!is_enabled && others.empty()) {
    return Reset(target);  // Nothing else is said, so nothing is missing.
  }
  // Read even when it is switched off: what is wrong in it is wrong all the same.
  Element().Read(WithValues(node, std::move(others)), context, Engage(target));
  if (!is_enabled) {
    Reset(target);
  }
}

ConfigNode OptionalType::Format(const void* source, SecretPolicy policy) const {
  const void* value = Get(source);
  if (value != nullptr) {
    return Element().Format(value, policy);
  }
  const StructType* section = Element().AsStruct();
  return section == nullptr || section->HasField("enabled")
             ? ConfigNode()
             : ConfigNode::Map({{"enabled", {}, ConfigNode::Plain("false")}});
}

ConfigNode OptionalType::Schema(const FieldLimits& limits, int depth) const {
  return Element().Schema(limits, depth);
}

std::string OptionalType::Name() const { return Element().Name(); }

ConfigNode OptionalType::Redact(const ConfigNode& node) const { return Element().Redact(node); }

void OptionalType::AddRows(const std::string& prefix, int depth,
                           std::vector<FieldRow>& rows) const {
  Element().AddRows(prefix, depth, rows);
}

}  // namespace weir

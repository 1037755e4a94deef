#include "net/header_map.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <optional>

#include "weir/base/text.h"
#include "weir/config/errors.h"

namespace weir::net {
namespace {

const std::uint8_t* Bytes(const std::string& text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::string Text(const ConfigNode& node) {
  return node.expanded_text().has_value() ? *node.expanded_text() : node.scalar();
}

void Add(HeaderMap& headers, const std::string& name, const ConfigNode& value,
         const std::string& path, ConfigErrors& errors) {
  if (!value.is_scalar() && !value.is_null()) {
    errors.Add(value.mark(), path, "a header's value must be text");
    return;
  }
  const std::string text = Text(value);
  const std::string lower = AsciiLower(name);
  if (nghttp2_check_header_name(Bytes(lower), lower.size()) == 0 || lower.front() == ':') {
    errors.Add(value.mark(), path, "\"" + name + "\" is not the name of a header");
    return;
  }
  if (nghttp2_check_header_value(Bytes(text), text.size()) == 0) {
    errors.Add(value.mark(), path, "the value has characters that no header may have");
    return;
  }
  if (std::any_of(headers.entries.begin(), headers.entries.end(),
                  [&](const auto& entry) { return AsciiLower(entry.first) == lower; })) {
    errors.Add(value.mark(), path, "header \"" + name + "\" is given twice");
    return;
  }
  headers.entries.emplace_back(name, text);
}

}  // namespace

HeaderMap HeaderMap::ReadField(const ConfigNode& node, const std::string& path,
                               ConfigErrors& errors) {
  HeaderMap headers;
  for (const ConfigNode::Entry& entry : node.entries()) {
    Add(headers, entry.key, entry.value, JoinPath(path, entry.key), errors);
  }
  for (const ConfigNode& item : node.items()) {
    const ConfigNode* const name = item.Find("name");
    const ConfigNode* const value = item.Find("value");
    if (name == nullptr || !name->is_scalar() || item.size() != (value == nullptr ? 1U : 2U)) {
      errors.Add(item.mark(), path, "an entry of the list has `name` and `value`, nothing else");
      continue;
    }
    Add(headers, name->scalar(), value == nullptr ? ConfigNode() : *value,
        JoinPath(path, name->scalar()), errors);
  }
  if (node.is_scalar()) {
    errors.Add(node.mark(), path, "must be a map of headers, or a list of {name, value}");
  }
  return headers;
}

ConfigNode HeaderMap::FormatField(SecretPolicy policy) const {
  std::vector<ConfigNode::Entry> map;
  map.reserve(entries.size());
  for (const auto& [name, value] : entries) {
    map.push_back(
        {.key = name,
         .key_mark = {},
         .value = ConfigNode::String(policy == SecretPolicy::kReveal ? std::string_view(value)
                                                                     : Secret::kRedacted)});
  }
  return ConfigNode::Map(std::move(map));
}

ConfigNode HeaderMap::FieldSchema() {
  return ConfigNode::Map({{.key = "type",
                           .key_mark = {},
                           .value = ConfigNode::Sequence(
                               {ConfigNode::String("object"), ConfigNode::String("array")})}});
}

ConfigNode HeaderMap::RedactField(const ConfigNode& node) {
  const auto redacted = [](const ConfigNode& value) {
    return ConfigNode::Scalar(std::string(Secret::kRedacted), true, value.mark());
  };
  if (node.is_map()) {
    std::vector<ConfigNode::Entry> map(node.entries().begin(), node.entries().end());
    for (ConfigNode::Entry& entry : map) {
      entry.value = redacted(entry.value);
    }
    return ConfigNode::Map(std::move(map), node.mark());
  }
  if (!node.is_sequence()) {
    return node;
  }
  std::vector<ConfigNode> list;
  for (const ConfigNode& item : node.items()) {
    std::vector<ConfigNode::Entry> map(item.entries().begin(), item.entries().end());
    for (ConfigNode::Entry& entry : map) {
      if (entry.key != "name") {
        entry.value = redacted(entry.value);
      }
    }
    list.push_back(ConfigNode::Map(std::move(map), item.mark()));
  }
  return ConfigNode::Sequence(std::move(list), node.mark());
}

}  // namespace weir::net

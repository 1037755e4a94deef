#include "weir/config/render.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "fmt/format.h"

namespace weir {

namespace {

std::string JsonString(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\t':
        quoted += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          quoted += c;
        }
    }
  }
  return quoted + "\"";
}

// Numbers are written anew, since YAML has forms that JSON has not; those JSON cannot hold at all
// (infinities) become strings.
std::string JsonScalar(const ConfigNode& node) {
  switch (node.type()) {
    case ConfigNode::Type::kBool:
      return ParseYamlBool(node.scalar()).value_or(false) ? "true" : "false";
    case ConfigNode::Type::kInteger: {
      const YamlInteger integer = ParseYamlInteger(node.scalar()).value_or(YamlInteger());
      return fmt::format("{}{}", integer.negative ? "-" : "", integer.magnitude);
    }
    case ConfigNode::Type::kFloat: {
      const double value = ParseYamlFloat(node.scalar()).value_or(0);
      return std::isfinite(value) ? fmt::format("{}", value) : JsonString(node.scalar());
    }
    default:
      return JsonString(node.scalar());
  }
}

void AppendJson(const ConfigNode& node, std::size_t indent, std::string& out) {
  const std::string margin(indent + 2, ' ');
  if (node.is_null()) {
    out += "null";
  } else if (node.is_scalar()) {
    out += JsonScalar(node);
  } else if (node.size() == 0) {
    out += node.is_map() ? "{}" : "[]";
  } else {
    const bool is_map = node.is_map();
    std::string_view separator = is_map ? "{\n" : "[\n";
    for (const ConfigNode& item : node.items()) {
      out += fmt::format("{}{}", separator, margin);
      AppendJson(item, indent + 2, out);
      separator = ",\n";
    }
    for (const ConfigNode::Entry& entry : node.entries()) {
      out += fmt::format("{}{}{}: ", separator, margin, JsonString(entry.key));
      AppendJson(entry.value, indent + 2, out);
      separator = ",\n";
    }
    out += fmt::format("\n{}{}", std::string(indent, ' '), is_map ? "}" : "]");
  }
}

// May the text stand without quotes and still be read as the same string, in flow style too?
bool IsPlainSafe(std::string_view text) {
  constexpr std::string_view kLeading = "-?:,[]{}#&*!|>'\"%@`=<~ ";
  if (text.empty() || kLeading.find(text.front()) != std::string_view::npos ||
      text.ends_with(' ') || text.ends_with(':')) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == ',' || c == '[' || c == ']' ||
        c == '{' || c == '}' || c == '?' ||
        (c == ':' && i + 1 < text.size() && text[i + 1] == ' ') ||
        (c == '#' && text[i - 1] == ' ')) {
      return false;
    }
  }
  return ConfigNode::Plain(text).type() == ConfigNode::Type::kString;
}

// A `$` is doubled, so that what is shown can be loaded again.
std::string YamlString(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c == '$' ? "$$" : std::string(1, c);
  }
  return IsPlainSafe(escaped) ? escaped : JsonString(escaped);
}

std::string YamlScalar(const ConfigNode& node) {
  if (node.is_null()) {
    return "null";
  }
  return node.type() == ConfigNode::Type::kString ? YamlString(node.scalar()) : node.scalar();
}

std::string Origin(const ConfigNode& node, OriginComments origins) {
  if (origins == OriginComments::kNone) {
    return {};
  }
  const std::string place = node.mark().ToString();
  const std::string& from = node.expanded_from();
  std::string text = from.empty() ? place : place.empty() ? from : from + " at " + place;
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text.empty() ? text : "  # " + text;
}

bool IsLeaf(const ConfigNode& node) { return node.size() == 0; }

void AppendYaml(const ConfigNode& node, std::size_t indent, OriginComments origins,
                std::string& out) {
  const std::string margin(indent, ' ');
  for (const ConfigNode::Entry& entry : node.entries()) {
    out += fmt::format("{}{}:", margin, YamlString(entry.key));
    if (IsLeaf(entry.value)) {
      out += fmt::format(" {}{}\n", RenderFlow(entry.value), Origin(entry.value, origins));
    } else {
      out += "\n";
      AppendYaml(entry.value, indent + 2, origins, out);
    }
  }
  for (const ConfigNode& item : node.items()) {
    if (IsLeaf(item)) {
      out += fmt::format("{}- {}{}\n", margin, RenderFlow(item), Origin(item, origins));
    } else {
      std::string block;
      AppendYaml(item, indent + 2, origins, block);
      block.replace(indent, 2, "- ");
      out += block;
    }
  }
}

}  // namespace

std::string RenderJson(const ConfigNode& node) {
  std::string text;
  AppendJson(node, 0, text);
  return text + "\n";
}

std::string RenderFlow(const ConfigNode& node) {
  if (!node.is_sequence() && !node.is_map()) {
    return YamlScalar(node);
  }
  std::string text;
  for (const ConfigNode& item : node.items()) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", RenderFlow(item));
  }
  for (const ConfigNode::Entry& entry : node.entries()) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", YamlString(entry.key),
                        RenderFlow(entry.value));
  }
  return node.is_map() ? "{" + text + "}" : "[" + text + "]";
}

std::string RenderYaml(const ConfigNode& node, OriginComments origins) {
  if (IsLeaf(node)) {
    return RenderFlow(node) + Origin(node, origins) + "\n";
  }
  std::string text;
  AppendYaml(node, 0, origins, text);
  return text;
}

}  // namespace weir

#include "weir/component/config_value.h"

#include <optional>

#include "weir/wire/writer.h"

namespace weir {
namespace {

using wire::Writer;

// Writes the one member of an AnyValue that `node` is.
void WriteMember(const ConfigNode& node, Writer& writer) {
  namespace otlp = wire::otlp;
  switch (node.type()) {
    case ConfigNode::Type::kNull:
      return;
    case ConfigNode::Type::kBool:
      writer.Bool(otlp::kAnyBool, ParseYamlBool(node.scalar()).value_or(false));
      return;
    case ConfigNode::Type::kInteger: {
      const YamlInteger integer = ParseYamlInteger(node.scalar()).value_or(YamlInteger{});
      writer.Uint(otlp::kAnyInt, integer.negative ? 0 - integer.magnitude : integer.magnitude);
      return;
    }
    case ConfigNode::Type::kFloat:
      writer.Double(otlp::kAnyDouble, ParseYamlFloat(node.scalar()).value_or(0));
      return;
    case ConfigNode::Type::kString:
      writer.String(otlp::kAnyString, node.scalar());
      return;
    case ConfigNode::Type::kSequence: {
      auto array = writer.Open(otlp::kAnyArray);
      for (const ConfigNode& item : node.items()) {
        auto element = writer.Open(otlp::kArrayValues);
        WriteMember(item, writer);
      }
      return;
    }
    case ConfigNode::Type::kMap: {
      auto map = writer.Open(otlp::kAnyKvlist);
      for (const ConfigNode::Entry& entry : node.entries()) {
        auto attribute = writer.OpenAttribute(otlp::kKvlistValues, entry.key);
        auto value = writer.Open(otlp::kKeyValueValue);
        WriteMember(entry.value, writer);
      }
      return;
    }
  }
}

}  // namespace

std::string EncodeConfigValue(const ConfigNode& node) {
  Writer writer;
  WriteMember(node, writer);
  return std::string(writer.view());
}

}  // namespace weir

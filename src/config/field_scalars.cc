// The field types that hold one scalar, and enums.

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "config/redact.h"
#include "config/schema_nodes.h"
#include "weir/config/field_type.h"

namespace weir {

namespace {

constexpr std::size_t kShownBytesMax = 80;

// What an error says was found instead: `the string "5"`, `a map`.
std::string Found(const ConfigNode& node) {
  switch (node.type()) {
    case ConfigNode::Type::kNull:
      return "nothing";
    case ConfigNode::Type::kSequence:
      return "a list";
    case ConfigNode::Type::kMap:
      return "a map";
    case ConfigNode::Type::kString:
      return fmt::format("the string \"{}\"", node.scalar().substr(0, kShownBytesMax));
    default:
      return fmt::format("`{}`", node.scalar().substr(0, kShownBytesMax));
  }
}

void Expected(std::string_view what, const ConfigNode& node, const ReadContext& context,
              std::string_view suggestion = {}) {
  const std::string from = node.expanded_from().empty()
                               ? std::string()
                               : fmt::format(" (from `{}`)", node.expanded_from());
  context.errors.Add(node.mark(), context.path,
                     fmt::format("expected {}, found {}{}{}", what, Found(node), from, suggestion));
}

// Reports a value outside the limits; `show` writes a limit the way the option is written.
template <typename Show>
bool WithinLimits(double value, const ConfigNode& node, const ReadContext& context, Show&& show) {
  const auto& [min, max] = context.limits;
  if (min.has_value() && !(value >= *min)) {
    context.errors.Add(node.mark(), context.path,
                       fmt::format("must be at least {}, is {}", show(*min), node.scalar()));
    return false;
  }
  if (max.has_value() && !(value <= *max)) {
    context.errors.Add(node.mark(), context.path,
                       fmt::format("must be at most {}, is {}", show(*max), node.scalar()));
    return false;
  }
  return true;
}

std::string ShowNumber(double value) { return fmt::format("{}", value); }
std::string ShowDuration(double value) {
  return FormatDuration(Duration(static_cast<std::int64_t>(value)));
}
std::string ShowBytes(double value) {
  return FormatByteSize(ByteSize{static_cast<std::uint64_t>(value)});
}

// An integer, or a float that is one (`1e3`), as the Collector takes both.
std::optional<YamlInteger> IntegerOf(const ConfigNode& node) {
  if (node.type() == ConfigNode::Type::kInteger) {
    return ParseYamlInteger(node.scalar());
  }
  if (node.type() != ConfigNode::Type::kFloat) {
    return std::nullopt;
  }
  const double value = ParseYamlFloat(node.scalar()).value_or(0.5);
  if (!(std::abs(value) < 0x1p63) || std::trunc(value) != value) {
    return std::nullopt;
  }
  return YamlInteger{.negative = value < 0,
                     .magnitude = static_cast<std::uint64_t>(std::abs(value))};
}

class BoolType final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override {
    if (node.is_null()) {
      return;
    }
    if (node.type() != ConfigNode::Type::kBool) {
      return Expected("true or false", node, context);
    }
    *static_cast<bool*>(target) = ParseYamlBool(node.scalar()).value_or(false);
  }
  ConfigNode Format(const void* source, SecretPolicy) const override {
    return ConfigNode::Plain(*static_cast<const bool*>(source) ? "true" : "false");
  }
  ConfigNode Schema(const FieldLimits&, int) const override {
    return OrReference(SchemaOfType("boolean"));
  }
  std::string Name() const override { return "boolean"; }
};

template <typename T>
class IntegerType final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override {
    if (node.is_null()) {
      return;
    }
    const std::optional<YamlInteger> integer = IntegerOf(node);
    if (!integer.has_value()) {
      return Expected("an integer", node, context);
    }
    const auto& [negative, magnitude] = *integer;
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    const std::uint64_t magnitude_max = !negative ? kMax : std::is_signed_v<T> ? kMax + 1 : 0;
    if (magnitude > magnitude_max) {
      context.errors.Add(
          node.mark(), context.path,
          fmt::format("must be between {} and {}, is {}", std::numeric_limits<T>::min(),
                      std::numeric_limits<T>::max(), node.scalar()));
      return;
    }
    const double value = static_cast<double>(magnitude) * (negative ? -1 : 1);
    if (WithinLimits(value, node, context, ShowNumber)) {
      *static_cast<T*>(target) = static_cast<T>(negative ? 0 - magnitude : magnitude);
    }
  }
  ConfigNode Format(const void* source, SecretPolicy) const override {
    return ConfigNode::Plain(fmt::format("{}", *static_cast<const T*>(source)));
  }
  ConfigNode Schema(const FieldLimits& limits, int) const override {
    FieldLimits shown = limits;
    if (std::is_unsigned_v<T> && !shown.min.has_value()) {
      shown.min = 0;
    }
    return OrReference(SchemaOfNumber("integer", shown));
  }
  std::string Name() const override { return "integer"; }
};

class DoubleType final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override {
    if (node.is_null()) {
      return;
    }
    const bool number =
        node.type() == ConfigNode::Type::kInteger || node.type() == ConfigNode::Type::kFloat;
    const std::optional<double> value =
        number ? ParseYamlFloat(node.scalar()) : std::optional<double>();
    if (!value.has_value()) {
      return Expected("a number", node, context);
    }
    if (WithinLimits(*value, node, context, ShowNumber)) {
      *static_cast<double*>(target) = *value;
    }
  }
  ConfigNode Format(const void* source, SecretPolicy) const override {
    const double value = *static_cast<const double*>(source);
    if (std::isnan(value)) {
      return ConfigNode::Plain(".nan");
    }
    if (std::isinf(value)) {
      return ConfigNode::Plain(value < 0 ? "-.inf" : ".inf");
    }
    return ConfigNode::Plain(fmt::format("{}", value));
  }
  ConfigNode Schema(const FieldLimits& limits, int) const override {
    return OrReference(SchemaOfNumber("number", limits));
  }
  std::string Name() const override { return "number"; }
};

// The text of a string option, or nothing when the node cannot be one.
std::optional<std::string> TextOf(const ConfigNode& node) {
  if (node.expanded_text().has_value()) {
    return node.expanded_text();
  }
  return node.is_scalar() ? std::optional(node.scalar()) : std::nullopt;
}

class StringType final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override {
    if (std::optional<std::string> text = TextOf(node); text.has_value()) {
      *static_cast<std::string*>(target) = *std::move(text);
    } else if (!node.is_null()) {
      Expected("a string", node, context);
    }
  }
  ConfigNode Format(const void* source, SecretPolicy) const override {
    return ConfigNode::String(*static_cast<const std::string*>(source));
  }
  ConfigNode Schema(const FieldLimits&, int) const override {
    return SchemaOfTypes({"string", "number", "boolean"});
  }
  std::string Name() const override { return "string"; }
};

class SecretType final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override {
    if (std::optional<std::string> text = TextOf(node); text.has_value()) {
      *static_cast<Secret*>(target) = Secret(*std::move(text));
    } else if (!node.is_null()) {
      // Not Expected(): what was found, and its line, may hold the secret.
      SourceMark mark = node.mark();
      mark.column = 0;
      context.errors.Add(mark, context.path, "expected a string");
    }
  }
  ConfigNode Format(const void* source, SecretPolicy policy) const override {
    const Secret& secret = *static_cast<const Secret*>(source);
    const bool shown = policy == SecretPolicy::kReveal || secret.empty();
    return ConfigNode::String(shown ? std::string_view(secret.reveal()) : Secret::kRedacted);
  }
  ConfigNode Schema(const FieldLimits&, int) const override {
    return SchemaOfTypes({"string", "number", "boolean"});
  }
  std::string Name() const override { return "secret"; }
  ConfigNode Redact(const ConfigNode& node) const override {
    const std::optional<std::string> text = TextOf(node);
    if (node.is_null() || (text.has_value() && text->empty())) {
      return node;
    }
    return ConfigNode::String(Secret::kRedacted)
        .WithExpansion(node.expanded_from(), std::nullopt, node.mark());
  }
};

class DurationType final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override {
    if (node.is_null()) {
      return;
    }
    std::optional<Duration> value;
    if (node.type() == ConfigNode::Type::kString) {
      value = ParseDuration(node.scalar());
    } else if (const std::optional<YamlInteger> integer = IntegerOf(node);
               integer.has_value() && integer->magnitude <= kNanosecondsMax) {
      const auto count = static_cast<std::int64_t>(integer->magnitude);
      value = Duration(integer->negative ? -count : count);
      if (count != 0) {
        context.errors.Warn(node.mark(), context.path,
                            fmt::format("`{0}` without a unit is {0} nanoseconds; write `{0}s` "
                                        "for seconds",
                                        node.scalar()));
      }
    }
    if (!value.has_value()) {
      return Expected("a duration such as `200ms`, `5s` or `1h30m`", node, context);
    }
    if (WithinLimits(static_cast<double>(value->count()), node, context, ShowDuration)) {
      *static_cast<Duration*>(target) = *value;
    }
  }
  ConfigNode Format(const void* source, SecretPolicy) const override {
    return ConfigNode::Plain(FormatDuration(*static_cast<const Duration*>(source)));
  }
  ConfigNode Schema(const FieldLimits&, int) const override {
    return SchemaOfPattern(R"(^([-+]?([0-9]*(\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h))+|[-+]?0)$)");
  }
  std::string Name() const override { return "duration"; }

  static constexpr auto kNanosecondsMax =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
};

class ByteSizeType final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override {
    if (node.is_null()) {
      return;
    }
    std::optional<ByteSize> value;
    if (node.type() == ConfigNode::Type::kString) {
      value = ParseByteSize(node.scalar());
    } else if (const std::optional<YamlInteger> integer = IntegerOf(node);
               integer.has_value() && (!integer->negative || integer->magnitude == 0)) {
      value = ByteSize{integer->magnitude};
    }
    if (!value.has_value()) {
      return Expected("a size such as `4194304`, `4MiB` or `512kb`", node, context);
    }
    if (WithinLimits(static_cast<double>(value->bytes), node, context, ShowBytes)) {
      *static_cast<ByteSize*>(target) = *value;
    }
  }
  ConfigNode Format(const void* source, SecretPolicy) const override {
    return ConfigNode::Plain(FormatByteSize(*static_cast<const ByteSize*>(source)));
  }
  ConfigNode Schema(const FieldLimits&, int) const override {
    return SchemaOfPattern(R"(^[0-9]*(\.[0-9]*)? ?([kKmMgGtT]?[iI]?[bB])?$)");
  }
  std::string Name() const override { return "size"; }
};

class ComponentIdType final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext& context, void* target) const override {
    if (node.is_null()) {
      return;
    }
    const std::optional<std::string> text = TextOf(node);
    if (!text.has_value()) {
      return Expected("a component such as `otlp` or `otlp/2`", node, context);
    }
    std::string why;
    std::optional<ComponentId> id = ParseComponentId(*text, &why);
    if (!id.has_value()) {
      context.errors.Add(node.mark(), context.path,
                         fmt::format("`{}` is no component: {}", *text, why));
      return;
    }
    *static_cast<ComponentId*>(target) = *std::move(id);
  }
  ConfigNode Format(const void* source, SecretPolicy) const override {
    const ComponentId& id = *static_cast<const ComponentId*>(source);
    return id.type.empty() ? ConfigNode() : ConfigNode::String(id.ToString());
  }
  ConfigNode Schema(const FieldLimits&, int) const override { return SchemaOfType("string"); }
  std::string Name() const override { return "component"; }
};

class NodeType final : public FieldType {
  void Read(const ConfigNode& node, const ReadContext&, void* target) const override {
    *static_cast<ConfigNode*>(target) = node;
  }
  ConfigNode Format(const void* source, SecretPolicy) const override {
    return *static_cast<const ConfigNode*>(source);
  }
  ConfigNode Schema(const FieldLimits&, int) const override { return ConfigNode::Map({}); }
  std::string Name() const override { return "any"; }
  ConfigNode Redact(const ConfigNode& node) const override { return RedactByName(node); }
};

template <typename T>
const FieldType& Static() {
  static const T type;
  return type;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

const FieldType& BoolFieldType() { return Static<BoolType>(); }
const FieldType& DoubleFieldType() { return Static<DoubleType>(); }
const FieldType& StringFieldType() { return Static<StringType>(); }
const FieldType& DurationFieldType() { return Static<DurationType>(); }
const FieldType& ByteSizeFieldType() { return Static<ByteSizeType>(); }
const FieldType& SecretFieldType() { return Static<SecretType>(); }
const FieldType& ComponentIdFieldType() { return Static<ComponentIdType>(); }
const FieldType& NodeFieldType() { return Static<NodeType>(); }

const FieldType& IntegerFieldType(std::size_t bytes, bool is_signed) {
  switch (bytes) {
    case 1:
      return is_signed ? Static<IntegerType<std::int8_t>>() : Static<IntegerType<std::uint8_t>>();
    case 2:
      return is_signed ? Static<IntegerType<std::int16_t>>() : Static<IntegerType<std::uint16_t>>();
    case 4:
      return is_signed ? Static<IntegerType<std::int32_t>>() : Static<IntegerType<std::uint32_t>>();
    default:
      return is_signed ? Static<IntegerType<std::int64_t>>() : Static<IntegerType<std::uint64_t>>();
  }
}

void EnumType::Read(const ConfigNode& node, const ReadContext& context, void* target) const {
  const std::optional<std::string> text = TextOf(node);
  if (node.is_null() && (!text.has_value() || text->empty())) {
    return;
  }
  std::vector<std::string> known;
  for (const Entry& entry : names_) {
    if (text.has_value() &&
        (ignore_case_ ? EqualIgnoringCase(entry.name, *text) : entry.name == *text)) {
      return Store(target, entry.value);
    }
    known.push_back(entry.name);
  }
  const std::string suggestion = text.has_value() ? Suggestion(*text, known) : std::string();
  Expected(Name(), node, context, suggestion);
}

ConfigNode EnumType::Format(const void* source, SecretPolicy) const {
  const std::int64_t value = Load(source);
  for (const Entry& entry : names_) {
    if (entry.value == value) {
      return ConfigNode::String(entry.name);
    }
  }
  return {};
}

ConfigNode EnumType::Schema(const FieldLimits&, int) const {
  std::vector<ConfigNode> names;
  for (const Entry& entry : names_) {
    names.push_back(ConfigNode::String(entry.name));
  }
  ConfigNode list = ConfigNode::Sequence(std::move(names));
  // Without regard to case a schema cannot say more than what the usual spellings are.
  return OrReference(ConfigNode::Map({{ignore_case_ ? "examples" : "enum", {}, std::move(list)}}));
}

std::string EnumType::Name() const {
  std::string text = "one of";
  for (const Entry& entry : names_) {
    text += fmt::format("{}`{}`", &entry == &names_.front() ? " " : ", ", entry.name);
  }
  return text;
}

}  // namespace weir

// Structs of fields: where keys meet the table.

#include <algorithm>
#include <span>
#include <utility>

#include "config/redact.h"
#include "weir/config/fields.h"
#include "weir/config/render.h"

namespace weir {

namespace {

constexpr int kDepthMax = 12;

const FieldVisitor::Field* FindField(const FieldVisitor& table, std::string_view key) {
  const auto field = std::ranges::find(table.fields(), key, &FieldVisitor::Field::key);
  return field == table.fields().end() ? nullptr : &*field;
}

std::vector<std::string> KnownKeys(const FieldVisitor& table) {
  std::vector<std::string> known;
  for (const FieldVisitor::Field& field : table.fields()) {
    known.emplace_back(field.key);
  }
  return known;
}

// Resolves one key of a node against the table. `given` is the key as written.
class KeyReader {
 public:
  KeyReader(const FieldVisitor& table, const ConfigNode& node, const ReadContext& context)
      : table_(table), node_(node), context_(context) {}

  void Read(const ConfigNode::Entry& entry) const {
    const std::string path = JoinPath(context_.path, entry.key);
    if (const FieldVisitor::Field* field = FindField(table_, entry.key); field != nullptr) {
      return ReadField(*field, entry, path);
    }
    for (const auto& [old_key, new_key] : table_.aliases()) {
      if (old_key == entry.key) {
        return ReadAlias(new_key, entry, path);
      }
    }
    for (const auto& [key, why] : table_.ignored()) {
      if (key == entry.key) {
        context_.errors.Warn(entry.key_mark, path, fmt::format("has no effect: {}", why));
        return;
      }
    }
    context_.errors.Add(
        entry.key_mark, context_.path,
        fmt::format("unknown option `{}`{}", entry.key, Suggestion(entry.key, KnownKeys(table_))));
  }

 private:
  void ReadField(const FieldVisitor::Field& field, const ConfigNode::Entry& entry,
                 const std::string& path) const {
    field.type->Read(entry.value, {.path = path, .errors = context_.errors, .limits = field.limits},
                     field.value);
  }

  void ReadAlias(std::string_view new_key, const ConfigNode::Entry& entry,
                 const std::string& path) const {
    if (node_.Find(new_key) != nullptr) {
      context_.errors.Add(entry.key_mark, path,
                          fmt::format("given twice, here and as `{}`", new_key));
      return;
    }
    context_.errors.Warn(entry.key_mark, path, fmt::format("is now called `{}`", new_key));
    if (const FieldVisitor::Field* field = FindField(table_, new_key); field != nullptr) {
      ReadField(*field, entry, path);
    }
  }

  const FieldVisitor& table_;
  const ConfigNode& node_;
  const ReadContext& context_;
};

std::string RowDefault(const FieldVisitor::Field& field) {
  const ConfigNode value = field.type->Format(field.value, SecretPolicy::kRedact);
  return value.is_map() && value.size() > 0 ? std::string() : RenderFlow(value);
}

std::string WithLimits(const FieldVisitor::Field& field) {
  std::string text(field.help);
  const auto show = [&field](double limit) {
    if (field.type->Name() == "duration") {
      return FormatDuration(Duration(static_cast<std::int64_t>(limit)));
    }
    return field.type->Name() == "size"
               ? FormatByteSize(ByteSize{static_cast<std::uint64_t>(limit)})
               : fmt::format("{}", limit);
  };
  const auto& [min, max] = field.limits;
  if (min.has_value() && max.has_value()) {
    text += fmt::format(" Between {} and {}.", show(*min), show(*max));
  } else if (min.has_value()) {
    text += fmt::format(" At least {}.", show(*min));
  } else if (max.has_value()) {
    text += fmt::format(" At most {}.", show(*max));
  }
  return text;
}

}  // namespace

void FieldVisitor::Add(std::string_view key, std::string_view help, const FieldType& type,
                       void* value, const FieldLimits& limits) {
  fields_.push_back({.key = key, .help = help, .type = &type, .value = value, .limits = limits});
}

void FieldVisitor::AddEmbedded(const StructType& type, void* value) {
  embedded_.push_back({.type = &type, .value = value});
}

void FieldVisitor::Alias(std::string_view old_key, std::string_view new_key) {
  aliases_.push_back({.old_key = old_key, .new_key = new_key});
}

void FieldVisitor::Ignored(std::string_view key, std::string_view why) {
  ignored_.push_back({.key = key, .why = why});
}

void StructType::Read(const ConfigNode& node, const ReadContext& context, void* target) const {
  if (!node.is_map() && !node.is_null()) {
    context.errors.Add(
        node.mark(), context.path,
        fmt::format("expected a map of options, found {}",
                    node.is_sequence() ? std::string("a list") : fmt::format("a value")));
    return;
  }
  FieldVisitor table;
  Describe(target, table);
  const std::size_t errors_before = context.errors.error_count();
  const KeyReader reader(table, node, context);
  for (const ConfigNode::Entry& entry : node.entries()) {
    reader.Read(entry);
  }
  // Rules between fields make no sense of fields that could not be read.
  if (context.errors.error_count() == errors_before) {
    FieldCheck check(node, context.path, context.errors);
    for (const FieldVisitor::Embedded& embedded : table.embedded()) {
      embedded.type->Validate(embedded.value, check);
    }
    Validate(target, check);
  }
}

ConfigNode StructType::Format(const void* source, SecretPolicy policy) const {
  FieldVisitor table;
  // Describe only takes addresses, and the table is read only from here on.
  Describe(const_cast<void*>(source), table);
  std::vector<ConfigNode::Entry> entries;
  for (const FieldVisitor::Field& field : table.fields()) {
    entries.push_back({std::string(field.key), {}, field.type->Format(field.value, policy)});
  }
  return ConfigNode::Map(std::move(entries));
}

ConfigNode StructType::Schema(const FieldLimits&, int depth) const {
  std::vector<ConfigNode::Entry> schema = {
      {"type",
       {},
       ConfigNode::Sequence({ConfigNode::String("object"), ConfigNode::String("null")})}};
  if (depth >= kDepthMax) {
    return ConfigNode::Map(std::move(schema));
  }
  const std::shared_ptr<void> defaults = MakeDefault();
  FieldVisitor table;
  Describe(defaults.get(), table);
  std::vector<ConfigNode::Entry> properties;
  for (const FieldVisitor::Field& field : table.fields()) {
    const ConfigNode form = field.type->Schema(field.limits, depth + 1);
    std::vector<ConfigNode::Entry> property(form.entries().begin(), form.entries().end());
    property.push_back({"description", {}, ConfigNode::String(field.help)});
    if (const ConfigNode value = field.type->Format(field.value, SecretPolicy::kRedact);
        !value.is_map() && !value.is_null()) {
      property.push_back({"default", {}, value});
    }
    properties.push_back({std::string(field.key), {}, ConfigNode::Map(std::move(property))});
  }
  const auto add_deprecated = [&properties](std::string_view key, std::string text) {
    properties.push_back({std::string(key),
                          {},
                          ConfigNode::Map({{"deprecated", {}, ConfigNode::Plain("true")},
                                           {"description", {}, ConfigNode::String(text)}})});
  };
  for (const auto& [old_key, new_key] : table.aliases()) {
    add_deprecated(old_key, fmt::format("Now called `{}`.", new_key));
  }
  for (const auto& [key, why] : table.ignored()) {
    add_deprecated(key, fmt::format("Has no effect: {}.", why));
  }
  schema.push_back({"properties", {}, ConfigNode::Map(std::move(properties))});
  schema.push_back({"additionalProperties", {}, ConfigNode::Plain("false")});
  return ConfigNode::Map(std::move(schema));
}

std::string StructType::Name() const { return "options"; }

ConfigNode StructType::Redact(const ConfigNode& node) const {
  if (!node.is_map()) {
    return node;
  }
  const std::shared_ptr<void> defaults = MakeDefault();
  FieldVisitor table;
  Describe(defaults.get(), table);
  std::vector<ConfigNode::Entry> entries(node.entries().begin(), node.entries().end());
  for (ConfigNode::Entry& entry : entries) {
    std::string_view key = entry.key;
    for (const auto& [old_key, new_key] : table.aliases()) {
      key = key == old_key ? new_key : key;
    }
    if (const FieldVisitor::Field* field = FindField(table, key); field != nullptr) {
      entry.value = field->type->Redact(entry.value);
    } else {
      entry.value = RedactByName(entry.key, entry.value);
    }
  }
  return ConfigNode::Map(std::move(entries), node.mark())
      .WithExpansion(node.expanded_from(), std::nullopt, node.mark());
}

void StructType::AddRows(const std::string& prefix, int depth, std::vector<FieldRow>& rows) const {
  if (depth >= kDepthMax) {
    return;
  }
  const std::shared_ptr<void> defaults = MakeDefault();
  FieldVisitor table;
  Describe(defaults.get(), table);
  for (const FieldVisitor::Field& field : table.fields()) {
    rows.push_back({.option = JoinPath(prefix, field.key),
                    .type = field.type->Name(),
                    .default_value = RowDefault(field),
                    .meaning = WithLimits(field)});
    field.type->AddRows(JoinPath(prefix, field.key), depth + 1, rows);
  }
}

bool StructType::HasField(std::string_view key) const {
  const std::shared_ptr<void> defaults = MakeDefault();
  FieldVisitor table;
  Describe(defaults.get(), table);
  return FindField(table, key) != nullptr;
}

void FieldType::AddRows(const std::string&, int, std::vector<FieldRow>&) const {}

namespace {

// The deepest node that `key` (`a::b`) leads to, so that a mark is as near as it can be.
ConfigNode NearestNode(const ConfigNode& node, std::string_view key, bool* whole) {
  ConfigNode current = node;
  while (!key.empty()) {
    const std::size_t separator = key.find("::");
    const ConfigNode* next = current.Find(key.substr(0, separator));
    if (next == nullptr) {
      *whole = false;
      return current;
    }
    current = ConfigNode(*next);
    key = separator == std::string_view::npos ? std::string_view() : key.substr(separator + 2);
  }
  *whole = true;
  return current;
}

}  // namespace

bool FieldCheck::IsGiven(std::string_view key) const {
  bool whole = false;
  static_cast<void>(NearestNode(node_, key, &whole));
  return whole;
}

void FieldCheck::Report(std::string_view key, std::string message, bool warning) const {
  bool whole = false;
  const SourceMark mark = NearestNode(node_, key, &whole).mark();
  const std::string path = key.empty() ? path_ : JoinPath(path_, key);
  if (warning) {
    errors_.Warn(mark, path, message);
  } else {
    errors_.Add(mark, path, message);
  }
}

ConfigNode RedactSecrets(const ConfigNode& node, const StructType& type) {
  return type.Redact(node);
}

ConfigNode FieldSchema(const StructType& type) { return type.Schema({}, 0); }

std::vector<FieldRow> FieldRows(const StructType& type) {
  std::vector<FieldRow> rows;
  type.AddRows("", 0, rows);
  return rows;
}

std::string RenderFieldTable(const StructType& type) {
  const auto cell = [](std::string text) {
    for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
      text.insert(at, "\\");
    }
    return text;
  };
  std::string text = "| option | default | meaning |\n| --- | --- | --- |\n";
  for (const FieldRow& row : FieldRows(type)) {
    const std::string shown =
        row.default_value.empty() ? std::string() : fmt::format("`{}`", cell(row.default_value));
    text += fmt::format("| `{}` | {} | {} |\n", row.option, shown, cell(row.meaning));
  }
  return text;
}

}  // namespace weir

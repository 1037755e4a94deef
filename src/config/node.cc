#include "weir/config/node.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "fmt/core.h"
#include "weir/base/check.h"

namespace weir {

namespace {

constexpr std::size_t kCountMax = std::numeric_limits<std::size_t>::max();

std::size_t AddSaturating(std::size_t a, std::size_t b) {
  return a > kCountMax - b ? kCountMax : a + b;
}

std::string WithoutUnderscores(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '_');
  return plain;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool LooksLikeFloat(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t start = i;
    while (i < text.size() && IsDigit(text[i])) {
      ++i;
    }
    return i - start;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) {
    ++i;
  }
  const std::size_t whole = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() + whole == 0) {
      return false;
    }
  } else if (whole == 0) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) {
      ++i;
    }
    if (digits() == 0) {
      return false;
    }
  }
  return i == text.size();
}

ConfigNode::Type PlainType(std::string_view text) {
  if (IsYamlNull(text)) {
    return ConfigNode::Type::kNull;
  }
  if (ParseYamlBool(text).has_value()) {
    return ConfigNode::Type::kBool;
  }
  if (ParseYamlInteger(text).has_value()) {
    return ConfigNode::Type::kInteger;
  }
  if (ParseYamlFloat(text).has_value()) {
    return ConfigNode::Type::kFloat;
  }
  return ConfigNode::Type::kString;
}

}  // namespace

struct ConfigNode::Data {
  Kind kind = Kind::kNull;
  Type type = Type::kNull;
  bool quoted = false;
  std::string text;
  std::vector<ConfigNode> items;
  std::vector<Entry> entries;
  SourceMark mark;
  std::string expanded_from;
  std::optional<std::string> expanded_text;
  std::size_t node_count = 1;
};

std::string SourceMark::ToString() const {
  if (source == nullptr) {
    return {};
  }
  if (line == 0) {
    return source->name;
  }
  return column == 0 ? fmt::format("{}:{}", source->name, line)
                     : fmt::format("{}:{}:{}", source->name, line, column);
}

ConfigNode::ConfigNode() {
  static const std::shared_ptr<const Data> null = std::make_shared<Data>();
  data_ = null;
}

ConfigNode::ConfigNode(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

ConfigNode ConfigNode::Null(SourceMark mark) {
  auto data = std::make_shared<Data>();
  data->mark = std::move(mark);
  return ConfigNode(std::move(data));
}

ConfigNode ConfigNode::Scalar(std::string text, bool quoted, SourceMark mark) {
  auto data = std::make_shared<Data>();
  data->mark = std::move(mark);
  data->type = quoted ? Type::kString : PlainType(text);
  if (data->type != Type::kNull) {
    data->kind = Kind::kScalar;
    data->quoted = quoted;
    data->text = std::move(text);
  }
  return ConfigNode(std::move(data));
}

ConfigNode ConfigNode::Sequence(std::vector<ConfigNode> items, SourceMark mark) {
  auto data = std::make_shared<Data>();
  data->kind = Kind::kSequence;
  data->type = Type::kSequence;
  data->mark = std::move(mark);
  for (const ConfigNode& item : items) {
    data->node_count = AddSaturating(data->node_count, item.expanded_node_count());
  }
  data->items = std::move(items);
  return ConfigNode(std::move(data));
}

ConfigNode ConfigNode::Map(std::vector<Entry> entries, SourceMark mark) {
  auto data = std::make_shared<Data>();
  data->kind = Kind::kMap;
  data->type = Type::kMap;
  data->mark = std::move(mark);
  for (const Entry& entry : entries) {
    data->node_count = AddSaturating(data->node_count, entry.value.expanded_node_count());
  }
  data->entries = std::move(entries);
  return ConfigNode(std::move(data));
}

ConfigNode::Kind ConfigNode::kind() const { return data_->kind; }
ConfigNode::Type ConfigNode::type() const { return data_->type; }
const std::string& ConfigNode::scalar() const { return data_->text; }
bool ConfigNode::quoted() const { return data_->quoted; }
std::span<const ConfigNode> ConfigNode::items() const { return data_->items; }
std::span<const ConfigNode::Entry> ConfigNode::entries() const { return data_->entries; }
std::size_t ConfigNode::size() const { return data_->items.size() + data_->entries.size(); }
const SourceMark& ConfigNode::mark() const { return data_->mark; }
const std::string& ConfigNode::expanded_from() const { return data_->expanded_from; }
const std::optional<std::string>& ConfigNode::expanded_text() const { return data_->expanded_text; }
std::size_t ConfigNode::expanded_node_count() const { return data_->node_count; }

const ConfigNode* ConfigNode::Find(std::string_view key) const {
  const Entry* entry = FindEntry(key);
  return entry == nullptr ? nullptr : &entry->value;
}

const ConfigNode::Entry* ConfigNode::FindEntry(std::string_view key) const {
  const auto entry = std::ranges::find(data_->entries, key, &Entry::key);
  return entry == data_->entries.end() ? nullptr : &*entry;
}

ConfigNode ConfigNode::WithExpansion(std::string from, std::optional<std::string> text,
                                     SourceMark mark) const {
  auto data = std::make_shared<Data>(*data_);
  data->expanded_from = std::move(from);
  data->expanded_text = std::move(text);
  data->mark = std::move(mark);
  return ConfigNode(std::move(data));
}

ConfigNode ConfigNode::WithMark(SourceMark mark) const {
  auto data = std::make_shared<Data>(*data_);
  data->mark = std::move(mark);
  return ConfigNode(std::move(data));
}

bool ConfigNode::operator==(const ConfigNode& other) const {
  if (data_ == other.data_) {
    return true;
  }
  if (type() != other.type() || scalar() != other.scalar() || size() != other.size() ||
      !std::ranges::equal(items(), other.items())) {
    return false;
  }
  return std::ranges::all_of(entries(), [&other](const Entry& entry) {
    const ConfigNode* value = other.Find(entry.key);
    return value != nullptr && entry.value == *value;
  });
}

bool IsYamlNull(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::optional<bool> ParseYamlBool(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") {
    return true;
  }
  if (text == "false" || text == "False" || text == "FALSE") {
    return false;
  }
  return std::nullopt;
}

std::optional<YamlInteger> ParseYamlInteger(std::string_view text) {
  const std::string plain = WithoutUnderscores(text);
  std::string_view digits = plain;
  YamlInteger value;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) {
    value.negative = digits[0] == '-';
    digits.remove_prefix(1);
  }
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char prefix = static_cast<char>(digits[1] | 0x20);
    base = prefix == 'x' ? 16 : prefix == 'b' ? 2 : 8;
    digits.remove_prefix(prefix == 'x' || prefix == 'b' || prefix == 'o' ? 2 : 1);
  }
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value.magnitude, base);
  if (digits.empty() || !(std::isalnum(static_cast<unsigned char>(digits[0])) != 0) ||
      error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> ParseYamlFloat(std::string_view text) {
  if (const std::optional<YamlInteger> integer = ParseYamlInteger(text); integer.has_value()) {
    const double magnitude = static_cast<double>(integer->magnitude);
    return integer->negative ? -magnitude : magnitude;
  }
  std::string_view special = text;
  double sign = 1;
  if (!special.empty() && (special[0] == '-' || special[0] == '+')) {
    sign = special[0] == '-' ? -1 : 1;
    special.remove_prefix(1);
  }
  if (special == ".inf" || special == ".Inf" || special == ".INF") {
    return sign * std::numeric_limits<double>::infinity();
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const std::string plain = WithoutUnderscores(text);
  if (!LooksLikeFloat(plain)) {
    return std::nullopt;
  }
  const char* const start = plain.data() + (plain[0] == '+' ? 1 : 0);
  double value = 0;
  const auto [stop, error] = std::from_chars(start, plain.data() + plain.size(), value);
  if (error != std::errc()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace weir

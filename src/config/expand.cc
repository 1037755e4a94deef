#include "config/expand.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include "fmt/format.h"
#include "weir/base/status.h"
#include "weir/config/yaml.h"

namespace weir {

namespace {

constexpr std::array<std::string_view, 5> kSchemes = {"file", "env", "yaml", "http", "https"};

// Where the innermost reference stands that comes first: from `${` to past `}`.
struct Span {
  std::size_t start;
  std::size_t length;
};

std::optional<Span> FindReference(std::string_view text) {
  std::size_t from = 0;
  for (std::size_t close = text.find('}'); close != std::string_view::npos;
       close = text.find('}', from)) {
    const std::size_t open = text.substr(from, close - from).rfind("${");
    if (open != std::string_view::npos) {
      const std::size_t start = from + open;
      std::size_t dollars = 0;
      while (dollars < start && text[start - 1 - dollars] == '$') {
        ++dollars;
      }
      if (dollars % 2 == 0) {
        return Span{start, close + 1 - start};
      }
    }
    from = close + 1;
  }
  return std::nullopt;
}

std::string UnescapeDollars(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    plain += text[i];
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '$') {
      ++i;
    }
  }
  return plain;
}

bool IsVariableName(std::string_view name) {
  const auto is_word = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && std::ranges::all_of(name, is_word) && !(name[0] >= '0' && name[0] <= '9');
}

// How a value's origin is shown: an inline text is not repeated.
std::string ReferenceName(const std::string& reference) {
  const std::optional<ConfigUri> uri = ParseConfigUri(reference);
  if (!uri.has_value()) {
    return "env:" + reference;
  }
  return uri->scheme == "yaml" ? "yaml:" : reference;
}

// What the text is as YAML; a text that is no YAML is a string.
ConfigNode Typed(const std::string& text, const std::string& from) {
  ConfigErrors ignored;
  const auto source = std::make_shared<const ConfigSource>(ConfigSource{from, text});
  const std::optional<ConfigNode> parsed = ParseYaml(source, ignored);
  if (!parsed.has_value() || parsed->type() == ConfigNode::Type::kString) {
    // A string is taken as it stands, quotes included, as in the Collector.
    return ConfigNode::Scalar(text, /*quoted=*/true);
  }
  return *parsed;
}

}  // namespace

std::optional<ConfigUri> ParseConfigUri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos ||
      std::ranges::find(kSchemes, text.substr(0, colon)) == kSchemes.end()) {
    return std::nullopt;
  }
  return ConfigUri{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

namespace {

ConfigNode UnflattenAt(const ConfigNode& node, std::size_t depth, ConfigErrors& errors) {
  if (!node.is_map()) {
    return node;
  }
  std::vector<ConfigNode::Entry> plain;
  std::vector<ConfigNode::Entry> heads;  // Of the keys that nest; their values hold the rest.
  std::map<std::string, std::vector<ConfigNode::Entry>, std::less<>> tails;
  for (const ConfigNode::Entry& entry : node.entries()) {
    const std::size_t separator = entry.key.find("::");
    if (separator == std::string::npos || separator == 0 || separator + 2 == entry.key.size()) {
      plain.push_back({entry.key, entry.key_mark, UnflattenAt(entry.value, depth + 1, errors)});
    } else if (depth >= kConfigDepthMax) {
      errors.Add(entry.key_mark, "", fmt::format("nests deeper than {} levels", kConfigDepthMax));
    } else {
      const std::string head = entry.key.substr(0, separator);
      std::vector<ConfigNode::Entry>& tail = tails[head];
      if (tail.empty()) {
        heads.push_back({head, entry.key_mark, {}});
      }
      tail.push_back({entry.key.substr(separator + 2), entry.key_mark, entry.value});
    }
  }
  for (ConfigNode::Entry& head : heads) {
    const ConfigNode rest = ConfigNode::Map(std::move(tails[head.key]), head.key_mark);
    head.value = UnflattenAt(rest, depth + 1, errors);
  }
  return MergeConfig(ConfigNode::Map(std::move(plain), node.mark()),
                     ConfigNode::Map(std::move(heads), node.mark()))
      .WithExpansion(node.expanded_from(), node.expanded_text(), node.mark());
}

}  // namespace

ConfigNode Unflatten(const ConfigNode& node, ConfigErrors& errors) {
  return UnflattenAt(node, 0, errors);
}

void Expander::Fail(const SourceMark& mark, const std::string& path, std::string_view message) {
  errors_.Add(mark, path, message);
}

absl::StatusOr<std::optional<std::string>> Expander::Retrieve(const ConfigUri& uri) {
  std::optional<std::string> text;
  if (uri.scheme == "yaml") {
    text = uri.rest;
  } else if (uri.scheme == "env") {
    text = world_.variable ? world_.variable(uri.rest) : std::nullopt;
  } else if (uri.scheme == "file") {
    if (!world_.read_file) {
      return InvalidArgument("files are not available here");
    }
    WEIR_ASSIGN_OR_RETURN(text, world_.read_file(uri.rest));
    if (std::ranges::find(files_, uri.rest) == files_.end()) {
      files_.push_back(uri.rest);
    }
  } else {
    if (!world_.fetch) {
      return InvalidArgument("`{}` locations are not available here", uri.scheme);
    }
    WEIR_ASSIGN_OR_RETURN(text, world_.fetch(uri.ToString()));
  }
  retrieved_bytes_ += text.has_value() ? text->size() : 0;
  if (retrieved_bytes_ > kRetrievedBytesMax) {
    return InvalidArgument("the configuration reads more than {} bytes", kRetrievedBytesMax);
  }
  return text;
}

std::optional<std::string> Expander::FollowVariable(std::string_view rest, const SourceMark& mark,
                                                    const std::string& path) {
  const std::size_t separator = rest.find(":-");
  const std::string name(rest.substr(0, separator));
  if (!IsVariableName(name)) {
    Fail(mark, path,
         fmt::format("`{}` is no name of an environment variable; write `$${{` for a literal "
                     "`${{`",
                     name));
    return std::nullopt;
  }
  const absl::StatusOr<std::optional<std::string>> value = Retrieve({"env", name});
  if (!value.ok()) {
    Fail(mark, path, std::string(value.status().message()));
    return std::nullopt;
  }
  if (value->has_value()) {
    return **value;
  }
  if (separator != std::string_view::npos) {
    return std::string(rest.substr(separator + 2));
  }
  if (warned_.insert(name).second) {
    errors_.Warn(mark, path, fmt::format("environment variable `{}` is not set", name));
  }
  return std::string();
}

std::optional<std::string> Expander::Follow(std::string_view reference, const SourceMark& mark,
                                            const std::string& path) {
  if (++expansion_count_ > kExpansionsMax) {
    if (expansion_count_ == kExpansionsMax + 1) {
      Fail(mark, path, fmt::format("more than {} references to expand", kExpansionsMax));
    }
    return std::nullopt;
  }
  const std::optional<ConfigUri> uri = ParseConfigUri(reference);
  if (reference.find('$') != std::string_view::npos) {
    Fail(mark, path, fmt::format("`${{{}}}` has a `$` in it", reference));
    return std::nullopt;
  }
  if (!uri.has_value()) {
    const std::size_t colon = reference.find(':');
    if (colon != std::string_view::npos && !reference.substr(colon).starts_with(":-")) {
      Fail(mark, path,
           fmt::format("`{}` is no known scheme; there are env, file, yaml, http and https",
                       reference.substr(0, colon)));
      return std::nullopt;
    }
    return FollowVariable(reference, mark, path);
  }
  if (uri->scheme == "env") {
    return FollowVariable(uri->rest, mark, path);
  }
  absl::StatusOr<std::optional<std::string>> text = Retrieve(*uri);
  if (!text.ok()) {
    Fail(
        mark, path,
        fmt::format("cannot read `{}`: {}", uri->ToString(), std::string(text.status().message())));
    return std::nullopt;
  }
  return *std::move(text);
}

ConfigNode Expander::ExpandScalar(const ConfigNode& node, const std::string& path, int nesting) {
  std::string text = node.scalar();
  std::string from = node.expanded_from();
  while (const std::optional<Span> span = FindReference(text)) {
    const std::string reference = text.substr(span->start + 2, span->length - 3);
    const std::optional<std::string> value = Follow(reference, node.mark(), path);
    if (!value.has_value()) {
      return ConfigNode::Null(node.mark());
    }
    const std::string name = ReferenceName(reference);
    const bool whole = span->length == text.size();
    from = from.empty() ? name.substr(0, name.find(":-")) : from;
    text.replace(span->start, span->length, *value);
    if (text.size() > (whole ? kConfigBytesMax : kTextBytesMax)) {
      Fail(node.mark(), path, fmt::format("expands to more than {} bytes", kTextBytesMax));
      return ConfigNode::Null(node.mark());
    }
    // An empty default is an empty string, but an empty variable is nothing.
    const bool empty_default = text.empty() && name.ends_with(":-");
    if (!whole || empty_default) {
      continue;
    }
    const ConfigNode typed = Typed(text, name);
    if (typed.type() == ConfigNode::Type::kString) {
      continue;
    }
    node_count_ += typed.expanded_node_count();
    if (nesting >= kNestingMax || node_count_ > kConfigNodesMax) {
      Fail(node.mark(), path, "the references in this value never end");
      return ConfigNode::Null(node.mark());
    }
    const ConfigNode expanded = ExpandNode(Unflatten(typed, errors_), path, nesting + 1);
    // What a string option takes instead. Text that refers on is a structure, never a string.
    const std::optional<std::string> original =
        text.size() <= kTextBytesMax && !FindReference(text).has_value()
            ? std::optional(UnescapeDollars(text))
            : std::nullopt;
    return expanded.WithExpansion(from, original, node.mark());
  }
  const bool changed = text != node.scalar();
  std::string plain = UnescapeDollars(text);
  const bool quoted = node.quoted() || changed;
  return ConfigNode::Scalar(std::move(plain), quoted, node.mark())
      .WithExpansion(from, node.expanded_text(), node.mark());
}

ConfigNode Expander::ExpandNode(const ConfigNode& node, const std::string& path, int nesting) {
  if (node.is_scalar()) {
    return node.scalar().find('$') == std::string::npos ? node : ExpandScalar(node, path, nesting);
  }
  if (node.is_null()) {
    return node;
  }
  std::vector<ConfigNode> items(node.items().begin(), node.items().end());
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i] = ExpandNode(items[i], fmt::format("{}[{}]", path, i), nesting);
  }
  std::vector<ConfigNode::Entry> entries(node.entries().begin(), node.entries().end());
  for (ConfigNode::Entry& entry : entries) {
    entry.value = ExpandNode(entry.value, JoinPath(path, entry.key), nesting);
  }
  const ConfigNode expanded = node.is_map() ? ConfigNode::Map(std::move(entries), node.mark())
                                            : ConfigNode::Sequence(std::move(items), node.mark());
  return expanded.WithExpansion(node.expanded_from(), node.expanded_text(), node.mark());
}

}  // namespace weir

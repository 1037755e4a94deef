#include "weir/config/loader.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "config/expand.h"
#include "fmt/format.h"
#include "weir/base/status.h"
#include "weir/config/yaml.h"

namespace weir {

namespace {

std::string_view Trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\n");
  return start == std::string_view::npos
             ? std::string_view()
             : text.substr(start, text.find_last_not_of(" \t\n") - start + 1);
}

// One location as a map; nullopt after an error.
std::optional<ConfigNode> LoadLocation(const std::string& location, Expander& expander,
                                       ConfigErrors& errors) {
  const std::size_t colon = location.find(':');
  const ConfigUri uri = colon == std::string::npos ? ConfigUri{"file", location}
                                                   : ParseConfigUri(location).value_or(ConfigUri());
  // The text of an inline location is its own name; it is cut, since it may be long.
  const std::string name = uri.scheme == "file"   ? uri.rest
                           : uri.scheme == "yaml" ? "yaml:"
                                                  : location;
  const SourceMark whole{std::make_shared<const ConfigSource>(ConfigSource{name, ""}), 0, 0};
  if (uri.scheme.empty()) {
    errors.Add({}, "",
               fmt::format("`{}` is no location: `{}` is none of file, env, yaml, http, https",
                           location, location.substr(0, colon)));
    return std::nullopt;
  }
  absl::StatusOr<std::optional<std::string>> text = expander.Retrieve(uri);
  if (!text.ok()) {
    errors.Add(whole, "", fmt::format("cannot be read: {}", std::string(text.status().message())));
    return std::nullopt;
  }
  if (!text->has_value()) {
    errors.Warn(whole, "", "this environment variable is not set");
    return ConfigNode();
  }
  const auto source = std::make_shared<const ConfigSource>(ConfigSource{name, **std::move(text)});
  std::optional<ConfigNode> node = ParseYaml(source, errors);
  if (node.has_value() && !node->is_map() && !node->is_null()) {
    errors.Add(node->mark(), "", "a configuration must be a map of `receivers`, `service`, ...");
    return std::nullopt;
  }
  return node.has_value() ? std::optional(Unflatten(*node, errors)) : std::nullopt;
}

// `a.b=value` as `a: {b: value}`.
std::optional<ConfigNode> LoadOverride(const std::string& text, ConfigErrors& errors) {
  const std::size_t equals = text.find('=');
  const std::string_view key = Trimmed(std::string_view(text).substr(0, equals));
  const auto source = std::make_shared<const ConfigSource>(
      ConfigSource{fmt::format("--set {}", key),
                   equals == std::string::npos ? std::string() : text.substr(equals + 1)});
  const SourceMark whole{source, 0, 0};
  if (equals == std::string::npos || key.empty()) {
    errors.Add(whole, "", "needs the form `key=value`, as in `processors.batch.timeout=2s`");
    return std::nullopt;
  }
  ConfigErrors own;  // Its report would show the value, which may be a secret.
  std::optional<ConfigNode> value = ParseYaml(source, own);
  if (!value.has_value()) {
    errors.Add(whole, "", own.problems()[0].message);
    return std::nullopt;
  }
  std::vector<std::string> keys;
  std::string_view rest = key;
  while (true) {
    const std::size_t dot = rest.find('.');
    const std::size_t colons = rest.find("::");
    const std::size_t end = std::min(dot, colons);
    keys.emplace_back(rest.substr(0, end));
    if (keys.back().empty()) {
      errors.Add(whole, "", "has an empty part in its key");
      return std::nullopt;
    }
    if (end == std::string_view::npos) {
      break;
    }
    rest = rest.substr(end + (end == colons ? 2 : 1));
  }
  if (keys.size() > kConfigDepthMax) {
    errors.Add(whole, "", fmt::format("nests deeper than {} levels", kConfigDepthMax));
    return std::nullopt;
  }
  ConfigNode node = value->size() == 0 ? value->WithMark(whole) : *value;
  for (auto part = keys.rbegin(); part != keys.rend(); ++part) {
    node = ConfigNode::Map({{*part, whole, std::move(node)}}, whole);
  }
  return node;
}

}  // namespace

ConfigNode MergeConfig(const ConfigNode& base, const ConfigNode& over) {
  if (!base.is_map() || !over.is_map()) {
    return over;
  }
  std::vector<ConfigNode::Entry> entries(base.entries().begin(), base.entries().end());
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < base.size(); ++i) {
    places.emplace(base.entries()[i].key, i);
  }
  for (const ConfigNode::Entry& entry : over.entries()) {
    if (const auto place = places.find(entry.key); place != places.end()) {
      ConfigNode::Entry& merged = entries[place->second];
      merged.value = MergeConfig(merged.value, entry.value);
      merged.key_mark = entry.key_mark;
    } else {
      entries.push_back(entry);
    }
  }
  return ConfigNode::Map(std::move(entries), base.mark());
}

LoadedConfig LoadConfig(const LoadRequest& request, const ConfigWorld& world,
                        ConfigErrors& errors) {
  LoadedConfig loaded;
  Expander expander(world, loaded.files, errors);
  ConfigNode merged = ConfigNode::Map({});
  bool complete = true;
  const auto add = [&merged, &complete](const std::optional<ConfigNode>& node) {
    complete = complete && node.has_value();
    if (node.has_value() && node->is_map()) {
      merged = MergeConfig(merged, *node);
    }
  };
  if (request.locations.empty()) {
    errors.Add({}, "", "no configuration is given; name one with `--config`");
    return loaded;
  }
  for (const std::string& location : request.locations) {
    add(LoadLocation(location, expander, errors));
  }
  for (const std::string& text : request.overrides) {
    add(LoadOverride(text, errors));
  }
  if (!complete) {
    return loaded;
  }
  const std::size_t errors_before = errors.error_count();
  ConfigNode expanded = expander.Expand(merged);
  if (errors.error_count() == errors_before) {
    loaded.root = std::move(expanded);
  }
  return loaded;
}

absl::StatusOr<std::string> ReadConfigFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) {
    return FromErrno(errno, "open");
  }
  std::string text;
  std::string block(64 << 10, '\0');
  while (const std::size_t count = std::fread(block.data(), 1, block.size(), file.get())) {
    text.append(block, 0, count);
    if (text.size() > kConfigBytesMax) {
      return InvalidArgument("larger than {} bytes", kConfigBytesMax);
    }
  }
  if (std::ferror(file.get()) != 0) {
    return FromErrno(errno, "read");
  }
  return text;
}

}  // namespace weir

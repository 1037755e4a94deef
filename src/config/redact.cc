#include "config/redact.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "weir/config/field_type.h"

namespace weir {

bool IsCalledLikeASecret(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {"password",   "passwd",        "secret",
                                                      "token",      "api_key",       "apikey",
                                                      "credential", "authorization", "private_key"};
  std::string folded;
  for (const char c : text) {
    folded += c == '-' ? '_' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  return std::ranges::any_of(
      kWords, [&folded](std::string_view word) { return folded.find(word) != std::string::npos; });
}

ConfigNode RedactByName(std::string_view key, const ConfigNode& value) {
  return IsCalledLikeASecret(key) ? SecretFieldType().Redact(value) : RedactByName(value);
}

ConfigNode RedactByName(const ConfigNode& node) {
  if (node.is_sequence()) {
    std::vector<ConfigNode> items(node.items().begin(), node.items().end());
    for (ConfigNode& item : items) {
      item = RedactByName(item);
    }
    return ConfigNode::Sequence(std::move(items), node.mark());
  }
  if (!node.is_map()) {
    return node;
  }
  std::vector<ConfigNode::Entry> entries(node.entries().begin(), node.entries().end());
  for (ConfigNode::Entry& entry : entries) {
    entry.value = RedactByName(entry.key, entry.value);
  }
  return ConfigNode::Map(std::move(entries), node.mark());
}

}  // namespace weir

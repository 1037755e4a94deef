// Expander replaces the references (`${env:NAME}`) in a configuration by what they refer to.
//
// Threads: none. Ownership: the world, the errors and the file list outlive it.
// Invariants: at most kExpansionsMax references are followed and kRetrievedBytesMax bytes read in
// one load, whatever the configuration says.

#ifndef WEIR_SRC_CONFIG_EXPAND_H_
#define WEIR_SRC_CONFIG_EXPAND_H_

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/config/errors.h"
#include "weir/config/loader.h"
#include "weir/config/node.h"

namespace weir {

// A scheme and what stands behind its colon: a location on the command line or inside `${}`.
struct ConfigUri {
  std::string scheme;  // file, env, yaml, http, https.
  std::string rest;

  std::string ToString() const { return scheme + ":" + rest; }
};

// nullopt when the scheme is none of ours.
std::optional<ConfigUri> ParseConfigUri(std::string_view text);

// `a::b: 1` becomes `a: {b: 1}`, in maps at any depth but not inside lists.
ConfigNode Unflatten(const ConfigNode& node, ConfigErrors& errors);

class Expander {
 public:
  static constexpr std::size_t kExpansionsMax = 2000;
  static constexpr std::size_t kRetrievedBytesMax = 64 << 20;
  static constexpr std::size_t kTextBytesMax = 256 << 10;  // Of one value while it is expanded.
  static constexpr int kNestingMax = 10;  // Of maps and lists that references bring.

  Expander(const ConfigWorld& world, std::vector<std::string>& files, ConfigErrors& errors)
      : world_(world), files_(files), errors_(errors) {}

  ConfigNode Expand(const ConfigNode& root) { return ExpandNode(root, "", 0); }

  // The text behind a location. An unset variable is nullopt inside the StatusOr.
  absl::StatusOr<std::optional<std::string>> Retrieve(const ConfigUri& uri);

 private:
  ConfigNode ExpandNode(const ConfigNode& node, const std::string& path, int nesting);
  ConfigNode ExpandScalar(const ConfigNode& node, const std::string& path, int nesting);
  // The text of one reference, `${` and `}` taken off; nullopt after an error.
  std::optional<std::string> Follow(std::string_view reference, const SourceMark& mark,
                                    const std::string& path);
  std::optional<std::string> FollowVariable(std::string_view rest, const SourceMark& mark,
                                            const std::string& path);
  void Fail(const SourceMark& mark, const std::string& path, std::string_view message);

  const ConfigWorld& world_;
  std::vector<std::string>& files_;
  ConfigErrors& errors_;
  std::set<std::string, std::less<>> warned_;  // Unset variables, each reported once.
  std::size_t expansion_count_ = 0;
  std::size_t retrieved_bytes_ = 0;
  std::size_t node_count_ = 0;  // Brought by references.
};

}  // namespace weir

#endif  // WEIR_SRC_CONFIG_EXPAND_H_

// ConfigNode is one value of a configuration file: null, scalar, sequence or map, with where it
// came from. It is our own type, so no component ever sees a YAML parser.
//
// A node is an immutable tree with shared owner: copies are cheap and share everything. Merging and
// expansion build new nodes that keep the marks of what they were made from.
//
// Threads: nodes are immutable; distinct ConfigNode objects may be used from distinct threads.
// Invariants: keys of a map are unique; entries keep the order of the file.

#ifndef WEIR_CONFIG_NODE_H_
#define WEIR_CONFIG_NODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// One text that was read: a file, an environment variable, a command line override.
struct ConfigSource {
  std::string name;  // As shown to the operator: a path, `env:NAME`, `--set a.b=c`.
  std::string text;  // Kept so that an error can show the line it speaks of.
};

// A place in a source. Lines and columns start at 1; line 0 means the source as a whole, column 0 a
// line that must not be shown, since it holds a secret.
struct SourceMark {
  std::shared_ptr<const ConfigSource> source;  // Null: made by the program.
  int line = 0;
  int column = 0;

  std::string_view file() const {
    return source == nullptr ? std::string_view() : std::string_view(source->name);
  }
  std::string ToString() const;  // file:line:column, as far as it is known.
};

class ConfigNode {
 public:
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMap };
  // What an unquoted scalar is by the rules of YAML 1.2 as Go's yaml.v3 applies them: `yes` and
  // `no` are strings, `0o17` and `0x1f` are integers. A quoted scalar is always a string.
  enum class Type : std::uint8_t { kNull, kBool, kInteger, kFloat, kString, kSequence, kMap };
  struct Entry;

  ConfigNode();  // Null, from nowhere.
  static ConfigNode Null(SourceMark mark);
  static ConfigNode Scalar(std::string text, bool quoted, SourceMark mark = {});
  static ConfigNode Sequence(std::vector<ConfigNode> items, SourceMark mark = {});
  // REQUIRES: keys are unique.
  static ConfigNode Map(std::vector<Entry> entries, SourceMark mark = {});

  // Values made by the program: a string, and a text that stands unquoted (`true`, `12`, `5s`).
  static ConfigNode String(std::string_view text) { return Scalar(std::string(text), true); }
  static ConfigNode Plain(std::string_view text) { return Scalar(std::string(text), false); }

  Kind kind() const;
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_scalar() const { return kind() == Kind::kScalar; }
  bool is_sequence() const { return kind() == Kind::kSequence; }
  bool is_map() const { return kind() == Kind::kMap; }
  Type type() const;

  const std::string& scalar() const;  // Empty unless is_scalar().
  bool quoted() const;                // Of a scalar: was it written in quotes or as a block?
  std::span<const ConfigNode> items() const;  // Empty unless is_sequence().
  std::span<const Entry> entries() const;     // Empty unless is_map().
  std::size_t size() const;                   // Items or entries.

  // Null when this is no map or the key is absent.
  const ConfigNode* Find(std::string_view key) const;
  const Entry* FindEntry(std::string_view key) const;

  const SourceMark& mark() const;

  // Set on a value that a reference such as `${env:NAME}` was replaced by: what it was read from
  // (`env:NAME`), and its text before it was parsed. A string option takes that text, whatever YAML
  // would make of it, so that a password `[x` or `0123` arrives as it is.
  const std::string& expanded_from() const;
  const std::optional<std::string>& expanded_text() const;
  ConfigNode WithExpansion(std::string from, std::optional<std::string> text,
                           SourceMark mark) const;
  ConfigNode WithMark(SourceMark mark) const;

  // Nodes of this tree when every alias is written out, saturating. Bounds the work of a walk.
  std::size_t expanded_node_count() const;

  // Equal as values: kind, text, type and entries in any order. Marks play no part.
  bool operator==(const ConfigNode& other) const;

 private:
  struct Data;
  explicit ConfigNode(std::shared_ptr<const Data> data);

  std::shared_ptr<const Data> data_;  // Never null.
};

struct ConfigNode::Entry {
  std::string key;
  SourceMark key_mark;
  ConfigNode value;
};

// Scalars as Go's yaml.v3 resolves them; nullopt when the text is something else.
bool IsYamlNull(std::string_view text);
std::optional<bool> ParseYamlBool(std::string_view text);
// Decimal, 0x, 0o, 0b, leading-zero octal, underscores. `negative` with the magnitude, so that the
// whole range of both 64-bit types fits.
struct YamlInteger {
  bool negative = false;
  std::uint64_t magnitude = 0;
};
std::optional<YamlInteger> ParseYamlInteger(std::string_view text);
std::optional<double> ParseYamlFloat(std::string_view text);  // Integers included.

}  // namespace weir

#endif  // WEIR_CONFIG_NODE_H_

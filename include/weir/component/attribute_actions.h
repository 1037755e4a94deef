// AttributeActions are the Collector's attribute edits, as the processors `attributes` and
// `resource` (and others) have them in their options: a list that runs in order over the attributes
// of an item or a resource, each action seeing what those before it did.
//
//   insert   adds a key that is absent          delete   removes a key, or keys by pattern
//   update   changes a key that is present      hash     puts the SHA-256 of a value in its place
//   upsert   does whichever applies             extract  takes named groups of a pattern apart
//   convert  changes the type of a value
//
// The actions are compiled: the keys they speak of become slots, which one search over the bytes
// fills; the actions then run over the slots, and only what changed is noted in the Edit.
//
// Threads: one at a time; a lane has its own.
// Invariants: keys that are there twice, which OTLP forbids, are one attribute with the first
// value: a change of it, or its removal, takes the others away.

#ifndef WEIR_COMPONENT_ATTRIBUTE_ACTIONS_H_
#define WEIR_COMPONENT_ATTRIBUTE_ACTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/component/batch.h"
#include "weir/config/fields.h"
#include "weir/wire/attribute_search.h"
#include "weir/wire/rewriter.h"

namespace weir {

enum class AttributeActionKind : std::uint8_t {
  kInsert,
  kUpdate,
  kUpsert,
  kDelete,
  kHash,
  kExtract,
  kConvert,
};

template <>
struct EnumNames<AttributeActionKind> {
  static constexpr std::pair<std::string_view, AttributeActionKind> kNames[] = {
      {"insert", AttributeActionKind::kInsert},   {"update", AttributeActionKind::kUpdate},
      {"upsert", AttributeActionKind::kUpsert},   {"delete", AttributeActionKind::kDelete},
      {"hash", AttributeActionKind::kHash},       {"extract", AttributeActionKind::kExtract},
      {"convert", AttributeActionKind::kConvert},
  };
  static constexpr bool kIgnoreCase = true;
};

struct AttributeActionConfig {
  std::string key;
  std::optional<AttributeActionKind> action;
  ConfigNode value;
  std::string from_attribute;
  std::string from_context;
  std::string pattern;
  std::string converted_type;

  static void VisitFields(auto& self, auto& visit) {
    visit("key", self.key, "The attribute to act on.");
    visit("action", self.action,
          "`insert`, `update`, `upsert`, `delete`, `hash`, `extract` or `convert`. Required.");
    visit("value", self.value, "The value to set, of any type.");
    visit("from_attribute", self.from_attribute,
          "The attribute to take the value from; without it nothing is done.");
    visit("from_context", self.from_context,
          "What of the request to take the value from: `metadata.<key>`, `auth.<attribute>` or "
          "`client.address`.");
    visit("pattern", self.pattern,
          "A regular expression. `delete` and `hash` act on each key it matches; `extract` takes "
          "each of its named groups as an attribute.");
    visit("converted_type", self.converted_type,
          "What `convert` makes of the value: `string`, `int` or `double`. What can't be converted "
          "stays as it is.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const AttributeActionConfig&) const = default;
};

class AttributeActions {
 public:
  // REQUIRES: each config is valid.
  explicit AttributeActions(const std::vector<AttributeActionConfig>& configs);
  ~AttributeActions();
  AttributeActions(const AttributeActions&) = delete;
  AttributeActions& operator=(const AttributeActions&) = delete;

  // Takes the values of `from_context`. Null stands for a request that carried nothing.
  void BeginBatch(const RequestContext* context);

  // Runs the actions over the attributes at `field` of `message` and notes what changes in `edit`.
  // False when the attributes are malformed.
  bool Apply(std::string_view message, wire::FieldNumber field, wire::Edit& edit);

 private:
  struct Action;
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace weir

#endif  // WEIR_COMPONENT_ATTRIBUTE_ACTIONS_H_

#include <array>

#include "re2/re2.h"
#include "weir/component/attribute_actions.h"

namespace weir {
namespace {

void CheckPattern(const AttributeActionConfig& config, FieldCheck& check) {
  const re2::RE2 pattern(config.pattern, re2::RE2::Quiet);
  if (!pattern.ok()) {
    check.Error("pattern", "is not a regular expression: {}", pattern.error());
    return;
  }
  if (config.action != AttributeActionKind::kExtract) {
    return;
  }
  if (pattern.NumberOfCapturingGroups() == 0) {
    check.Error("pattern", "needs a named group, such as `(?P<name>...)`");
  } else if (pattern.NumberOfCapturingGroups() !=
             static_cast<int>(pattern.CapturingGroupNames().size())) {
    check.Error("pattern", "has a group without a name; write `(?P<name>...)` or `(?:...)`");
  }
}

void CheckConvertedType(const AttributeActionConfig& config, FieldCheck& check) {
  if (config.converted_type.empty()) {
    check.Error("converted_type", "is required by the action `convert`");
  } else if (config.converted_type != "string" && config.converted_type != "int" &&
             config.converted_type != "double") {
    check.Error("converted_type", "must be `string`, `int` or `double`, not `{}`",
                config.converted_type);
  }
}

}  // namespace

void AttributeActionConfig::Validate(FieldCheck& check) const {
  using Kind = AttributeActionKind;
  if (!action.has_value()) {
    check.Error("action", "is required");
    return;
  }
  const bool sets =
      *action == Kind::kInsert || *action == Kind::kUpdate || *action == Kind::kUpsert;
  const bool by_pattern = *action == Kind::kDelete || *action == Kind::kHash;
  if (key.empty() && !(by_pattern && !pattern.empty())) {
    check.Error("key", "{}", by_pattern ? "or `pattern` is required" : "is required");
  }
  const int sources =
      (value.is_null() ? 0 : 1) + (from_attribute.empty() ? 0 : 1) + (from_context.empty() ? 0 : 1);
  if (sets && sources != 1) {
    check.Error("", "needs exactly one of `value`, `from_attribute` and `from_context`");
  }
  // The Collector lets `from_context` pass, without effect, beside these two.
  const int forbidden = by_pattern && !from_context.empty() ? sources - 1 : sources;
  if (!sets && forbidden > 0) {
    check.Error("", "this action takes none of `value`, `from_attribute` and `from_context`");
  }
  if (*action == Kind::kExtract && pattern.empty()) {
    check.Error("pattern", "is required by the action `extract`");
  } else if (!pattern.empty() && (sets || *action == Kind::kConvert)) {
    check.Error("pattern", "has no meaning for this action");
  } else if (!pattern.empty()) {
    CheckPattern(*this, check);
  }
  if (*action == Kind::kConvert) {
    CheckConvertedType(*this, check);
  } else if (!converted_type.empty()) {
    check.Error("converted_type", "has no meaning for this action");
  }
}

}  // namespace weir

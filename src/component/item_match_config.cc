#include "re2/re2.h"
#include "weir/base/status.h"
#include "weir/component/item_match.h"

namespace weir {
namespace {

void CheckPattern(std::string_view key, const std::string& text, FieldCheck& check) {
  const re2::RE2 pattern(text, re2::RE2::Quiet);
  if (!pattern.ok()) {
    check.Error(key, "`{}` is not a regular expression: {}", text, pattern.error());
  }
}

void CheckPatterns(std::string_view key, const std::vector<std::string>& texts, FieldCheck& check) {
  for (const std::string& text : texts) {
    CheckPattern(key, text, check);
  }
}

void CheckValues(std::string_view key, const std::vector<MatchedAttribute>& attributes,
                 FieldCheck& check) {
  for (const MatchedAttribute& attribute : attributes) {
    if (attribute.value.is_null()) {
      continue;
    }
    if (attribute.value.type() != ConfigNode::Type::kString) {
      check.Error(key, "`{}`: with `match_type: regexp` the value must be a string", attribute.key);
    } else {
      CheckPattern(key, attribute.value.scalar(), check);
    }
  }
}

bool HasValues(const std::vector<MatchedAttribute>& attributes) {
  for (const MatchedAttribute& attribute : attributes) {
    if (!attribute.value.is_null()) {
      return true;
    }
  }
  return false;
}

}  // namespace

void MatchedAttribute::Validate(FieldCheck& check) const {
  if (key.empty()) {
    check.Error("key", "is required");
  }
}

void MatchProperties::Validate(FieldCheck& check) const {
  const bool compares = !services.empty() || !span_names.empty() || !span_kinds.empty() ||
                        !log_bodies.empty() || !log_severity_texts.empty() ||
                        !metric_names.empty() || !libraries.empty() || HasValues(attributes) ||
                        HasValues(resources);
  if (!match_type.has_value()) {
    if (compares) {
      check.Error("match_type", "is required: `strict` or `regexp`");
    }
    return;
  }
  if (*match_type == MatchType::kStrict) {
    return;
  }
  CheckPatterns("services", services, check);
  CheckPatterns("span_names", span_names, check);
  CheckPatterns("span_kinds", span_kinds, check);
  CheckPatterns("log_bodies", log_bodies, check);
  CheckPatterns("log_severity_texts", log_severity_texts, check);
  CheckPatterns("metric_names", metric_names, check);
  CheckValues("attributes", attributes, check);
  CheckValues("resources", resources, check);
  for (const MatchedLibrary& library : libraries) {
    CheckPattern("libraries", library.name, check);
    CheckPattern("libraries", library.version.value_or(""), check);
  }
}

}  // namespace weir

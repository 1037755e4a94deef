// Options of the attributes processor, with the Collector's keys and defaults.

#ifndef WEIR_PROCESSORS_ATTRIBUTES_CONFIG_H_
#define WEIR_PROCESSORS_ATTRIBUTES_CONFIG_H_

#include <vector>

#include "weir/component/attribute_actions.h"
#include "weir/component/item_match.h"
#include "weir/config/fields.h"

namespace weir::processors::attributes {

struct Config {
  MatchConfig match;
  std::vector<AttributeActionConfig> actions;

  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.match);
    visit("actions", self.actions, "What to do with the attributes, in order. Required.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::processors::attributes

#endif  // WEIR_PROCESSORS_ATTRIBUTES_CONFIG_H_

// Options of the resource processor, with the Collector's keys and defaults.

#ifndef WEIR_PROCESSORS_RESOURCE_CONFIG_H_
#define WEIR_PROCESSORS_RESOURCE_CONFIG_H_

#include <vector>

#include "weir/component/attribute_actions.h"
#include "weir/config/fields.h"

namespace weir::processors::resource {

struct Config {
  std::vector<AttributeActionConfig> attributes;

  static void VisitFields(auto& self, auto& visit) {
    visit("attributes", self.attributes,
          "What to do with the attributes of the resource, in order. Required.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::processors::resource

#endif  // WEIR_PROCESSORS_RESOURCE_CONFIG_H_

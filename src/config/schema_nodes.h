// Builders of the few JSON Schema forms that options need.
//
// Threads: pure functions.

#ifndef WEIR_SRC_CONFIG_SCHEMA_NODES_H_
#define WEIR_SRC_CONFIG_SCHEMA_NODES_H_

#include <initializer_list>
#include <string_view>

#include "weir/config/field_type.h"
#include "weir/config/node.h"

namespace weir {

ConfigNode SchemaOfType(std::string_view type);
ConfigNode SchemaOfTypes(std::initializer_list<std::string_view> types);
ConfigNode SchemaOfNumber(std::string_view type, const FieldLimits& limits);
// A string of this form, or a plain integer.
ConfigNode SchemaOfPattern(std::string_view pattern);
// Every value may also come from the environment: `${env:NAME}` stands where a number would.
ConfigNode OrReference(ConfigNode schema);

}  // namespace weir

#endif  // WEIR_SRC_CONFIG_SCHEMA_NODES_H_

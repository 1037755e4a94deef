// A value of any type, as it stands in a configuration, in the form attributes have.

#ifndef WEIR_COMPONENT_CONFIG_VALUE_H_
#define WEIR_COMPONENT_CONFIG_VALUE_H_

#include <string>

#include "weir/config/node.h"

namespace weir {

// The contents of an AnyValue. Types are YAML's own: 12 is an int, 12.0 a double, "12" a string; a
// sequence is an array, a map a kvlist, null the empty value. An integer past 64 bits with sign
// wraps, as in the Collector.
std::string EncodeConfigValue(const ConfigNode& node);

}  // namespace weir

#endif  // WEIR_COMPONENT_CONFIG_VALUE_H_

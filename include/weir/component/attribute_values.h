// What the actions `hash` and `convert` do to one value.
//
// Threads: pure functions.

#ifndef WEIR_COMPONENT_ATTRIBUTE_VALUES_H_
#define WEIR_COMPONENT_ATTRIBUTE_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/wire/view.h"

namespace weir {

// SHA-256 in hex of a string's bytes, of an int or double as eight little-endian bytes, of a bool
// as one byte. Empty for values of other types and for the empty string, as the Collector has it.
std::string HashOf(const wire::AnyValueView& value);

enum class ValueTarget : std::uint8_t { kString, kInt, kDouble };
ValueTarget ValueTargetOf(std::string_view name);  // Of a valid option; kString for others.

enum class Conversion : std::uint8_t { kDone, kUnchanged, kMalformed };
// Appends the contents of the converted AnyValue to `out` where it says kDone.
Conversion ConvertValue(const wire::AnyValueView& value, ValueTarget target, std::string& out);

// Numbers as Go's strconv reads them from decimal text.
std::optional<std::int64_t> ParseDecimal(std::string_view text);
std::optional<double> ParseReal(const std::string& text);

}  // namespace weir

#endif  // WEIR_COMPONENT_ATTRIBUTE_VALUES_H_

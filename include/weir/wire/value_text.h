// A value as the Collector writes it in text, wherever a value of any type stands for a string:
// labels, partition keys, matched log bodies, converted and rendered attributes.
//
//   string   itself                  int      decimal
//   bool     true, false             double   shortest digits that read back, as ECMAScript has it;
//   empty    nothing                          NaN, Infinity, -Infinity
//   bytes    base64                  array, kvlist   JSON, keys sorted, no HTML escapes; nothing at
//                                                    all where a double in it is not finite
//
// Threads: pure functions.

#ifndef WEIR_WIRE_VALUE_TEXT_H_
#define WEIR_WIRE_VALUE_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/wire/view.h"

namespace weir::wire {

// False when something nested in the value is malformed or deeper than kNestingMax; `out` is then
// as it was.
bool AppendValueText(const AnyValueView& value, std::string& out);

enum class DoubleForm : std::uint8_t {
  kShort,  // Exponents below 1e-6 and from 1e21.
  kFixed,  // Never an exponent.
};
void AppendDouble(double value, DoubleForm form, std::string& out);

void AppendBase64(std::string_view bytes, std::string& out);
// In quotes. What is not UTF-8 becomes the replacement character.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace weir::wire

#endif  // WEIR_WIRE_VALUE_TEXT_H_

// Small things about text that every layer needs.
//
// Threads: pure functions.

#ifndef WEIR_BASE_TEXT_H_
#define WEIR_BASE_TEXT_H_

#include <string>
#include <string_view>

namespace weir {

// ASCII letters in lower case, whatever the locale: names of headers and metadata keys.
std::string AsciiLower(std::string_view text);

// Takes as long for any two texts of one length; for secrets.
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace weir

#endif  // WEIR_BASE_TEXT_H_

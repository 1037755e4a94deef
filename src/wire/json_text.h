// The text forms inside JSON strings: escapes, UTF-8, hex and base64.
//
// Threads: pure functions.
// Invariants: a decoder never writes more bytes than its text has, so room for the text is enough.

#ifndef WEIR_WIRE_JSON_TEXT_H_
#define WEIR_WIRE_JSON_TEXT_H_

#include <cstddef>
#include <string_view>

#include "weir/wire/json_buffer.h"

namespace weir::wire::json {

// Offset of the first byte that is not part of well-formed UTF-8, or npos. Surrogates and overlong
// forms are not well-formed.
std::size_t FindInvalidUtf8(std::string_view text);

// Appends `text` as a JSON string, quotes included. Returns false when bytes that are not UTF-8
// were replaced by U+FFFD.
bool AppendQuoted(std::string_view text, JsonBuffer& out);

// Each decoder writes to `out` and returns the end of what it wrote, or null when the text is not
// in its form.

// `text` is the inside of a JSON string. A lone surrogate becomes U+FFFD.
char* Unescape(std::string_view text, char* out);
// Either case. Odd lengths are refused.
char* DecodeHex(std::string_view text, char* out);
// Standard or URL-safe alphabet, padded or not.
char* DecodeBase64(std::string_view text, char* out);

// In lower case, without quotes.
void AppendHex(std::string_view bytes, JsonBuffer& out);
// Standard alphabet, padded, without quotes.
void AppendBase64(std::string_view bytes, JsonBuffer& out);

}  // namespace weir::wire::json

#endif  // WEIR_WIRE_JSON_TEXT_H_

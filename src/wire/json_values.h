// One JSON scalar to one protobuf field, by the schema's kind of that field.
//
// A token is what stands at a value in the text: complete, and maybe with white space behind it.
//
// Threads: pure functions over what is given.

#ifndef WEIR_WIRE_JSON_VALUES_H_
#define WEIR_WIRE_JSON_VALUES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "weir/wire/json.h"
#include "weir/wire/json_buffer.h"
#include "wire/json_schema.h"

namespace weir::wire::json {

std::string_view TrimRight(std::string_view token);
// The inside of a string token. nullopt when the token is no complete string.
std::optional<std::string_view> StringBody(std::string_view token);
// JSON's number grammar, which std::from_chars is laxer than.
bool IsNumber(std::string_view text);

struct ValueResult {
  JsonError error = JsonError::kNone;
  std::string_view what = {};  // Follows the field's name: "is not a number".
  bool wrote = false;

  bool ok() const { return error == JsonError::kNone; }
};

// The bits to encode: a varint's value, or the bytes of a fixed width. Numbers, enums and booleans.
ValueResult ReadBits(const Field& field, std::string_view token, std::uint64_t& bits);

// Appends tag and value; a default value only when `keep_default`. `scratch` holds one string while
// the call lasts.
ValueResult AppendScalar(const Field& field, std::string_view token, bool keep_default,
                         JsonBuffer& scratch, JsonBuffer& out);

}  // namespace weir::wire::json

#endif  // WEIR_WIRE_JSON_VALUES_H_

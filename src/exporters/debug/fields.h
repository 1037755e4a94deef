// Fields of a message by their number, and values as text. Each call walks the message; text for
// people is not a hot path.
//
// Threads: pure functions.

#ifndef WEIR_EXPORTERS_DEBUG_FIELDS_H_
#define WEIR_EXPORTERS_DEBUG_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/wire/view.h"

namespace weir::exporters::debug {

using wire::FieldNumber;

// The last occurrence counts; empty or 0 where there is none.
std::string_view Bytes(std::string_view message, FieldNumber field);
std::uint64_t Varint(std::string_view message, FieldNumber field);
std::uint64_t Fixed64(std::string_view message, FieldNumber field);
std::optional<std::uint64_t> FindFixed64(std::string_view message, FieldNumber field);
std::uint32_t Fixed32(std::string_view message, FieldNumber field);
std::int32_t ZigZag(std::string_view message, FieldNumber field);
double Double(std::string_view message, FieldNumber field);
// Packed or not.
std::vector<std::uint64_t> Numbers(std::string_view message, FieldNumber field,
                                   wire::WireType type);
// All messages of `field`, laid end to end: their merge.
std::string Merged(std::string_view message, FieldNumber field);

// False when something in it is no legal protobuf, as far down as text is made of it.
bool IsWellFormed(std::string_view message);

std::string Hex(std::string_view bytes);
// 2020-02-11 20:26:12.000000321 +0000 UTC
std::string TimeText(std::uint64_t unix_nanos);
// Six digits behind the point; NaN, +Inf, -Inf.
std::string FixedText(double value);
// The shortest digits; an exponent below 1e-04 and from 1e+06, as Go prints by default.
std::string ShortText(double value);
std::string ValueText(std::string_view any_value);
// Str(text), Int(5), Map({"a":1}), ...
std::string TypedText(std::string_view any_value);

}  // namespace weir::exporters::debug

#endif  // WEIR_EXPORTERS_DEBUG_FIELDS_H_

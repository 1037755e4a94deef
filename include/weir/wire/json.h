// OTLP/JSON to OTLP bytes and back, both straight: no object tree stands between.
//
//   JsonToProtoResult in = JsonToProto(Signal::kTraces, body, {}, &budget);
//   if (in.error != JsonError::kNone) answer 400 with in.message
//
//   ProtoToJsonResult out = ProtoToJson(Signal::kTraces, parts, buffer);
//
// Read, as the OTLP specification's "JSON Protobuf Encoding" and protobuf's own JSON mapping have
// it: lowerCamelCase or snake_case keys in any order; ids in hex of either case; integers as
// numbers or decimal strings; enums by number or name; base64, standard or URL-safe; "NaN",
// "Infinity", "-Infinity"; null means absent; unknown keys are skipped. Of a scalar given twice the
// last counts; a repeated field given twice is joined and a message given twice merges, as in
// protobuf. A lone UTF-16 surrogate escape becomes U+FFFD.
//
// Written: one line, fields in the order they came, defaults left out, enums as numbers, 64-bit
// integers as strings. This is what the Collector's file exporter writes, except that a message is
// written when it is present on the wire (the Collector always writes a resource, a scope and a
// status, if empty).
//
// Threads: pure functions over a per-thread scratch memory of at most 1 MiB kept between calls.
// Loss: what JSON cannot hold is counted in ProtoToJsonResult and never silent.
// Invariants: what JsonToProto returns is legal OTLP in the shortest encoding, valid UTF-8
// included. What ProtoToJson appends is always one valid JSON value, or nothing.

#ifndef WEIR_WIRE_JSON_H_
#define WEIR_WIRE_JSON_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "weir/base/budget.h"
#include "weir/base/slice.h"
#include "weir/wire/json_buffer.h"
#include "weir/wire/signal.h"

namespace weir::wire {

// Why bytes were refused. Closed: the names are metric labels.
enum class JsonError : std::uint8_t {
  kNone,
  kSyntax,     // Not JSON.
  kNotUtf8,    // Bytes that are not UTF-8.
  kTooLarge,   // Over JsonLimits::input_bytes_max.
  kTooDeep,    // Nested deeper than JsonLimits::depth_max.
  kWrongType,  // An object where an array belongs, and the like.
  kBadNumber,  // Not a number, or out of the field's range.
  kBadHex,     // A trace or span id that is not hex.
  kBadBase64,
  kBadEnum,    // A name the enum does not have.
  kMalformed,  // ProtoToJson only: not legal protobuf.
};

// "none", "syntax", "not_utf8", ...
std::string_view JsonErrorName(JsonError error);

struct JsonLimits {
  // Raising it raises the transient memory of one call: about six times the input.
  std::size_t input_bytes_max = std::size_t{64} << 20;
  // Levels of protobuf messages, the request being the first. protobuf's own parsers stop at 100,
  // so what is deeper could be read by nobody.
  int depth_max = 100;
};

struct JsonToProtoResult {
  Slice bytes;  // Empty on error; charged to the budget.
  JsonError error = JsonError::kNone;
  std::size_t offset = 0;  // Of the error, in bytes from the start of the input.
  std::string message;     // For the sender: what is wrong, and where.

  bool ok() const { return error == JsonError::kNone; }
};

// `budget`, where given, is charged (never asked) for the result and for the scratch memory while
// the call lasts.
JsonToProtoResult JsonToProto(Signal signal, std::string_view json, const JsonLimits& limits = {},
                              MemoryBudget* budget = nullptr);

struct ProtoToJsonResult {
  JsonError error = JsonError::kNone;  // kNone or kMalformed.
  std::uint64_t unknown_fields = 0;    // Left out: the schema has no name for them.
  std::uint64_t replaced_strings = 0;  // Strings in which invalid UTF-8 became U+FFFD.
  std::uint64_t dropped_items = 0;     // Left out: malformed inside, or nested too deep.

  bool ok() const { return error == JsonError::kNone; }
};

// Appends one JSON request made of all `parts`, which are OTLP requests laid end to end. A
// malformed item is left out and counted; malformed boundaries above items are an error, and the
// buffer is then as it was.
ProtoToJsonResult ProtoToJson(Signal signal, std::span<const std::string_view> parts,
                              JsonBuffer& out);
ProtoToJsonResult ProtoToJson(Signal signal, std::string_view request, JsonBuffer& out);

}  // namespace weir::wire

#endif  // WEIR_WIRE_JSON_H_

// The OTLP messages of all three signals as one table, read by both directions of OTLP/JSON.
//
// Threads: constants.
// Invariants: fields of a message stand in the order of the published schema, which is the order
// they are written in; field numbers are at most kFieldNumberMax; a message has at most
// kMessageFieldsMax fields.

#ifndef WEIR_WIRE_JSON_SCHEMA_H_
#define WEIR_WIRE_JSON_SCHEMA_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "weir/wire/signal.h"
#include "weir/wire/varint.h"

namespace weir::wire::json {

inline constexpr std::uint32_t kFieldNumberMax = 16;
inline constexpr std::size_t kMessageFieldsMax = 18;

enum class Kind : std::uint8_t {
  kString,
  kHexBytes,     // Trace and span ids.
  kBase64Bytes,  // Every other bytes field.
  kBool,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kSint32,
  kFixed32,
  kFixed64,
  kSfixed64,
  kDouble,
  kEnum,
  kMessage,
};

// How a value of `kind` is encoded when it stands alone.
constexpr WireType WireTypeOf(Kind kind) {
  switch (kind) {
    case Kind::kString:
    case Kind::kHexBytes:
    case Kind::kBase64Bytes:
    case Kind::kMessage:
      return WireType::kLength;
    case Kind::kFixed32:
      return WireType::kFixed32;
    case Kind::kFixed64:
    case Kind::kSfixed64:
    case Kind::kDouble:
      return WireType::kFixed64;
    default:
      return WireType::kVarint;
  }
}

enum class Cardinality : std::uint8_t {
  kSingular,  // A default value is the same as none.
  kOptional,  // Presence counts: proto3 optional.
  kOneof,     // Presence counts, and one of these at most. No message has two oneofs.
  kRepeated,
};

struct EnumName {
  std::string_view name;
  std::int32_t number;
};

struct Message;

struct Field {
  std::string_view quoted_key;  // As written: the key in quotes, and the colon.
  std::string_view snake_name;  // The name in the schema file; also accepted as a key.
  std::uint32_t number;
  Kind kind;
  Cardinality cardinality = Cardinality::kSingular;
  const Message* message = nullptr;           // kMessage only.
  std::span<const EnumName> enum_names = {};  // kEnum only.
  WireType wire_type = WireTypeOf(kind);      // Of one value, not packed.

  constexpr std::string_view json_name() const {
    return quoted_key.substr(1, quoted_key.size() - 3);
  }
  constexpr bool repeated() const { return cardinality == Cardinality::kRepeated; }
  constexpr bool has_presence() const {
    return cardinality == Cardinality::kOptional || cardinality == Cardinality::kOneof;
  }
  constexpr std::uint32_t tag() const { return MakeTag(number, wire_type); }
};

struct Message {
  std::string_view name;
  // Bytes reserved for the length in front of this message; the usual size, so that a body rarely
  // has to be moved.
  std::uint8_t length_width;
  // Spans, log records, data points, and metrics: what is left out alone when it is malformed.
  bool is_item = false;
  std::span<const Field> fields;
  std::array<std::int8_t, kFieldNumberMax + 1> index_by_number;  // -1 where there is none.
};

// The Export*ServiceRequest of a signal; field 1 is all it has.
const Message& RequestMessage(Signal signal);
const Message& AnyValueMessage();
const Message& MetricMessage();

// Every message there is, for tests.
std::span<const Message* const> AllMessages();

}  // namespace weir::wire::json

#endif  // WEIR_WIRE_JSON_SCHEMA_H_

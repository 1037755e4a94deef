// Protobuf to JSON. JSON wants the values of one field together, protobuf does not keep them so:
// each message is first cut into runs of equal fields. When every field is one run, which is how
// encoders write, the runs are emitted as they lie. Otherwise the message is scattered, and read
// once for each of its fields. Neither needs memory or time that grows faster than the bytes.

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

#include "weir/wire/json.h"
#include "weir/wire/scanner.h"
#include "weir/wire/varint.h"
#include "wire/json_schema.h"
#include "wire/json_text.h"

namespace weir::wire {
namespace json {
namespace {

// The request is level 1; what is deeper could be read by no protobuf parser.
constexpr int kDepthMax = kNestingMax;

struct Bytes {
  const char* begin = nullptr;
  const char* end = nullptr;

  std::string_view view() const { return {begin, static_cast<std::size_t>(end - begin)}; }
};

// One field as it lies in the bytes.
struct Occurrence {
  const char* next = nullptr;    // Behind it; null when malformed.
  const Field* field = nullptr;  // Null when unknown.
  bool packed = false;           // Repeated numbers in one length-delimited value.
  Bytes value;                   // Of a length-delimited one.
  std::uint64_t bits = 0;        // Of any other.
};

// A known field of another wire type is unknown, as to protobuf.
inline Occurrence ReadOccurrence(const Message& message, const char* p, const char* end) {
  Occurrence found;
  const Varint32 tag = ReadTag(p, end);
  if (tag.next == nullptr) {
    return found;
  }
  const std::uint32_t number = TagField(tag.value);
  const int index = number <= kFieldNumberMax ? message.index_by_number[number] : -1;
  const WireType type = TagType(tag.value);
  if (index >= 0) {
    const Field& field = message.fields[static_cast<std::size_t>(index)];
    found.packed = type == WireType::kLength && field.repeated() && field.wire_type != type;
    found.field = field.wire_type == type || found.packed ? &field : nullptr;
  }
  if (found.field == nullptr) {
    found.next = SkipField(tag.next, end, tag.value);
    return found;
  }
  switch (type) {
    case WireType::kLength: {
      const Varint32 length = ReadLength(tag.next, end);
      if (length.next != nullptr) {
        found.next = length.next + length.value;
        found.value = {length.next, found.next};
      }
      break;
    }
    case WireType::kFixed64:
      if (end - tag.next >= 8) {
        found.next = tag.next + 8;
        found.bits = LoadFixed64(tag.next);
      }
      break;
    case WireType::kFixed32:
      if (end - tag.next >= 4) {
        found.next = tag.next + 4;
        found.bits = LoadFixed32(tag.next);
      }
      break;
    default: {
      const Varint64 value = ReadVarint(tag.next, end);
      found.next = value.next;
      found.bits = value.value;
    }
  }
  return found;
}

// Consecutive occurrences of one field, tags included, unknown fields maybe between.
struct Run {
  const Field* field;
  Bytes bytes;
};

struct Runs {
  std::array<Run, kMessageFieldsMax> runs;
  std::size_t count = 0;
  std::uint32_t seen = 0;  // Bit i: field i occurs.
  bool scattered = false;  // A field in several runs, a singular one given twice, two of a oneof.
  std::uint64_t unknown_fields = 0;
};

// False when the bytes are not legal protobuf.
inline bool FindRuns(const Message& message, Bytes bytes, Runs& runs) {
  bool oneof_seen = false;
  const Field* last = nullptr;
  for (const char* p = bytes.begin; p != bytes.end;) {
    const Occurrence found = ReadOccurrence(message, p, bytes.end);
    if (found.next == nullptr) {
      return false;
    }
    if (found.field == nullptr) {
      ++runs.unknown_fields;
    } else if (found.field == last && last->repeated()) {
      runs.runs[runs.count - 1].bytes.end = found.next;
    } else {
      last = found.field;
      const std::uint32_t bit = std::uint32_t{1} << (last - message.fields.data());
      const bool oneof = last->cardinality == Cardinality::kOneof;
      runs.scattered |= (runs.seen & bit) != 0 || (oneof && oneof_seen);
      oneof_seen |= oneof;
      runs.seen |= bit;
      if (!runs.scattered) {  // So no more runs than fields.
        runs.runs[runs.count++] = {last, {p, found.next}};
      }
    }
    p = found.next;
  }
  return true;
}

// As a decoder would count them: of the kinds of data, the last one given counts.
std::uint64_t CountDataPoints(Bytes metric) {
  std::uint64_t points = 0;
  const Field* kind = nullptr;
  for (const char* p = metric.begin; p != nullptr && p != metric.end;) {
    const Occurrence data = ReadOccurrence(MetricMessage(), p, metric.end);
    if (data.next != nullptr && data.field != nullptr &&
        data.field->cardinality == Cardinality::kOneof) {
      points = data.field == kind ? points : 0;
      kind = data.field;
      for (const char* q = data.value.begin; q != nullptr && q != data.value.end;) {
        const Occurrence point = ReadOccurrence(*kind->message, q, data.value.end);
        points += point.next != nullptr && point.field != nullptr && point.field->repeated();
        q = point.next;
      }
    }
    p = data.next;
  }
  return points;
}

class Writer {
 public:
  Writer(JsonBuffer& out, ProtoToJsonResult& result) : out_(out), result_(result) {}

  bool WriteMessage(const Message& message, Bytes bytes, int depth);

 private:
  bool WriteScattered(const Message& message, Bytes bytes, std::uint32_t seen, int depth);
  // `bytes` may hold other fields between; they are passed over.
  bool WriteRepeated(const Field& field, const Message& message, Bytes bytes, bool& first,
                     int depth);
  bool WriteMerged(const Field& field, const Message& message, Bytes bytes, bool& first, int depth);
  bool WriteSingular(const Occurrence& found, bool& first, int depth);
  // False, and nothing written, when malformed; an item that is has been counted as dropped and
  // only leaves `wrote` false.
  bool WriteElement(const Occurrence& found, bool& wrote, int depth);
  bool WritePacked(const Field& field, Bytes packed, bool& any);
  void WriteBytes(const Field& field, std::string_view bytes);
  void WriteBits(const Field& field, std::uint64_t bits);
  void WriteKey(const Field& field, bool& first);

  JsonBuffer& out_;
  ProtoToJsonResult& result_;
};

inline void Writer::WriteKey(const Field& field, bool& first) {
  char* to = out_.Reserve(field.quoted_key.size() + 1);
  *to = ',';
  to += first ? 0 : 1;
  first = false;
  std::memcpy(to, field.quoted_key.data(), field.quoted_key.size());
  out_.Advance(to + field.quoted_key.size());
}

bool Writer::WriteMessage(const Message& message, Bytes bytes, int depth) {
  Runs runs;
  if (depth > kDepthMax || !FindRuns(message, bytes, runs)) {
    return false;
  }
  result_.unknown_fields += runs.unknown_fields;
  out_.Append('{');
  bool first = true;
  if (runs.scattered) [[unlikely]] {
    if (!WriteScattered(message, bytes, runs.seen, depth)) {
      return false;
    }
  } else {
    for (std::size_t i = 0; i < runs.count; ++i) {
      const Run& run = runs.runs[i];
      if (run.field->repeated()
              ? !WriteRepeated(*run.field, message, run.bytes, first, depth)
              : !WriteSingular(ReadOccurrence(message, run.bytes.begin, run.bytes.end), first,
                               depth)) {
        return false;
      }
    }
  }
  out_.Append('}');
  return true;
}

bool Writer::WriteScattered(const Message& message, Bytes bytes, std::uint32_t seen, int depth) {
  // Of a oneof the last member given counts, with what was given since any other member.
  const Field* member = nullptr;
  Bytes member_bytes = bytes;
  for (const char* p = bytes.begin; p != bytes.end;) {
    const Occurrence found = ReadOccurrence(message, p, bytes.end);
    if (found.field != nullptr && found.field->cardinality == Cardinality::kOneof &&
        found.field != member) {
      member = found.field;
      member_bytes.begin = p;
    }
    p = found.next;
  }
  bool first = true;
  for (const Field& field : message.fields) {
    const bool oneof = field.cardinality == Cardinality::kOneof;
    if ((seen >> (&field - message.fields.data()) & 1) == 0 || (oneof && &field != member)) {
      continue;
    }
    if (field.repeated()
            ? !WriteRepeated(field, message, bytes, first, depth)
            : !WriteMerged(field, message, oneof ? member_bytes : bytes, first, depth)) {
      return false;
    }
  }
  return true;
}

// Messages given several times are one, laid end to end; of scalars the last counts.
bool Writer::WriteMerged(const Field& field, const Message& message, Bytes bytes, bool& first,
                         int depth) {
  Occurrence last;
  std::string merged;
  for (const char* p = bytes.begin; p != bytes.end;) {
    const Occurrence found = ReadOccurrence(message, p, bytes.end);
    if (found.field == &field) {
      if (field.kind == Kind::kMessage && last.next != nullptr) {
        if (merged.empty()) {
          merged = last.value.view();
        }
        merged += found.value.view();
      }
      last = found;
    }
    p = found.next;
  }
  if (!merged.empty()) {
    last.value = {merged.data(), merged.data() + merged.size()};
  }
  return WriteSingular(last, first, depth);
}

bool Writer::WriteSingular(const Occurrence& found, bool& first, int depth) {
  const Field& field = *found.field;
  if (field.kind == Kind::kMessage) {
    WriteKey(field, first);
    return WriteMessage(*field.message, found.value, depth + 1);
  }
  if (field.wire_type == WireType::kLength) {
    if (found.value.begin != found.value.end || field.has_presence()) {
      WriteKey(field, first);
      WriteBytes(field, found.value.view());
    }
    return true;
  }
  if (found.bits != 0 || field.has_presence()) {
    WriteKey(field, first);
    WriteBits(field, found.bits);
  }
  return true;
}

bool Writer::WriteRepeated(const Field& field, const Message& message, Bytes bytes, bool& first,
                           int depth) {
  WriteKey(field, first);
  out_.Append('[');
  bool any = false;
  for (const char* p = bytes.begin; p != bytes.end;) {
    const Occurrence found = ReadOccurrence(message, p, bytes.end);
    p = found.next;
    if (found.field != &field) {
      continue;
    }
    if (found.packed) {
      if (!WritePacked(field, found.value, any)) {
        return false;
      }
      continue;
    }
    const std::size_t before = out_.size();
    if (any) {
      out_.Append(',');
    }
    bool wrote = true;
    if (!WriteElement(found, wrote, depth)) {
      return false;
    }
    if (!wrote) {
      out_.Truncate(before);
    }
    any |= wrote;
  }
  out_.Append(']');
  return true;
}

bool Writer::WriteElement(const Occurrence& found, bool& wrote, int depth) {
  const Field& field = *found.field;
  if (field.kind != Kind::kMessage) {
    if (field.wire_type == WireType::kLength) {
      WriteBytes(field, found.value.view());
    } else {
      WriteBits(field, found.bits);
    }
    return true;
  }
  if (WriteMessage(*field.message, found.value, depth + 1)) {
    return true;
  }
  wrote = false;
  if (field.message->is_item) {
    result_.dropped_items +=
        field.message == &MetricMessage() ? CountDataPoints(found.value) : std::uint64_t{1};
    return true;
  }
  return false;
}

bool Writer::WritePacked(const Field& field, Bytes packed, bool& any) {
  for (const char* p = packed.begin; p != packed.end;) {
    std::uint64_t bits = 0;
    if (field.wire_type == WireType::kFixed64) {
      if (packed.end - p < 8) {
        return false;
      }
      bits = LoadFixed64(p);
      p += 8;
    } else {
      const Varint64 value = ReadVarint(p, packed.end);
      if (value.next == nullptr) {
        return false;
      }
      bits = value.value;
      p = value.next;
    }
    if (any) {
      out_.Append(',');
    }
    any = true;
    WriteBits(field, bits);
  }
  return true;
}

void Writer::WriteBytes(const Field& field, std::string_view bytes) {
  if (field.kind == Kind::kString) {
    result_.replaced_strings += AppendQuoted(bytes, out_) ? 0 : 1;
    return;
  }
  out_.Append('"');
  if (field.kind == Kind::kHexBytes) {
    AppendHex(bytes, out_);
  } else {
    AppendBase64(bytes, out_);
  }
  out_.Append('"');
}

char* WriteDouble(double value, char* to, char* end) {
  const std::string_view name = std::isnan(value)    ? R"("NaN")"
                                : !std::isinf(value) ? ""
                                : value > 0          ? R"("Infinity")"
                                                     : R"("-Infinity")";
  if (name.empty()) {
    return std::to_chars(to, end, value).ptr;
  }
  std::memcpy(to, name.data(), name.size());
  return to + name.size();
}

template <typename Integer>
char* WriteQuotedInteger(Integer value, char* to, char* end) {
  *to++ = '"';
  to = std::to_chars(to, end, value).ptr;
  *to++ = '"';
  return to;
}

void Writer::WriteBits(const Field& field, std::uint64_t bits) {
  constexpr std::size_t kNumberMax = 40;
  char* to = out_.Reserve(kNumberMax);
  char* const end = to + kNumberMax;
  const auto low = static_cast<std::uint32_t>(bits);
  switch (field.kind) {
    case Kind::kBool: {
      const std::string_view name = bits != 0 ? "true" : "false";
      std::memcpy(to, name.data(), name.size());
      to += name.size();
      break;
    }
    case Kind::kInt32:
    case Kind::kEnum:
      to = std::to_chars(to, end, static_cast<std::int32_t>(low)).ptr;
      break;
    case Kind::kSint32:
      to = std::to_chars(to, end, static_cast<std::int32_t>(low >> 1 ^ (0 - (low & 1)))).ptr;
      break;
    case Kind::kUint32:
    case Kind::kFixed32:
      to = std::to_chars(to, end, low).ptr;
      break;
    case Kind::kInt64:
    case Kind::kSfixed64:
      to = WriteQuotedInteger(static_cast<std::int64_t>(bits), to, end);
      break;
    case Kind::kDouble:
      to = WriteDouble(std::bit_cast<double>(bits), to, end);
      break;
    default:
      to = WriteQuotedInteger(bits, to, end);
  }
  out_.Advance(to);
}

}  // namespace
}  // namespace json

ProtoToJsonResult ProtoToJson(Signal signal, std::span<const std::string_view> parts,
                              JsonBuffer& out) {
  ProtoToJsonResult result;
  const std::size_t start = out.size();
  const json::Message& request = json::RequestMessage(signal);
  json::Writer writer(out, result);
  out.Append('{');
  bool any = false;
  for (const std::string_view part : parts) {
    const char* const end = part.data() + part.size();
    for (const char* p = part.data(); p != end;) {
      const json::Occurrence found = json::ReadOccurrence(request, p, end);
      if (found.next == nullptr) {
        out.Truncate(start);
        result.error = JsonError::kMalformed;
        return result;
      }
      const std::string_view element(p, static_cast<std::size_t>(found.next - p));
      p = found.next;
      if (found.field == nullptr) {
        ++result.unknown_fields;
        continue;
      }
      const std::size_t before = out.size();
      const ProtoToJsonResult result_before = result;
      if (any) {
        out.Append(',');
      } else {
        out.Append(found.field->quoted_key);
        out.Append('[');
      }
      if (writer.WriteMessage(*found.field->message, found.value, 2)) {
        any = true;
        continue;
      }
      // Outside items, a malformed resource or scope say, there is no smaller part to leave out.
      out.Truncate(before);
      result = result_before;
      const ScanResult scan = Scan(signal, element, ScanDepth::kStructure);
      if (!scan.ok()) {
        out.Truncate(start);
        result.error = JsonError::kMalformed;
        return result;
      }
      result.dropped_items += scan.items;
    }
  }
  out.Append(any ? "]}" : "}");
  return result;
}

ProtoToJsonResult ProtoToJson(Signal signal, std::string_view request, JsonBuffer& out) {
  return ProtoToJson(signal, std::span(&request, 1), out);
}

}  // namespace weir::wire

// Views read OTLP where it lies: resources, scopes, spans, log records, metrics, data points,
// attributes and values, without a copy and without an allocation.
//
//   wire::ListReader resources(request, otlp::kRequestResources);
//   for (std::string_view group; resources.Next(group);) {
//     wire::MergedMessage resource;
//     if (!wire::FindMessage(group, otlp::kResourceResource, resource)) ...malformed...
//     wire::AttributeReader attributes(resource.view(), otlp::kResourceAttributes);
//     ...
//   }
//
// A view is made from the contents of one message, checks that message's own fields once (bounds,
// wire types, lengths), and says so when they are broken: that one item is malformed, its
// neighbours are not. What is nested deeper is checked when it is read. UTF-8 is not checked here.
//
// Merging is protobuf's, with one exception: the last scalar wins, and repeated singular messages
// (resource, scope, status, a metric's data) are merged; a field of an unexpected wire type is
// unknown and skipped. The exception is an AnyValue, or a KeyValue's value, that occurs more than
// once: its last occurrence with contents is read, where protobuf would join two arrays or two
// lists.
//
// Threads: views are values over bytes that must not change.
// Ownership: the bytes outlive the view.
// Invariants: nothing outside the bytes given is ever read.

#ifndef WEIR_WIRE_VIEW_H_
#define WEIR_WIRE_VIEW_H_

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/wire/otlp.h"
#include "weir/wire/varint.h"

namespace weir::wire {

using otlp::FieldNumber;

// Walks the fields of one message in the order they lie.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message)
      : next_(message.data()), end_(message.data() + message.size()) {}

  // False at the end and at the first byte that is not protobuf; malformed() tells which.
  bool Next() {
    if (next_ == end_) {
      return false;
    }
    begin_ = next_;
    const Varint32 tag = ReadTag(next_, end_);
    if (tag.next == nullptr) [[unlikely]] {
      return Fail();
    }
    tag_ = tag.value;
    value_ = tag.next;
    if (TagType(tag_) == WireType::kLength && tag_ > 7) [[likely]] {
      const Varint32 length = ReadLength(tag.next, end_);
      if (length.next == nullptr) [[unlikely]] {
        return Fail();
      }
      value_ = length.next;
      next_ = length.next + length.value;
      return true;
    }
    if (TagType(tag_) == WireType::kFixed64 && tag_ > 7 && end_ - tag.next >= 8) {
      next_ = tag.next + 8;
      return true;
    }
    next_ = SkipField(tag.next, end_, tag_);
    return next_ != nullptr || Fail();
  }

  std::uint32_t tag() const { return tag_; }
  FieldNumber number() const { return TagField(tag_); }
  bool Is(FieldNumber number, WireType type) const { return tag_ == MakeTag(number, type); }
  // The whole field, its tag included.
  std::string_view field() const { return Between(begin_, next_); }
  // REQUIRES: the field is length-delimited.
  std::string_view bytes() const { return Between(value_, next_); }
  // REQUIRES: the field is of the type named.
  std::uint64_t varint() const { return ReadVarint(value_, end_).value; }
  std::uint64_t fixed64() const { return LoadFixed64(value_); }
  std::uint32_t fixed32() const { return LoadFixed32(value_); }

  bool malformed() const { return malformed_; }

 private:
  static std::string_view Between(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
  }
  bool Fail() {
    malformed_ = true;
    next_ = end_;
    return false;
  }

  const char* next_;
  const char* end_;
  const char* begin_ = nullptr;
  const char* value_ = nullptr;
  std::uint32_t tag_ = 0;
  bool malformed_ = false;
};

// The elements of one repeated message (or string) of a message.
class ListReader {
 public:
  ListReader(std::string_view message, FieldNumber field)
      : fields_(message), tag_(MakeTag(field, WireType::kLength)) {}

  bool Next(std::string_view& element) {
    while (fields_.Next()) {
      if (fields_.tag() == tag_) {
        element = fields_.bytes();
        return true;
      }
    }
    return false;
  }
  bool malformed() const { return fields_.malformed(); }

 private:
  FieldReader fields_;
  std::uint32_t tag_;
};

// A singular message that may occur more than once: its occurrences laid end to end are their
// merge. One occurrence, which is what everybody sends, is not copied.
class MergedMessage {
 public:
  MergedMessage() = default;
  MergedMessage(const MergedMessage&) = delete;
  MergedMessage& operator=(const MergedMessage&) = delete;

  void Add(std::string_view occurrence);
  void Clear();
  bool present() const { return occurrences_ > 0; }
  std::string_view view() const { return occurrences_ > 1 ? std::string_view(joined_) : single_; }

 private:
  std::uint32_t occurrences_ = 0;
  std::string_view single_;
  std::string joined_;
};

// Merges all occurrences of message `field` in `message`. False when `message` is malformed.
bool FindMessage(std::string_view message, FieldNumber field, MergedMessage& found);

enum class ValueType : std::uint8_t {
  kEmpty,
  kString,
  kBool,
  kInt,
  kDouble,
  kArray,
  kKvlist,
  kBytes,
};

class AnyValueView {
 public:
  AnyValueView() = default;

  // From the contents of an AnyValue. False when malformed, and the view is empty.
  bool Parse(std::string_view contents);

  ValueType type() const { return type_; }
  // Each REQUIRES its type.
  std::string_view string() const { return bytes_; }
  std::string_view bytes() const { return bytes_; }
  bool boolean() const { return bits_ != 0; }
  std::int64_t integer() const { return static_cast<std::int64_t>(bits_); }
  double real() const { return std::bit_cast<double>(bits_); }
  ListReader array() const { return {bytes_, otlp::kArrayValues}; }
  // The contents of the KeyValueList, for an AttributeReader at otlp::kKvlistValues.
  std::string_view kvlist() const { return bytes_; }

 private:
  ValueType type_ = ValueType::kEmpty;
  std::string_view bytes_;
  std::uint64_t bits_ = 0;
};

// One KeyValue.
struct AttributeView {
  std::string_view field;  // The whole field as it lies, tag included: what an edit cuts.
  std::string_view key;
  std::string_view value;  // The contents of its AnyValue.

  // From the contents of a KeyValue; `field` is left as it is. False when malformed.
  bool Parse(std::string_view contents);
};

// The attributes of a message, at `field` of it.
class AttributeReader {
 public:
  AttributeReader(std::string_view message, FieldNumber field)
      : fields_(message), tag_(MakeTag(field, WireType::kLength)) {}

  bool Next(AttributeView& attribute);
  bool malformed() const { return malformed_ || fields_.malformed(); }

 private:
  FieldReader fields_;
  std::uint32_t tag_;
  bool malformed_ = false;
};

enum class Lookup : std::uint8_t { kFound, kAbsent, kMalformed };

// The value of the first attribute named `key`, as the Collector's maps look it up.
Lookup FindAttribute(std::string_view message, FieldNumber field, std::string_view key,
                     AnyValueView& value);

struct ScopeView {
  std::string_view name;
  std::string_view version;
  bool Parse(std::string_view contents);
};

struct SpanView {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view parent_span_id;
  std::string_view trace_state;
  std::string_view name;
  std::string_view status_message;
  // From the first attribute to the last: shorter to search than the whole span.
  std::string_view attributes;
  std::uint64_t start_time = 0;
  std::uint64_t end_time = 0;
  std::int32_t kind = 0;
  std::int32_t status_code = 0;
  std::uint32_t flags = 0;

  static constexpr FieldNumber kAttributes = otlp::kSpanAttributes;
  bool Parse(std::string_view contents);
};

struct LogView {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view severity_text;
  std::string_view event_name;
  std::string_view body;  // The contents of an AnyValue.
  std::string_view attributes;
  std::uint64_t time = 0;
  std::uint64_t observed_time = 0;
  std::int32_t severity_number = 0;
  std::uint32_t flags = 0;

  static constexpr FieldNumber kAttributes = otlp::kLogAttributes;
  bool Parse(std::string_view contents);
};

struct MetricView {
  std::string_view name;
  std::string_view description;
  std::string_view unit;
  // Which of the five kinds of data the metric holds (otlp::kMetricGauge, ...); 0 for none. The
  // last one wins, as in every oneof.
  FieldNumber data_field = 0;

  bool Parse(std::string_view contents);
  // The contents of the data: points at otlp::kDataPoints. False when `contents`, those Parse was
  // given, are malformed.
  bool FindData(std::string_view contents, MergedMessage& data) const;
};

// What all five kinds of data point have in common.
struct PointView {
  std::string_view attributes;
  std::uint64_t start_time = 0;
  std::uint64_t time = 0;

  // `data_field` is the metric's.
  bool Parse(std::string_view contents, FieldNumber data_field);
};

}  // namespace weir::wire

#endif  // WEIR_WIRE_VIEW_H_

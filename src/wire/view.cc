#include "weir/wire/view.h"

namespace weir::wire {
namespace {

// Grows `range` so that it reaches over `field`, which lies behind it in the same message.
void Extend(std::string_view& range, std::string_view field) {
  const char* begin = range.data() == nullptr ? field.data() : range.data();
  range = {begin, static_cast<std::size_t>(field.data() + field.size() - begin)};
}

bool ParseStatus(std::string_view contents, SpanView& span) {
  FieldReader fields(contents);
  while (fields.Next()) {
    switch (fields.tag()) {
      case MakeTag(otlp::kStatusMessage, WireType::kLength):
        span.status_message = fields.bytes();
        break;
      case MakeTag(otlp::kStatusCode, WireType::kVarint):
        span.status_code = static_cast<std::int32_t>(fields.varint());
        break;
      default:
        break;
    }
  }
  return !fields.malformed();
}

}  // namespace

void MergedMessage::Add(std::string_view occurrence) {
  if (++occurrences_ == 1) [[likely]] {
    single_ = occurrence;
    return;
  }
  if (occurrences_ == 2) {
    joined_.assign(single_);
  }
  joined_.append(occurrence);
}

void MergedMessage::Clear() {
  occurrences_ = 0;
  single_ = {};
  joined_.clear();
}

bool FindMessage(std::string_view message, FieldNumber field, MergedMessage& found) {
  found.Clear();
  ListReader occurrences(message, field);
  for (std::string_view occurrence; occurrences.Next(occurrence);) {
    found.Add(occurrence);
  }
  return !occurrences.malformed();
}

bool AnyValueView::Parse(std::string_view contents) {
  *this = AnyValueView();
  FieldReader fields(contents);
  while (fields.Next()) {
    switch (fields.tag()) {
      case MakeTag(otlp::kAnyString, WireType::kLength):
        type_ = ValueType::kString;
        bytes_ = fields.bytes();
        break;
      case MakeTag(otlp::kAnyBool, WireType::kVarint):
        type_ = ValueType::kBool;
        bits_ = fields.varint();
        break;
      case MakeTag(otlp::kAnyInt, WireType::kVarint):
        type_ = ValueType::kInt;
        bits_ = fields.varint();
        break;
      case MakeTag(otlp::kAnyDouble, WireType::kFixed64):
        type_ = ValueType::kDouble;
        bits_ = fields.fixed64();
        break;
      case MakeTag(otlp::kAnyArray, WireType::kLength):
        type_ = ValueType::kArray;
        bytes_ = fields.bytes();
        break;
      case MakeTag(otlp::kAnyKvlist, WireType::kLength):
        type_ = ValueType::kKvlist;
        bytes_ = fields.bytes();
        break;
      case MakeTag(otlp::kAnyBytes, WireType::kLength):
        type_ = ValueType::kBytes;
        bytes_ = fields.bytes();
        break;
      default:
        break;
    }
  }
  if (fields.malformed()) {
    *this = AnyValueView();
    return false;
  }
  return true;
}

bool AttributeView::Parse(std::string_view contents) {
  key = {};
  value = {};
  FieldReader fields(contents);
  while (fields.Next()) {
    if (fields.Is(otlp::kKeyValueKey, WireType::kLength)) {
      key = fields.bytes();
    } else if (fields.Is(otlp::kKeyValueValue, WireType::kLength) && !fields.bytes().empty()) {
      value = fields.bytes();
    }
  }
  return !fields.malformed();
}

bool AttributeReader::Next(AttributeView& attribute) {
  while (!malformed_ && fields_.Next()) {
    if (fields_.tag() == tag_) {
      attribute.field = fields_.field();
      malformed_ = !attribute.Parse(fields_.bytes());
      return !malformed_;
    }
  }
  return false;
}

Lookup FindAttribute(std::string_view message, FieldNumber field, std::string_view key,
                     AnyValueView& value) {
  AttributeReader attributes(message, field);
  for (AttributeView attribute; attributes.Next(attribute);) {
    if (attribute.key == key) {
      return value.Parse(attribute.value) ? Lookup::kFound : Lookup::kMalformed;
    }
  }
  return attributes.malformed() ? Lookup::kMalformed : Lookup::kAbsent;
}

bool ScopeView::Parse(std::string_view contents) {
  *this = ScopeView();
  FieldReader fields(contents);
  while (fields.Next()) {
    if (fields.Is(otlp::kScopeName, WireType::kLength)) {
      name = fields.bytes();
    } else if (fields.Is(otlp::kScopeVersion, WireType::kLength)) {
      version = fields.bytes();
    }
  }
  return !fields.malformed();
}

bool SpanView::Parse(std::string_view contents) {
  *this = SpanView();
  FieldReader fields(contents);
  while (fields.Next()) {
    switch (fields.tag()) {
      case MakeTag(otlp::kSpanAttributes, WireType::kLength):
        Extend(attributes, fields.field());
        break;
      case MakeTag(otlp::kSpanTraceId, WireType::kLength):
        trace_id = fields.bytes();
        break;
      case MakeTag(otlp::kSpanSpanId, WireType::kLength):
        span_id = fields.bytes();
        break;
      case MakeTag(otlp::kSpanTraceState, WireType::kLength):
        trace_state = fields.bytes();
        break;
      case MakeTag(otlp::kSpanParentSpanId, WireType::kLength):
        parent_span_id = fields.bytes();
        break;
      case MakeTag(otlp::kSpanName, WireType::kLength):
        name = fields.bytes();
        break;
      case MakeTag(otlp::kSpanKind, WireType::kVarint):
        kind = static_cast<std::int32_t>(fields.varint());
        break;
      case MakeTag(otlp::kSpanStartTime, WireType::kFixed64):
        start_time = fields.fixed64();
        break;
      case MakeTag(otlp::kSpanEndTime, WireType::kFixed64):
        end_time = fields.fixed64();
        break;
      case MakeTag(otlp::kSpanFlags, WireType::kFixed32):
        flags = fields.fixed32();
        break;
      case MakeTag(otlp::kSpanStatus, WireType::kLength):
        if (!ParseStatus(fields.bytes(), *this)) {
          return false;
        }
        break;
      default:
        break;
    }
  }
  return !fields.malformed();
}

bool LogView::Parse(std::string_view contents) {
  *this = LogView();
  FieldReader fields(contents);
  while (fields.Next()) {
    switch (fields.tag()) {
      case MakeTag(otlp::kLogAttributes, WireType::kLength):
        Extend(attributes, fields.field());
        break;
      case MakeTag(otlp::kLogTime, WireType::kFixed64):
        time = fields.fixed64();
        break;
      case MakeTag(otlp::kLogObservedTime, WireType::kFixed64):
        observed_time = fields.fixed64();
        break;
      case MakeTag(otlp::kLogSeverityNumber, WireType::kVarint):
        severity_number = static_cast<std::int32_t>(fields.varint());
        break;
      case MakeTag(otlp::kLogSeverityText, WireType::kLength):
        severity_text = fields.bytes();
        break;
      case MakeTag(otlp::kLogBody, WireType::kLength):
        if (!fields.bytes().empty()) {
          body = fields.bytes();
        }
        break;
      case MakeTag(otlp::kLogFlags, WireType::kFixed32):
        flags = fields.fixed32();
        break;
      case MakeTag(otlp::kLogTraceId, WireType::kLength):
        trace_id = fields.bytes();
        break;
      case MakeTag(otlp::kLogSpanId, WireType::kLength):
        span_id = fields.bytes();
        break;
      case MakeTag(otlp::kLogEventName, WireType::kLength):
        event_name = fields.bytes();
        break;
      default:
        break;
    }
  }
  return !fields.malformed();
}

bool MetricView::Parse(std::string_view contents) {
  *this = MetricView();
  FieldReader fields(contents);
  while (fields.Next()) {
    if (TagType(fields.tag()) != WireType::kLength) {
      continue;
    }
    switch (fields.number()) {
      case otlp::kMetricName:
        name = fields.bytes();
        break;
      case otlp::kMetricDescription:
        description = fields.bytes();
        break;
      case otlp::kMetricUnit:
        unit = fields.bytes();
        break;
      default:
        if (otlp::IsMetricData(fields.number())) {
          data_field = fields.number();
        }
        break;
    }
  }
  return !fields.malformed();
}

bool MetricView::FindData(std::string_view contents, MergedMessage& data) const {
  data.Clear();
  FieldReader fields(contents);
  while (fields.Next()) {
    if (TagType(fields.tag()) != WireType::kLength || !otlp::IsMetricData(fields.number())) {
      continue;
    }
    if (fields.number() == data_field) {
      data.Add(fields.bytes());
    } else {
      data.Clear();  // Another kind in between takes back what came before it.
    }
  }
  return !fields.malformed();
}

bool PointView::Parse(std::string_view contents, FieldNumber data_field) {
  *this = PointView();
  const std::uint32_t attributes_tag =
      MakeTag(otlp::PointAttributes(data_field), WireType::kLength);
  FieldReader fields(contents);
  while (fields.Next()) {
    if (fields.tag() == attributes_tag) {
      Extend(attributes, fields.field());
    } else if (fields.Is(otlp::kPointStartTime, WireType::kFixed64)) {
      start_time = fields.fixed64();
    } else if (fields.Is(otlp::kPointTime, WireType::kFixed64)) {
      time = fields.fixed64();
    }
  }
  return !fields.malformed();
}

}  // namespace weir::wire

#include "load/request_template.h"

#include <bit>
#include <cstring>
#include <utility>

#include "load/options.h"
#include "weir/base/check.h"
#include "weir/wire/otlp.h"
#include "weir/wire/varint.h"
#include "weir/wire/view.h"

namespace weir::load {
namespace {

namespace otlp = wire::otlp;

// The last eight bytes of a field of a fixed width.
const char* Fixed64Of(const wire::FieldReader& field) {
  return field.field().data() + field.field().size() - sizeof(std::uint64_t);
}

}  // namespace

RequestTemplate::RequestTemplate(const SampleShape& shape, Random& random)
    : sample_(WriteSample(shape, random)), items_(shape.items) {
  FindFields(shape.signal);
}

void RequestTemplate::AddField(const char* at, Kind kind) {
  fields_.push_back({static_cast<std::uint32_t>(at - sample_.data()), kind});
}

void RequestTemplate::FindFields(Signal signal) {
  wire::ListReader groups(sample_.view(), otlp::kRequestResources);
  for (std::string_view group; groups.Next(group);) {
    wire::ListReader scopes(group, otlp::kResourceScopes);
    for (std::string_view scope; scopes.Next(scope);) {
      wire::ListReader items(scope, otlp::kScopeItems);
      for (std::string_view item; items.Next(item);) {
        switch (signal) {
          case Signal::kTraces:
            FindSpanFields(item);
            break;
          case Signal::kMetrics:
            FindMetricFields(item);
            break;
          case Signal::kLogs:
            FindLogFields(item);
            break;
        }
      }
    }
  }
}

void RequestTemplate::FindSpanFields(std::string_view span) {
  bool root = true;
  wire::FieldReader parents(span);
  while (parents.Next()) {
    root = root && parents.number() != otlp::kSpanParentSpanId;
  }
  for (wire::FieldReader field(span); field.Next();) {
    switch (field.number()) {
      case otlp::kSpanTraceId:
        AddField(field.bytes().data(), root ? Kind::kNewTrace : Kind::kTrace);
        break;
      case otlp::kSpanSpanId:
        AddField(field.bytes().data(), Kind::kSpan);
        break;
      case otlp::kSpanParentSpanId:
        AddField(field.bytes().data(), Kind::kParent);
        break;
      case otlp::kSpanStartTime:
      case otlp::kSpanEndTime:
        AddField(Fixed64Of(field), Kind::kTime);
        break;
      default:
        break;
    }
  }
  FindSequence(span, otlp::kSpanAttributes);
}

void RequestTemplate::FindLogFields(std::string_view record) {
  for (wire::FieldReader field(record); field.Next();) {
    switch (field.number()) {
      case otlp::kLogTime:
      case otlp::kLogObservedTime:
        AddField(Fixed64Of(field), Kind::kTime);
        break;
      case otlp::kLogTraceId:
        AddField(field.bytes().data(), Kind::kNewTrace);
        break;
      case otlp::kLogSpanId:
        AddField(field.bytes().data(), Kind::kSpan);
        break;
      default:
        break;
    }
  }
  FindSequence(record, otlp::kLogAttributes);
}

void RequestTemplate::FindMetricFields(std::string_view metric) {
  for (wire::FieldReader data(metric); data.Next();) {
    if (otlp::IsMetricData(data.number())) {
      wire::ListReader points(data.bytes(), otlp::kDataPoints);
      for (std::string_view point; points.Next(point);) {
        FindPointFields(point, data.number());
      }
    }
  }
}

void RequestTemplate::FindPointFields(std::string_view point, std::uint32_t data_field) {
  const bool number = data_field != otlp::kMetricHistogram;
  for (wire::FieldReader field(point); field.Next();) {
    if (field.number() == otlp::kPointStartTime) {
      AddField(Fixed64Of(field), Kind::kStarted);
    } else if (field.number() == otlp::kPointTime) {
      AddField(Fixed64Of(field), Kind::kTime);
    } else if (number && field.number() == otlp::kNumberAsInt) {
      AddField(Fixed64Of(field), Kind::kCounter);
    } else if (number && field.number() == otlp::kNumberAsDouble) {
      AddField(Fixed64Of(field), Kind::kGauge);
    }
  }
  FindSequence(point, otlp::PointAttributes(data_field));
}

void RequestTemplate::FindSequence(std::string_view item, std::uint32_t attributes_field) {
  wire::AttributeReader attributes(item, attributes_field);
  for (wire::AttributeView attribute; attributes.Next(attribute);) {
    if (attribute.key == kSequenceAttribute) {
      WEIR_CHECK(attribute.value.size() == 1 + kSequenceBytes);
      AddField(attribute.value.data() + 1, Kind::kSequence);
    }
  }
}

Slice RequestTemplate::Make(Stamp& stamp) const {
  MutableBuffer buffer = MutableBuffer::Allocate(sample_.size());
  std::memcpy(buffer.data(), sample_.data(), sample_.size());
  Trace trace;
  for (const Field& field : fields_) {
    StampField(field.kind, buffer.data() + field.offset, trace, stamp);
  }
  ++stamp.requests;
  return std::move(buffer).Freeze(sample_.size());
}

void RequestTemplate::StampField(Kind kind, char* at, Trace& trace, Stamp& stamp) const {
  static_assert(sizeof trace.id == kTraceIdBytes && sizeof trace.spans[0] == kSpanIdBytes);
  const auto place = [at] { return static_cast<std::size_t>(*at - 1) % kSpansPerTrace; };
  switch (kind) {
    case Kind::kTime:
      wire::WriteFixed64(at, stamp.now - wire::LoadFixed64(at));
      break;
    case Kind::kStarted:
      wire::WriteFixed64(at, stamp.started);
      break;
    case Kind::kNewTrace:
      trace.id = {stamp.random.Next() | 1, stamp.random.Next()};  // All zero is no id.
      [[fallthrough]];
    case Kind::kTrace:
      std::memcpy(at, trace.id.data(), kTraceIdBytes);
      break;
    case Kind::kSpan: {
      std::uint64_t& span = trace.spans[place()];
      span = stamp.random.Next() | 1;
      wire::WriteFixed64(at, span);
      break;
    }
    case Kind::kParent:
      wire::WriteFixed64(at, trace.spans[place()]);
      break;
    case Kind::kCounter:
      wire::WriteFixed64(at, wire::LoadFixed64(at) + stamp.requests);
      break;
    case Kind::kGauge: {
      const auto middle = std::bit_cast<double>(wire::LoadFixed64(at));
      wire::WriteFixed64(at,
                         std::bit_cast<std::uint64_t>(middle * (0.5 + stamp.random.Fraction())));
      break;
    }
    case Kind::kSequence:
      WEIR_DCHECK(stamp.next_sequence < kSequenceMax);
      wire::WritePaddedVarint(at, stamp.next_sequence++, kSequenceBytes);
      break;
  }
}

}  // namespace weir::load

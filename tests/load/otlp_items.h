// Reads back what a load run sent, by the views, which share no code with the writer.

#ifndef WEIR_TESTS_LOAD_OTLP_ITEMS_H_
#define WEIR_TESTS_LOAD_OTLP_ITEMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/options.h"
#include "weir/base/check.h"
#include "weir/wire/view.h"

namespace weir::load {

struct Item {
  std::string trace_id;
  std::string span_id;
  std::string parent_id;
  std::uint64_t start_time = 0;
  std::uint64_t time = 0;  // A span's end.
  std::uint64_t observed_time = 0;
  std::optional<std::uint64_t> counter;
  std::optional<std::uint64_t> sequence;
  std::size_t attribute_bytes = 0;  // Keys and values, but for the sequence.
};

inline void ReadAttributes(std::string_view item, wire::FieldNumber field, Item& read) {
  wire::AttributeReader attributes(item, field);
  for (wire::AttributeView attribute; attributes.Next(attribute);) {
    wire::AnyValueView value;
    WEIR_CHECK(value.Parse(attribute.value));
    if (attribute.key == kSequenceAttribute) {
      WEIR_CHECK(!read.sequence.has_value());
      read.sequence = static_cast<std::uint64_t>(value.integer());
    } else {
      read.attribute_bytes += attribute.key.size();
      read.attribute_bytes += value.type() == wire::ValueType::kString ? value.string().size() : 2;
    }
  }
  WEIR_CHECK(!attributes.malformed());
}

inline void ReadMetric(std::string_view metric, std::vector<Item>& items) {
  wire::MetricView view;
  wire::MergedMessage data;
  WEIR_CHECK(view.Parse(metric) && view.FindData(metric, data));
  wire::ListReader points(data.view(), wire::otlp::kDataPoints);
  for (std::string_view point; points.Next(point);) {
    wire::PointView parsed;
    WEIR_CHECK(parsed.Parse(point, view.data_field));
    Item& item = items.emplace_back();
    item.start_time = parsed.start_time;
    item.time = parsed.time;
    if (view.data_field == wire::otlp::kMetricSum) {
      for (wire::FieldReader field(point); field.Next();) {
        if (field.number() == wire::otlp::kNumberAsInt) {
          item.counter = field.fixed64();
        }
      }
    }
    ReadAttributes(point, wire::otlp::PointAttributes(view.data_field), item);
  }
}

inline void ReadItem(Signal signal, std::string_view bytes, std::vector<Item>& items) {
  if (signal == Signal::kMetrics) {
    ReadMetric(bytes, items);
  } else if (signal == Signal::kTraces) {
    wire::SpanView span;
    WEIR_CHECK(span.Parse(bytes));
    Item& item = items.emplace_back();
    item.trace_id = span.trace_id;
    item.span_id = span.span_id;
    item.parent_id = span.parent_span_id;
    item.start_time = span.start_time;
    item.time = span.end_time;
    ReadAttributes(bytes, wire::otlp::kSpanAttributes, item);
  } else {
    wire::LogView record;
    WEIR_CHECK(record.Parse(bytes));
    Item& item = items.emplace_back();
    item.trace_id = record.trace_id;
    item.span_id = record.span_id;
    item.time = record.time;
    item.observed_time = record.observed_time;
    ReadAttributes(bytes, wire::otlp::kLogAttributes, item);
  }
}

inline std::vector<Item> ItemsOf(Signal signal, std::string_view request) {
  std::vector<Item> items;
  wire::ListReader groups(request, wire::otlp::kRequestResources);
  for (std::string_view group; groups.Next(group);) {
    wire::ListReader scopes(group, wire::otlp::kResourceScopes);
    for (std::string_view scope; scopes.Next(scope);) {
      wire::ListReader list(scope, wire::otlp::kScopeItems);
      for (std::string_view item; list.Next(item);) {
        ReadItem(signal, item, items);
      }
    }
  }
  return items;
}

}  // namespace weir::load

#endif  // WEIR_TESTS_LOAD_OTLP_ITEMS_H_

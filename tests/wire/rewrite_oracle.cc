#include "tests/wire/rewrite_oracle.h"

#include <memory>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "tests/wire/decoded_request.h"

namespace weir::wire::testing {
namespace {

using google::protobuf::RepeatedPtrField;
using opentelemetry::proto::common::v1::KeyValue;
using opentelemetry::proto::logs::v1::LogRecord;
using opentelemetry::proto::metrics::v1::Metric;
using opentelemetry::proto::trace::v1::Span;

// Removes what `remove` says true to; returns how many.
template <typename T, typename Remove>
std::uint64_t RemoveIf(RepeatedPtrField<T>& list, Remove remove) {
  RepeatedPtrField<T> kept;
  std::uint64_t removed = 0;
  for (T& element : list) {
    if (remove(element)) {
      ++removed;
    } else {
      kept.Add()->Swap(&element);
    }
  }
  list.Swap(&kept);
  return removed;
}

void EditAttributes(RepeatedPtrField<KeyValue>& attributes) {
  RemoveIf(attributes, [](const KeyValue& a) { return a.key() == "service.name"; });
  for (const KeyValue& attribute : attributes) {
    if (attribute.key() == "env") {
      return;
    }
  }
  KeyValue& added = *attributes.Add();
  added.set_key("env");
  added.mutable_value()->set_string_value("test");
}

// What is in a level: items left, items dropped.
struct Count {
  std::uint64_t left = 0;
  std::uint64_t dropped = 0;
  void Add(const Count& other) {
    left += other.left;
    dropped += other.dropped;
  }
  bool emptied() const { return left == 0 && dropped > 0; }
};

bool Drops(const std::string& trace_id) { return !trace_id.empty() && trace_id[0] == 1; }

template <typename Points>
Count EditPoints(Points& points) {
  Count count;
  count.dropped = RemoveIf(points, [](const auto& point) { return point.time_unix_nano() % 2; });
  count.left = static_cast<std::uint64_t>(points.size());
  for (auto& point : points) {
    EditAttributes(*point.mutable_attributes());
  }
  return count;
}

Count EditMetric(Metric& metric) {
  switch (metric.data_case()) {
    case Metric::kGauge:
      return EditPoints(*metric.mutable_gauge()->mutable_data_points());
    case Metric::kSum:
      return EditPoints(*metric.mutable_sum()->mutable_data_points());
    case Metric::kHistogram:
      return EditPoints(*metric.mutable_histogram()->mutable_data_points());
    case Metric::kExponentialHistogram:
      return EditPoints(*metric.mutable_exponential_histogram()->mutable_data_points());
    case Metric::kSummary:
      return EditPoints(*metric.mutable_summary()->mutable_data_points());
    case Metric::DATA_NOT_SET:
      break;
  }
  return {};
}

Count EditItems(RepeatedPtrField<Span>& spans) {
  Count count;
  count.dropped = RemoveIf(spans, [](const Span& span) { return Drops(span.trace_id()); });
  count.left = static_cast<std::uint64_t>(spans.size());
  for (Span& span : spans) {
    EditAttributes(*span.mutable_attributes());
    if (span.kind() == Span::SPAN_KIND_SERVER) {
      span.set_trace_state("ot=th:8");
    }
  }
  return count;
}

Count EditItems(RepeatedPtrField<LogRecord>& records) {
  Count count;
  count.dropped = RemoveIf(records, [](const LogRecord& r) { return Drops(r.trace_id()); });
  count.left = static_cast<std::uint64_t>(records.size());
  for (LogRecord& record : records) {
    EditAttributes(*record.mutable_attributes());
  }
  return count;
}

Count EditItems(RepeatedPtrField<Metric>& metrics) {
  Count count;
  RemoveIf(metrics, [&](Metric& metric) {
    const Count points = EditMetric(metric);
    count.Add(points);
    return points.emptied();
  });
  return count;
}

// Each signal's own names for the same levels.
template <typename Groups, typename Scopes, typename Items>
Count EditGroups(Groups& groups, Scopes scopes_of, Items items_of) {
  Count all;
  RemoveIf(groups, [&](auto& group) {
    Count in_group;
    EditAttributes(*group.mutable_resource()->mutable_attributes());
    RemoveIf(scopes_of(group), [&](auto& scope) {
      if (!scope.scope().version().empty()) {
        scope.mutable_scope()->set_version("2");
      }
      const Count in_scope = EditItems(items_of(scope));
      in_group.Add(in_scope);
      return in_scope.emptied();
    });
    all.Add(in_group);
    return in_group.emptied();
  });
  return all;
}

}  // namespace

bool OracleVisitor::EditAttributes(std::string_view message, FieldNumber field, Edit& edit) {
  bool present = false;
  if (!SearchAttributes(message, field, keys_,
                        [&](std::size_t key, const AttributeView& attribute) {
                          if (key == 0) {
                            edit.Cut(attribute.field);
                          } else {
                            present = true;
                          }
                        })) {
    return false;
  }
  if (!present) {
    edit.Append().StringAttribute(field, "env", "test");
  }
  return true;
}

Verdict OracleVisitor::OnResource(std::string_view resource, Edit& edit) {
  if (!EditAttributes(resource, otlp::kResourceAttributes, edit)) {
    return Verdict::kMalformed;
  }
  // A Resource that is absent is written even when nothing is put into it.
  return Verdict::kEdit;
}

Verdict OracleVisitor::OnScope(std::string_view scope, Edit& edit) {
  ScopeView view;
  if (!view.Parse(scope)) {
    return Verdict::kMalformed;
  }
  if (view.version.empty()) {
    return Verdict::kKeep;
  }
  return edit.SetBytes(scope, otlp::kScopeVersion, "2") ? Verdict::kEdit : Verdict::kMalformed;
}

Verdict OracleVisitor::OnItem(const Item& item, Edit& edit) {
  bool drop = false;
  if (signal_ == Signal::kTraces) {
    SpanView span;
    if (!span.Parse(item.contents)) {
      return Verdict::kMalformed;
    }
    drop = !span.trace_id.empty() && span.trace_id[0] == 1;
    if (span.kind == 2 && !edit.SetBytes(item.contents, otlp::kSpanTraceState, "ot=th:8")) {
      return Verdict::kMalformed;
    }
  } else if (signal_ == Signal::kLogs) {
    LogView record;
    if (!record.Parse(item.contents)) {
      return Verdict::kMalformed;
    }
    drop = !record.trace_id.empty() && record.trace_id[0] == 1;
  } else {
    PointView point;
    if (!point.Parse(item.contents, item.data_field)) {
      return Verdict::kMalformed;
    }
    drop = point.time % 2 == 1;
  }
  if (drop) {
    return Verdict::kDrop;
  }
  if (!EditAttributes(item.contents, item.attributes_field, edit)) {
    return Verdict::kMalformed;
  }
  return edit.empty() ? Verdict::kKeep : Verdict::kEdit;
}

std::optional<DecodedRewrite> RewriteByDecoding(Signal signal, std::string_view bytes) {
  const std::unique_ptr<google::protobuf::Message> request = NewRequest(signal);
  if (!request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::nullopt;
  }
  namespace collector = opentelemetry::proto::collector;
  Count count;
  if (auto* traces =
          dynamic_cast<collector::trace::v1::ExportTraceServiceRequest*>(request.get())) {
    count = EditGroups(
        *traces->mutable_resource_spans(),
        [](auto& group) -> auto& { return *group.mutable_scope_spans(); },
        [](auto& scope) -> auto& { return *scope.mutable_spans(); });
  } else if (auto* logs =
                 dynamic_cast<collector::logs::v1::ExportLogsServiceRequest*>(request.get())) {
    count = EditGroups(
        *logs->mutable_resource_logs(),
        [](auto& group) -> auto& { return *group.mutable_scope_logs(); },
        [](auto& scope) -> auto& { return *scope.mutable_log_records(); });
  } else if (auto* metrics = dynamic_cast<collector::metrics::v1::ExportMetricsServiceRequest*>(
                 request.get())) {
    count = EditGroups(
        *metrics->mutable_resource_metrics(),
        [](auto& group) -> auto& { return *group.mutable_scope_metrics(); },
        [](auto& scope) -> auto& { return *scope.mutable_metrics(); });
  }
  return DecodedRewrite{.bytes = request->SerializeAsString(), .dropped = count.dropped};
}

std::string Reencoded(Signal signal, std::string_view bytes) {
  const std::unique_ptr<google::protobuf::Message> request = NewRequest(signal);
  if (!request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return "protobuf refuses it";
  }
  return request->SerializeAsString();
}

}  // namespace weir::wire::testing

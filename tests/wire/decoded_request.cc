#include "tests/wire/decoded_request.h"

#include <utility>

#include "google/protobuf/stubs/logging.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace weir::wire::testing {
namespace {

namespace collector = opentelemetry::proto::collector;
namespace metrics = opentelemetry::proto::metrics::v1;
using LogsRequest = collector::logs::v1::ExportLogsServiceRequest;
using MetricsRequest = collector::metrics::v1::ExportMetricsServiceRequest;
using TracesRequest = collector::trace::v1::ExportTraceServiceRequest;

// Length first, so that no two lists of parts read the same.
std::string Join(std::string_view before, std::string_view part) {
  std::string joined(before);
  joined += std::to_string(part.size());
  joined += ':';
  joined += part;
  return joined;
}

// Calls visit(points) with the data points that the metric holds, if it holds any kind.
template <typename MetricType, typename Visit>
void VisitPoints(MetricType& metric, Visit&& visit) {
  switch (metric.data_case()) {
    case metrics::Metric::kGauge:
      return visit(*metric.mutable_gauge()->mutable_data_points());
    case metrics::Metric::kSum:
      return visit(*metric.mutable_sum()->mutable_data_points());
    case metrics::Metric::kHistogram:
      return visit(*metric.mutable_histogram()->mutable_data_points());
    case metrics::Metric::kExponentialHistogram:
      return visit(*metric.mutable_exponential_histogram()->mutable_data_points());
    case metrics::Metric::kSummary:
      return visit(*metric.mutable_summary()->mutable_data_points());
    case metrics::Metric::DATA_NOT_SET:
      return;
  }
}

class Collecting {
 public:
  explicit Collecting(DecodedRequest& decoded) : decoded_(decoded) {}

  void Collect(TracesRequest& request) {
    for (auto& resource : *request.mutable_resource_spans()) {
      Resource(
          resource, *resource.mutable_scope_spans(), [&](const std::string& path, auto& scope) {
            Scope(path, scope, *scope.mutable_spans(), [&](const std::string& inner, auto& span) {
              decoded_.trace_ids.insert(span.trace_id());
              Item(inner, span);
            });
          });
    }
  }
  void Collect(LogsRequest& request) {
    for (auto& resource : *request.mutable_resource_logs()) {
      Resource(resource, *resource.mutable_scope_logs(), [&](const std::string& path, auto& scope) {
        Scope(path, scope, *scope.mutable_log_records(), [&](const std::string& inner, auto& log) {
          decoded_.trace_ids.insert(log.trace_id());
          Item(inner, log);
        });
      });
    }
  }
  void Collect(MetricsRequest& request) {
    for (auto& resource : *request.mutable_resource_metrics()) {
      Resource(
          resource, *resource.mutable_scope_metrics(), [&](const std::string& path, auto& scope) {
            Scope(
                path, scope, *scope.mutable_metrics(),
                [&](const std::string& inner, metrics::Metric& metric) { Metric(inner, metric); });
          });
    }
  }

 private:
  // Moves the children out, so that what is left is the container's own.
  template <typename Container, typename Children, typename Visit>
  void Own(const std::string& path, Container& container, Children& children, Visit&& visit) {
    Children taken;
    taken.Swap(&children);
    const std::string inner = Join(path, container.SerializeAsString());
    if (taken.empty()) {
      decoded_.entries.insert(inner);
    }
    for (auto& child : taken) {
      visit(inner, child);
    }
  }
  template <typename Container, typename Children, typename Visit>
  void Resource(Container& container, Children& children, Visit&& visit) {
    Own("", container, children, visit);
  }
  template <typename Container, typename Children, typename Visit>
  void Scope(const std::string& path, Container& container, Children& children, Visit&& visit) {
    Own(path, container, children, visit);
  }
  void Metric(const std::string& path, metrics::Metric& metric) {
    bool has_data = false;
    VisitPoints(metric, [&](auto& points) {
      has_data = true;
      Own(path, metric, points, [&](const std::string& inner, auto& point) { Item(inner, point); });
    });
    if (!has_data) {
      decoded_.entries.insert(Join(path, metric.SerializeAsString()));
    }
  }
  template <typename ItemType>
  void Item(const std::string& path, const ItemType& item) {
    ++decoded_.items;
    decoded_.entries.insert(Join(path, item.SerializeAsString()));
  }

  DecodedRequest& decoded_;
};

std::uint64_t CountItems(TracesRequest& request) {
  std::uint64_t items = 0;
  for (const auto& resource : request.resource_spans()) {
    for (const auto& scope : resource.scope_spans()) {
      items += static_cast<std::uint64_t>(scope.spans_size());
    }
  }
  return items;
}
std::uint64_t CountItems(LogsRequest& request) {
  std::uint64_t items = 0;
  for (const auto& resource : request.resource_logs()) {
    for (const auto& scope : resource.scope_logs()) {
      items += static_cast<std::uint64_t>(scope.log_records_size());
    }
  }
  return items;
}
std::uint64_t CountItems(MetricsRequest& request) {
  std::uint64_t items = 0;
  for (auto& resource : *request.mutable_resource_metrics()) {
    for (auto& scope : *resource.mutable_scope_metrics()) {
      for (auto& metric : *scope.mutable_metrics()) {
        VisitPoints(metric,
                    [&](auto& points) { items += static_cast<std::uint64_t>(points.size()); });
      }
    }
  }
  return items;
}

// Calls use(request) with the parsed request; false when protobuf refuses it.
template <typename Request, typename Use>
bool Parse(std::string_view bytes, Use&& use) {
  // Refusals are what we ask for; protobuf need not print each.
  static google::protobuf::LogHandler* const silenced = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(silenced);
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return false;
  }
  use(request);
  return true;
}

template <typename Use>
bool Parse(Signal signal, std::string_view bytes, Use&& use) {
  switch (signal) {
    case Signal::kTraces:
      return Parse<TracesRequest>(bytes, use);
    case Signal::kMetrics:
      return Parse<MetricsRequest>(bytes, use);
    case Signal::kLogs:
      return Parse<LogsRequest>(bytes, use);
  }
  return false;
}

}  // namespace

std::unique_ptr<google::protobuf::Message> NewRequest(Signal signal) {
  switch (signal) {
    case Signal::kTraces:
      return std::make_unique<TracesRequest>();
    case Signal::kMetrics:
      return std::make_unique<MetricsRequest>();
    case Signal::kLogs:
      return std::make_unique<LogsRequest>();
  }
  return nullptr;
}

std::optional<DecodedRequest> Decode(Signal signal, std::string_view bytes) {
  DecodedRequest decoded;
  const bool legal =
      Parse(signal, bytes, [&](auto& request) { Collecting(decoded).Collect(request); });
  return legal ? std::optional(std::move(decoded)) : std::nullopt;
}

std::optional<std::uint64_t> DecodeItems(Signal signal, std::string_view bytes) {
  std::uint64_t items = 0;
  const bool legal = Parse(signal, bytes, [&](auto& request) { items = CountItems(request); });
  return legal ? std::optional(items) : std::nullopt;
}

}  // namespace weir::wire::testing

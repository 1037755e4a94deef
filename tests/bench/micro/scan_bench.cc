// Prints what the scanner costs an item, in both depths, on payloads shaped like a real service's:
// a span of about 520 bytes with twelve attributes, a log record of 265 bytes, a data point of 88.
//
//   scan_bench [rounds]
//
// Each figure is the fastest of the rounds, so that a busy neighbour does not count as our cost.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "weir/wire/scanner.h"

namespace weir::wire {
namespace {

namespace collector = opentelemetry::proto::collector;
using opentelemetry::proto::resource::v1::Resource;

constexpr std::uint64_t kEpochNanos = 1'732'400'000'000'000'000;
constexpr int kItems = 100;

class Payloads {
 public:
  std::string Traces() {
    collector::trace::v1::ExportTraceServiceRequest request;
    auto* const spans = request.add_resource_spans();
    SetResource(*spans->mutable_resource());
    auto* const scope = spans->add_scope_spans();
    scope->mutable_scope()->set_name("io.opentelemetry.tomcat-10.0");
    scope->mutable_scope()->set_version("2.9.0");
    for (int i = 0; i < kItems; ++i) {
      AddSpan(*scope->add_spans(), kEpochNanos + static_cast<std::uint64_t>(i));
    }
    return request.SerializeAsString();
  }

  std::string Logs() {
    collector::logs::v1::ExportLogsServiceRequest request;
    auto* const logs = request.add_resource_logs();
    SetResource(*logs->mutable_resource());
    auto* const scope = logs->add_scope_logs();
    scope->mutable_scope()->set_name("com.shop.checkout");
    for (int i = 0; i < kItems; ++i) {
      auto& record = *scope->add_log_records();
      record.set_time_unix_nano(kEpochNanos + static_cast<std::uint64_t>(i));
      record.set_observed_time_unix_nano(record.time_unix_nano());
      record.set_severity_number(opentelemetry::proto::logs::v1::SEVERITY_NUMBER_INFO);
      record.set_severity_text("INFO");
      record.mutable_body()->set_string_value(
          fmt::format("order {} accepted for customer {} in {} ms, total={}.{:02} EUR",
                      Below(9'999'999), Below(999'999), Below(900), Below(999), Below(99)));
      Set(record, "thread.name", fmt::format("exec-{}", Below(99)));
      Set(record, "code.function", "accept");
      Set(record, "http.request.id", fmt::format("{:016x}{:016x}", random_(), random_()));
      Set(record, "customer.tier", "gold");
      record.set_trace_id(Bytes(16));
      record.set_span_id(Bytes(8));
    }
    return request.SerializeAsString();
  }

  std::string Metrics() {
    collector::metrics::v1::ExportMetricsServiceRequest request;
    auto* const metrics = request.add_resource_metrics();
    SetResource(*metrics->mutable_resource());
    auto* const scope = metrics->add_scope_metrics();
    scope->mutable_scope()->set_name("io.micrometer");
    for (int i = 0; i < kItems / 10; ++i) {
      auto& metric = *scope->add_metrics();
      metric.set_name(fmt::format("http.server.requests.{}", i));
      metric.set_unit("1");
      metric.set_description("requests");
      metric.mutable_sum()->set_aggregation_temporality(
          opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
      metric.mutable_sum()->set_is_monotonic(true);
      for (int j = 0; j < 10; ++j) {
        auto& point = *metric.mutable_sum()->add_data_points();
        point.set_time_unix_nano(kEpochNanos);
        point.set_start_time_unix_nano(kEpochNanos - 1'000'000'000);
        point.set_as_int(static_cast<std::int64_t>(Below(1'000'000)));
        Set(point, "method", Below(2) == 0 ? "GET" : "POST");
        Set(point, "status", Below(2) == 0 ? "200" : "404");
        Set(point, "route", fmt::format("/r/{}", j));
      }
    }
    return request.SerializeAsString();
  }

 private:
  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  std::string Bytes(std::size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random_());
    }
    return bytes;
  }
  template <typename Owner>
  static void Set(Owner& owner, const char* key, std::string value) {
    auto* const attribute = owner.add_attributes();
    attribute->set_key(key);
    attribute->mutable_value()->set_string_value(std::move(value));
  }
  template <typename Owner>
  static void SetInt(Owner& owner, const char* key, std::uint64_t value) {
    auto* const attribute = owner.add_attributes();
    attribute->set_key(key);
    attribute->mutable_value()->set_int_value(static_cast<std::int64_t>(value));
  }
  static void SetResource(Resource& resource) {
    Set(resource, "service.name", "checkout");
    Set(resource, "service.namespace", "shop");
    Set(resource, "service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09");
    Set(resource, "host.name", "node-17.eu-west-1.compute.internal");
    Set(resource, "k8s.pod.name", "checkout-6c9f7b7d9b-x2x8l");
    Set(resource, "telemetry.sdk.language", "java");
  }
  void AddSpan(opentelemetry::proto::trace::v1::Span& span, std::uint64_t start) {
    span.set_trace_id(Bytes(16));
    span.set_span_id(Bytes(8));
    span.set_parent_span_id(Bytes(8));
    span.set_name("GET /api/v1/cart/{id}");
    span.set_kind(opentelemetry::proto::trace::v1::Span::SPAN_KIND_SERVER);
    span.set_start_time_unix_nano(start);
    span.set_end_time_unix_nano(start + Below(9'999'999));
    Set(span, "http.request.method", "GET");
    Set(span, "url.path", fmt::format("/api/v1/cart/{}", Below(99'999)));
    Set(span, "url.scheme", "https");
    SetInt(span, "http.response.status_code", 200);
    Set(span, "http.route", "/api/v1/cart/{id}");
    Set(span, "server.address", "checkout.shop.svc.cluster.local");
    SetInt(span, "server.port", 8443);
    Set(span, "client.address", fmt::format("10.4.{}.{}", Below(255), Below(255)));
    Set(span, "user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
    Set(span, "network.protocol.version", "1.1");
    SetInt(span, "thread.id", Below(300));
    Set(span, "thread.name", fmt::format("http-nio-8443-exec-{}", Below(200)));
  }

  std::mt19937_64 random_{7};
};

double NanosPerItem(Signal signal, std::string_view request, ScanDepth depth, int rounds) {
  constexpr int kScans = 200;
  double best = 1e18;
  for (int round = 0; round < rounds; ++round) {
    std::uint64_t items = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kScans; ++i) {
      const ScanResult scan = Scan(signal, request, depth);
      if (!scan.ok()) {
        std::abort();
      }
      items += scan.items;
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count() / static_cast<double>(items));
  }
  return best;
}

void Report(Signal signal, const std::string& request, int rounds) {
  const std::string_view item = SignalItemName(signal);
  std::printf("%-14.*s %5zu bytes each   structure %7.2f ns   full %7.2f ns\n",
              static_cast<int>(item.size()), item.data(), request.size() / kItems,
              NanosPerItem(signal, request, ScanDepth::kStructure, rounds),
              NanosPerItem(signal, request, ScanDepth::kFull, rounds));
}

}  // namespace
}  // namespace weir::wire

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 50;
  weir::wire::Payloads payloads;
  weir::wire::Report(weir::Signal::kTraces, payloads.Traces(), rounds);
  weir::wire::Report(weir::Signal::kLogs, payloads.Logs(), rounds);
  weir::wire::Report(weir::Signal::kMetrics, payloads.Metrics(), rounds);
  return 0;
}

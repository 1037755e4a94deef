// Megabytes of JSON a second, both directions, on payloads like those of tests/bench.

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "fmt/core.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "weir/wire/json.h"

namespace weir::wire {
namespace {

std::mt19937_64 random_bits(7);

std::string RandomBytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) {
    c = static_cast<char>(random_bits());
  }
  return bytes;
}

template <typename Owner>
void AddText(Owner& owner, std::string_view key, std::string_view value) {
  auto* attribute = owner.add_attributes();
  attribute->set_key(std::string(key));
  attribute->mutable_value()->set_string_value(std::string(value));
}

template <typename Owner>
void AddInt(Owner& owner, std::string_view key, std::int64_t value) {
  auto* attribute = owner.add_attributes();
  attribute->set_key(std::string(key));
  attribute->mutable_value()->set_int_value(value);
}

template <typename Owner>
void FillResource(Owner& resource) {
  AddText(resource, "service.name", "checkout");
  AddText(resource, "service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09");
  AddText(resource, "host.name", "node-17.eu-west-1.compute.internal");
  AddText(resource, "k8s.pod.name", "checkout-6c9f7b7d9b-x2x8l");
  AddText(resource, "deployment.environment", "production");
}

std::string Traces(int count) {
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
  auto* resource = request.add_resource_spans();
  FillResource(*resource->mutable_resource());
  auto* scope = resource->add_scope_spans();
  scope->mutable_scope()->set_name("io.opentelemetry.tomcat-10.0");
  for (int i = 0; i < count; ++i) {
    auto* span = scope->add_spans();
    span->set_trace_id(RandomBytes(16));
    span->set_span_id(RandomBytes(8));
    span->set_parent_span_id(RandomBytes(8));
    span->set_name("GET /api/v1/cart/{id}");
    span->set_kind(opentelemetry::proto::trace::v1::Span::SPAN_KIND_SERVER);
    span->set_start_time_unix_nano(1732400000000000000u + static_cast<std::uint64_t>(i));
    span->set_end_time_unix_nano(1732400000009999999u + static_cast<std::uint64_t>(i));
    AddText(*span, "http.request.method", "GET");
    AddText(*span, "url.path", "/api/v1/cart/48213");
    AddText(*span, "url.scheme", "https");
    AddInt(*span, "http.response.status_code", 200);
    AddText(*span, "http.route", "/api/v1/cart/{id}");
    AddText(*span, "server.address", "checkout.shop.svc.cluster.local");
    AddInt(*span, "server.port", 8443);
    AddText(*span, "client.address", "10.4.120.33");
    AddText(*span, "user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
    AddText(*span, "network.protocol.version", "1.1");
    AddInt(*span, "thread.id", i);
    AddText(*span, "thread.name", "http-nio-8443-exec-17");
  }
  return request.SerializeAsString();
}

std::string Logs(int count) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest request;
  auto* resource = request.add_resource_logs();
  FillResource(*resource->mutable_resource());
  auto* scope = resource->add_scope_logs();
  for (int i = 0; i < count; ++i) {
    auto* record = scope->add_log_records();
    record->set_time_unix_nano(1732400000000000000u + static_cast<std::uint64_t>(i));
    record->set_observed_time_unix_nano(1732400000000000000u);
    record->set_severity_text("INFO");
    record->mutable_body()->set_string_value(
        fmt::format("order {} accepted for customer \"{}\" in 17 ms, total=99.10 EUR", i, i * 7));
    AddText(*record, "thread.name", "exec-42");
    AddText(*record, "code.function", "accept");
    AddText(*record, "customer.tier", "gold");
    record->set_trace_id(RandomBytes(16));
    record->set_span_id(RandomBytes(8));
  }
  return request.SerializeAsString();
}

std::string Metrics(int count) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto* resource = request.add_resource_metrics();
  FillResource(*resource->mutable_resource());
  auto* scope = resource->add_scope_metrics();
  for (int i = 0; i < count; i += 10) {
    auto* metric = scope->add_metrics();
    metric->set_name("http.server.requests");
    for (int j = 0; j < 10; ++j) {
      auto* point = metric->mutable_sum()->add_data_points();
      point->set_time_unix_nano(1732400000000000000u);
      point->set_start_time_unix_nano(1732300000000000000u);
      point->set_as_double(static_cast<double>(random_bits() % 1'000'000) / 100);
      AddText(*point, "method", "GET");
      AddText(*point, "status", "200");
    }
  }
  return request.SerializeAsString();
}

double ThreadNanos() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The best of many rounds, in nanoseconds of CPU a call: neighbours on the machine only add.
double BestNanos(const std::function<void()>& call) {
  double best = 1e18;
  for (int round = 0; round < 100; ++round) {
    constexpr int kCalls = 10;
    const double start = ThreadNanos();
    for (int i = 0; i < kCalls; ++i) {
      call();
    }
    best = std::min(best, (ThreadNanos() - start) / kCalls);
  }
  return best;
}

void Measure(Signal signal, const std::string& request) {
  JsonBuffer json;
  static_cast<void>(ProtoToJson(signal, request, json));
  const std::string text(json.view());
  std::size_t sink = 0;
  const double in = BestNanos([&] { sink += JsonToProto(signal, text).bytes.size(); });
  const double out = BestNanos([&] {
    json.Clear();
    static_cast<void>(ProtoToJson(signal, request, json));
    sink += json.size();
  });
  const double bytes = static_cast<double>(text.size());
  fmt::print("{:8} {:7} bytes of JSON ({} of protobuf): in {:5.0f} MB/s, out {:5.0f} MB/s{}\n",
             SignalName(signal), text.size(), request.size(), bytes * 1e3 / in, bytes * 1e3 / out,
             sink == 0 ? "!" : "");
}

}  // namespace
}  // namespace weir::wire

int main() {
  weir::wire::Measure(weir::Signal::kTraces, weir::wire::Traces(100));
  weir::wire::Measure(weir::Signal::kLogs, weir::wire::Logs(100));
  weir::wire::Measure(weir::Signal::kMetrics, weir::wire::Metrics(100));
}

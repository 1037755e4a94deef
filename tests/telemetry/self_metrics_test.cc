#include "weir/telemetry/self_metrics.h"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "telemetry/metrics_reference.h"
#include "telemetry/process_metrics.h"
#include "telemetry/prometheus_text.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(SelfMetricsTest, TableIsSortedDistinctAndComplete) {
  std::set<std::string_view> names;
  for (const MetricSpec& spec : AllSelfMetrics()) {
    EXPECT_TRUE(names.empty() || *names.rbegin() < spec.name) << spec.name;
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_THAT(std::string(spec.name), MatchesRegex("(otelcol|weir)_[a-z_]+"));
    EXPECT_THAT(std::string(spec.help), MatchesRegex("[A-Z].*\\.")) << spec.name;
    const bool is_own_counter = spec.name.starts_with("weir_") && spec.type == MetricType::kCounter;
    EXPECT_EQ(is_own_counter, spec.name.ends_with("_total")) << spec.name;
  }
}

// The names and labels that dashboards for the Collector ask for.
TEST(SelfMetricsTest, BundlesShowTheCollectorsSeries) {
  MetricRegistry registry;
  MetricScope scope(registry);
  ReceiverMetrics receiver(scope, "otlp", "grpc", Signal::kTraces);
  receiver.accepted.Add(1);
  receiver.refused.Add(2);
  receiver.failed.Add(3);
  ProcessorMetrics processor(scope, "attributes/x", Signal::kLogs);
  processor.incoming.Add(4);
  processor.outgoing.Add(5);
  MemoryLimiterMetrics limiter(scope, "memory_limiter", Signal::kLogs);
  limiter.refused.Add(6);
  BatchMetrics batch(scope, "batch");
  batch.send_size.Record(8192);
  batch.size_trigger_send.Add(7);
  ExporterMetrics exporter(scope, "otlp/2", Signal::kMetrics);
  exporter.sent.Add(8);
  exporter.in_flight_requests.Add(9);
  QueueMetrics queue(
      scope, "otlp/2", Signal::kMetrics, [] { return 10; }, [] { return 1000; },
      [] { return 0.25; });
  queue.enqueue_failed.Add(11);
  EdgeLatency(scope, "otlp/2", "exporter", Signal::kMetrics).Record(2'000'000);

  const std::string page = RenderPrometheusText(registry);
  for (const char* line : {
           "otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"grpc\"} 1\n",
           "otelcol_receiver_refused_spans{receiver=\"otlp\",transport=\"grpc\"} 2\n",
           "otelcol_receiver_failed_spans{receiver=\"otlp\",transport=\"grpc\"} 3\n",
           "otelcol_processor_incoming_items{processor=\"attributes/x\",otel_signal=\"logs\"} 4\n",
           "otelcol_processor_outgoing_items{processor=\"attributes/x\",otel_signal=\"logs\"} 5\n",
           "otelcol_processor_refused_log_records{processor=\"memory_limiter\"} 6\n",
           "otelcol_processor_batch_batch_send_size_sum{processor=\"batch\"} 8192\n",
           "otelcol_processor_batch_batch_send_size_bucket{processor=\"batch\",le=\"9000\"} 1\n",
           "otelcol_processor_batch_batch_size_trigger_send{processor=\"batch\"} 7\n",
           "otelcol_exporter_sent_metric_points{exporter=\"otlp/2\"} 8\n",
           "otelcol_exporter_send_failed_metric_points{exporter=\"otlp/2\"} 0\n",
           "otelcol_exporter_in_flight_requests{exporter=\"otlp/2\",data_type=\"metrics\"} 9\n",
           "otelcol_exporter_queue_size{exporter=\"otlp/2\",data_type=\"metrics\"} 10\n",
           "otelcol_exporter_queue_capacity{exporter=\"otlp/2\",data_type=\"metrics\"} 1000\n",
           "otelcol_exporter_enqueue_failed_metric_points{exporter=\"otlp/2\"} 11\n",
           "weir_queue_oldest_age_seconds{exporter=\"otlp/2\",data_type=\"metrics\"} 0.25\n",
           "weir_edge_latency_seconds_count{node=\"otlp/2\",kind=\"exporter\","
           "signal=\"metrics\"} 1\n",
       }) {
    EXPECT_THAT(page, HasSubstr(line));
  }
}

TEST(ProcessMetricsTest, ShowsThisProcess) {
  MetricRegistry registry;
  const MemoryBudget budget(1000);
  ShowProcess(registry);
  ShowBuild(registry, "1.2.3", "abc");
  ShowBudget(registry, budget);
  double rss = 0, threads = 0, fds = 0, heap = 0;
  for (const MetricFamily& family : registry.Collect()) {
    const double value = family.samples[0].value;
    rss = family.name == "otelcol_process_memory_rss" ? value : rss;
    threads = family.name == "weir_process_threads" ? value : threads;
    fds = family.name == "weir_process_open_fds" ? value : fds;
    heap = family.name == "otelcol_process_runtime_total_sys_memory_bytes" ? value : heap;
  }
  EXPECT_GT(rss, 1e6);
  EXPECT_GE(threads, 1);
  EXPECT_GE(fds, 3);
  EXPECT_GE(heap, 0);
  const std::string page = RenderPrometheusText(registry);
  EXPECT_THAT(page, HasSubstr("weir_build_info{version=\"1.2.3\",revision=\"abc\",compiler="));
  EXPECT_THAT(page, HasSubstr("weir_budget_bytes{owner=\"total\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("weir_budget_limit_bytes 1000\n"));
  EXPECT_THAT(page, HasSubstr("otelcol_process_uptime "));
}

TEST(ProcessMetricsTest, ParsesStatWithAnyProgramName) {
  const std::string text =
      "42 (a b) c)) S 1 2 3 4 -1 5 6 7 8 9 250 50 0 0 20 0 17 0 123 456789 2048 "
      "18446744073709551615";
  const auto stat = internal::ParseProcessStat(text, 100);
  ASSERT_TRUE(stat.has_value());
  EXPECT_DOUBLE_EQ(stat->cpu_seconds, 3.0);
  EXPECT_EQ(stat->threads, 17u);
  EXPECT_EQ(stat->resident_pages, 2048u);
  EXPECT_FALSE(internal::ParseProcessStat("", 100).has_value());
  EXPECT_FALSE(internal::ParseProcessStat("42 (weir) S 1 2", 100).has_value());
  EXPECT_FALSE(internal::ParseProcessStat(text, 0).has_value());
}

// docs/metrics.md is made from the table. WEIR_UPDATE_DOCS=1 writes it anew.
TEST(MetricsReferenceTest, DocumentIsWhatTheTableSays) {
  const std::string path = std::string(WEIR_SOURCE_DIR) + "/docs/metrics.md";
  const std::string expected = RenderMetricsReference();
  if (std::getenv("WEIR_UPDATE_DOCS") != nullptr) {
    std::ofstream(path) << expected;
  }
  std::stringstream actual;
  actual << std::ifstream(path).rdbuf();
  EXPECT_EQ(actual.str(), expected) << "run this test with WEIR_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace weir

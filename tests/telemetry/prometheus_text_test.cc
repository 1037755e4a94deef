#include "telemetry/prometheus_text.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

constexpr MetricSpec kSpans{"otelcol_exporter_sent_spans", MetricType::kCounter, "{spans}",
                            "exporter", "Spans sent."};
constexpr MetricSpec kUptime{"otelcol_process_uptime", MetricType::kCounter, "s", "",
                             "Up\\\ntime."};
constexpr MetricSpec kLatency{"weir_latency_seconds", MetricType::kHistogram, "s", "node", "Took."};

TEST(PrometheusTextTest, HelpTypeAndLabels) {
  MetricRegistry registry;
  registry.GetCounter(kSpans, {{"exporter", "otlp/2"}}).Add(123456789);
  registry.GetCounter(kSpans, {{"exporter", "debug"}}).Add(1);
  EXPECT_EQ(RenderPrometheusText(registry),
            "# HELP otelcol_exporter_sent_spans Spans sent.\n"
            "# TYPE otelcol_exporter_sent_spans counter\n"
            "otelcol_exporter_sent_spans{exporter=\"debug\"} 1\n"
            "otelcol_exporter_sent_spans{exporter=\"otlp/2\"} 123456789\n");
}

TEST(PrometheusTextTest, HistogramIsCumulativeAndEndsAtInfinity) {
  MetricRegistry registry;
  Histogram& latency = registry.GetHistogram(kLatency, {{"node", "a"}}, {{1000, 2000}, 1e-3});
  latency.Record(1000);
  latency.Record(1500);
  latency.Record(5000);
  const std::string page = RenderPrometheusText(registry);
  EXPECT_THAT(page, HasSubstr("# TYPE weir_latency_seconds histogram\n"));
  EXPECT_THAT(page, HasSubstr("weir_latency_seconds_count{node=\"a\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("weir_latency_seconds_sum{node=\"a\"} 7.5\n"));
  EXPECT_THAT(page, HasSubstr("weir_latency_seconds_bucket{node=\"a\",le=\"1\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("weir_latency_seconds_bucket{node=\"a\",le=\"2\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("weir_latency_seconds_bucket{node=\"a\",le=\"+Inf\"} 3\n"));
}

// Scenario: configured names hold quotes, newlines, backslashes and bytes that are no UTF-8.
// Guarantees: the page stays readable to a scraper.
TEST(PrometheusTextTest, EscapesValuesAndHelp) {
  MetricRegistry registry;
  registry.GetCounter(kSpans, {{"exporter", "a\"b\\c\nd\xff"}});
  registry.ObserveForever(kUptime, {}, [] { return 1.5; });
  const std::string page = RenderPrometheusText(registry);
  EXPECT_THAT(page, HasSubstr("{exporter=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("# HELP otelcol_process_uptime Up\\\\\\ntime.\n"));
}

TEST(PrometheusTextTest, ConstantLabelsAndTargetInfo) {
  MetricRegistry registry;
  registry.GetCounter(kSpans, {{"exporter", "debug"}});
  PrometheusTextOptions options;
  options.constant_labels = {{"service.name", "weir"}, {"1st", "x"}};
  options.target_info = {{"service.name", "weir"}};
  const std::string page = RenderPrometheusText(registry, options);
  EXPECT_THAT(page, HasSubstr("{exporter=\"debug\",service_name=\"weir\",_1st=\"x\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE target_info gauge\ntarget_info{service_name=\"weir\"} 1\n"));
}

TEST(PrometheusTextTest, NumbersThatAreNotFinite) {
  MetricRegistry registry;
  registry.ObserveForever(kUptime, {}, [] { return std::numeric_limits<double>::infinity(); });
  EXPECT_THAT(RenderPrometheusText(registry), HasSubstr("otelcol_process_uptime +Inf\n"));
}

struct NameCase {
  std::string_view name;
  MetricType type;
  std::string_view unit;
  std::string_view bare;   // Default: neither suffix.
  std::string_view typed;  // without_type_suffix: false
  std::string_view full;   // Both false.
};

TEST(PrometheusTextTest, SuffixesAsTheCollectorsReaderAddsThem) {
  const NameCase cases[] = {
      {"otelcol_exporter_sent_spans", MetricType::kCounter, "{spans}",
       "otelcol_exporter_sent_spans", "otelcol_exporter_sent_spans_total",
       "otelcol_exporter_sent_spans_total"},
      {"otelcol_process_uptime", MetricType::kCounter, "s", "otelcol_process_uptime",
       "otelcol_process_uptime_total", "otelcol_process_uptime_seconds_total"},
      {"otelcol_process_cpu_seconds", MetricType::kCounter, "s", "otelcol_process_cpu_seconds",
       "otelcol_process_cpu_seconds_total", "otelcol_process_cpu_seconds_total"},
      {"otelcol_process_memory_rss", MetricType::kGauge, "By", "otelcol_process_memory_rss",
       "otelcol_process_memory_rss", "otelcol_process_memory_rss_bytes"},
      {"otelcol_exporter_queue_size", MetricType::kGauge, "{batches}",
       "otelcol_exporter_queue_size", "otelcol_exporter_queue_size", "otelcol_exporter_queue_size"},
      {"weir_dropped_items_total", MetricType::kCounter, "{items}", "weir_dropped_items_total",
       "weir_dropped_items_total", "weir_dropped_items_total"},
      {"weir_share", MetricType::kGauge, "1", "weir_share", "weir_share", "weir_share_ratio"},
  };
  for (const NameCase& c : cases) {
    EXPECT_EQ(PrometheusName(c.name, c.type, c.unit, {}), c.bare);
    PrometheusTextOptions options;
    options.without_type_suffix = false;
    EXPECT_EQ(PrometheusName(c.name, c.type, c.unit, options), c.typed);
    options.without_units = false;
    EXPECT_EQ(PrometheusName(c.name, c.type, c.unit, options), c.full);
  }
}

}  // namespace
}  // namespace weir

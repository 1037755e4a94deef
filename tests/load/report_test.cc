#include "load/report.h"

#include <chrono>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir::load {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

Statistics Example() {
  Statistics statistics;
  statistics.sent = 1000300;
  statistics.acknowledged = 1000000;
  statistics.rejected = 100;
  statistics.failed = {{"INTERNAL", 200}};
  statistics.requests = 10003;
  statistics.tries = 10006;
  statistics.answers_ok = 10001;
  statistics.retries = 3;
  statistics.errors = {{"INTERNAL", 2}, {"UNAVAILABLE", 3}};
  statistics.last_error = "no \"room\"";
  statistics.bytes = 8000000;
  statistics.elapsed = 4s;
  statistics.latency.Record(2ms);
  statistics.unacknowledged.Add(0, 300);
  return statistics;
}

TEST(Report, Latencies) {
  EXPECT_EQ(FormatLatency(0ns), "0 us");
  EXPECT_EQ(FormatLatency(830us), "830 us");
  EXPECT_EQ(FormatLatency(1250us), "1.25 ms");
  EXPECT_EQ(FormatLatency(45ms), "45.0 ms");
  EXPECT_EQ(FormatLatency(2500ms), "2.50 s");
  EXPECT_EQ(FormatLatency(120s), "120 s");
}

TEST(Report, SummaryAsText) {
  const std::string text = SummaryText({}, Example());
  EXPECT_THAT(text, HasSubstr("sent          1,000,300 items in 10,003 requests, 4.00 s\n"));
  EXPECT_THAT(text, HasSubstr("acknowledged  1,000,000 items, 250,000 a second\n"));
  EXPECT_THAT(text, HasSubstr("rejected      100 items\n"));
  EXPECT_THAT(text, HasSubstr("failed        200 items: INTERNAL 200\n"));
  EXPECT_THAT(text, HasSubstr("retried       3 requests\n"));
  EXPECT_THAT(text, HasSubstr("errors        INTERNAL 2, UNAVAILABLE 3\n"));
  EXPECT_THAT(text, HasSubstr("last error    no \"room\"\n"));
  EXPECT_THAT(text, HasSubstr("p50 2.00 ms"));
  EXPECT_THAT(text, HasSubstr("2.0 MB/s (none)\n"));
}

TEST(Report, SummaryAsJson) {
  LoadOptions options;
  options.numbered = true;
  options.seed = 7;
  EXPECT_EQ(SummaryJson(options, Example()),
            "{\"sent\":1000300,\"acknowledged\":1000000,\"rejected\":100,\"failed_items\":200,"
            "\"failed\":{\"INTERNAL\":200},\"requests\":10003,\"tries\":10006,"
            "\"answers_ok\":10001,\"retried\":3,\"errors\":{\"INTERNAL\":2,\"UNAVAILABLE\":3},"
            "\"last_error\":\"no \\\"room\\\"\",\"duration_seconds\":4.000,"
            "\"items_per_second\":250000.0,\"bytes\":8000000,\"seed\":7,\"latency_ms\":"
            "{\"p50\":2.000,\"p90\":2.000,\"p99\":2.000,\"p99.9\":2.000,\"max\":2.000},"
            "\"unacknowledged\":[[0,299]],\"unacknowledged_complete\":true}\n");
}

TEST(Report, AnEmptyRunDividesByNothing) {
  EXPECT_THAT(SummaryText({}, {}), HasSubstr("acknowledged  0 items, 0 a second\n"));
  EXPECT_THAT(SummaryJson({}, {}), HasSubstr("\"items_per_second\":0.0"));
}

// Guarantees: a line tells of its own interval, errors included.
TEST(Report, ProgressIsOfTheInterval) {
  ProgressMeter meter;
  Statistics statistics;
  statistics.acknowledged = 3000;
  statistics.answers_ok = 30;
  statistics.errors = {{"UNAVAILABLE", 2}};
  statistics.latency.Record(1ms);
  EXPECT_EQ(meter.Line(statistics, 5, 1s),
            "1 s: 3,000 items/s, 30 requests/s, 5 in flight, p50 1.00 ms, p99 1.00 ms, "
            "errors: UNAVAILABLE 2");
  statistics.acknowledged += 500;
  statistics.answers_ok += 5;
  EXPECT_EQ(meter.Line(statistics, 4, 2s),
            "3 s: 250 items/s, 3 requests/s, 4 in flight, p50 0 us, p99 0 us");
}

}  // namespace
}  // namespace weir::load

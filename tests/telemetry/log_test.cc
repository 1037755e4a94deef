#include "weir/telemetry/log.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "telemetry/json_text.h"
#include "telemetry/log_line.h"
#include "weir/telemetry/metrics.h"
#include "weir/telemetry/self_metrics.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    // 2026-11-24T22:00:00.007Z
    now_ = std::chrono::system_clock::time_point(std::chrono::milliseconds(1795557600007));
    options_.clock = [this] { return now_; };
    options_.writer = [this](std::string_view line) { lines_.emplace_back(line); };
  }

  Logger Open(MetricRegistry* metrics = nullptr) {
    auto opened = OpenLog(options_, metrics);
    EXPECT_TRUE(opened.ok()) << opened.status();
    output_ = *std::move(opened);
    return Logger(*output_);
  }

  LogOptions options_;
  std::chrono::system_clock::time_point now_;
  std::vector<std::string> lines_;
  std::unique_ptr<LogOutput> output_;
};

TEST_F(LogTest, ConsoleLine) {
  const Logger logger = Open();
  logger.Info("Listening on all", {{"endpoint", "0.0.0.0:4317"},
                                   {"port", 4317},
                                   {"ratio", 0.5},
                                   {"tls", true},
                                   {"limit", std::numeric_limits<std::uint64_t>::max()},
                                   {"delta", -3}});
  EXPECT_THAT(lines_, ElementsAre("2026-11-24T22:00:00.007Z info Listening on all "
                                  "endpoint=0.0.0.0:4317 port=4317 ratio=0.5 tls=true "
                                  "limit=18446744073709551615 delta=-3"));
}

TEST_F(LogTest, JsonLine) {
  options_.encoding = LogEncoding::kJson;
  options_.initial_fields = {{"cluster", "eu-1"}};
  const Logger logger = Open().With({{"otelcol.component.id", "otlp/2"}});
  const std::string error = "no \"route\"\n";
  logger.Error("Sending failed", {{"error", error}, {"attempt", 2u}, {"nan", std::nan("")}});
  EXPECT_THAT(lines_, ElementsAre(R"({"level":"error","ts":"2026-11-24T22:00:00.007Z",)"
                                  R"("msg":"Sending failed","cluster":"eu-1",)"
                                  R"("otelcol.component.id":"otlp/2","error":"no \"route\"\n",)"
                                  R"("attempt":2,"nan":"nan"})"));
}

// Scenario: text from the outside carries newlines, quotes, control bytes and broken UTF-8.
// Guarantees: one event is one line, and the value's end can be told.
TEST_F(LogTest, OneEventIsOneLine) {
  const Logger logger = Open();
  logger.Warn("bad\nmessage", {{"a", "x y"}, {"b", ""}, {"c", "\x01\xff"}, {"d=", "q\"q"}});
  ASSERT_THAT(lines_, SizeIs(1));
  EXPECT_EQ(lines_[0],
            "2026-11-24T22:00:00.007Z warn bad\\nmessage a=\"x y\" b=\"\" "
            "c=\"\\u0001\xef\xbf\xbd\" \"d=\"=\"q\\\"q\"");
}

TEST_F(LogTest, LevelsBelowTheConfiguredOneAreLeftOut) {
  options_.level = LogLevel::kWarn;
  const Logger logger = Open();
  logger.Info("no");
  EXPECT_FALSE(logger.Enabled(LogLevel::kInfo));
  logger.Warn("yes");
  output_->set_level(LogLevel::kDebug);
  logger.Debug("now");
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("warn yes"), HasSubstr("debug now")));
}

TEST_F(LogTest, BoundFieldsAddUpAndLeaveTheParentAlone) {
  const Logger root = Open();
  const Logger component = root.With({{"id", "otlp"}});
  const Logger signal = component.With({{"signal", "logs"}});
  signal.Info("a", {{"n", 1}});
  component.Info("a");
  root.Info("a");
  EXPECT_THAT(lines_,
              ElementsAre(HasSubstr("info a id=otlp signal=logs n=1"),
                          ::testing::EndsWith("info a id=otlp"), ::testing::EndsWith("info a")));
}

TEST_F(LogTest, SecretsAreNotWritten) {
  const Logger logger = Open().With({{"Authorization", "Basic abc"}});
  logger.Info("auth", {{"client-secret", "s3"}, {"api_key", "k3y"}, {"user", "u"}});
  ASSERT_THAT(lines_, SizeIs(1));
  EXPECT_THAT(lines_[0], HasSubstr("Authorization=[REDACTED] client-secret=[REDACTED] "
                                   "api_key=[REDACTED] user=u"));
}

// Scenario: one error repeats without end.
// Guarantees: the first ones and every hundredth are written, and each line says how many it stands
// for; the counter has them all; other messages and other components are not touched.
TEST_F(LogTest, RepeatedLinesAreThinnedAndCounted) {
  MetricRegistry registry;
  const Logger logger = Open(&registry);
  for (int i = 0; i < 250; ++i) {
    logger.Error("Sending failed", {{"try", i}});
  }
  ASSERT_THAT(lines_, SizeIs(12));  // 10, then the 110th and the 210th.
  EXPECT_THAT(lines_[9], ::testing::EndsWith("try=9"));
  EXPECT_THAT(lines_[10], ::testing::EndsWith("try=109 suppressed=99"));
  EXPECT_EQ(registry.GetCounter(kLogSuppressed).Value(), 238u);
  EXPECT_EQ(registry.GetCounter(kLogLines, {{"level", "error"}}).Value(), 12u);

  logger.Error("Something else");
  logger.With({{"id", "otlp/2"}}).Error("Sending failed");
  EXPECT_THAT(lines_, SizeIs(14));

  now_ += 11s;
  logger.Error("Sending failed");
  EXPECT_THAT(lines_.back(), ::testing::EndsWith("Sending failed suppressed=40"));
  logger.Error("Sending failed");
  EXPECT_THAT(lines_.back(), ::testing::EndsWith("Sending failed"));
}

TEST_F(LogTest, AClockSetBackDoesNotSilenceTheLog) {
  const Logger logger = Open();
  for (int i = 0; i < 50; ++i) {
    logger.Error("again");
  }
  now_ -= 1h;
  lines_.clear();
  logger.Error("again");
  EXPECT_THAT(lines_, SizeIs(1));
}

TEST_F(LogTest, ThinningCanBeOffOrHard) {
  options_.sampling_enabled = false;
  Logger logger = Open();
  for (int i = 0; i < 300; ++i) {
    logger.Info("again");
  }
  EXPECT_THAT(lines_, SizeIs(300));

  lines_.clear();
  options_.sampling_enabled = true;
  options_.sampling_initial = 2;
  options_.sampling_thereafter = 0;
  logger = Open();
  for (int i = 0; i < 300; ++i) {
    logger.Info("again");
  }
  EXPECT_THAT(lines_, SizeIs(2));
}

TEST_F(LogTest, ALoggerWithoutOutputWritesNothing) {
  const Logger logger;
  logger.Error("nobody");
  EXPECT_FALSE(logger.With({{"a", "b"}}).Enabled(LogLevel::kFatal));
}

TEST_F(LogTest, WritesToFilesAndAppends) {
  const auto path = std::filesystem::path(::testing::TempDir()) /
                    ("weir_log_test_" + std::to_string(getpid()) + ".log");
  options_.writer = nullptr;
  options_.output_paths = {path.string()};
  for (const char* message : {"first", "second"}) {
    Open().Info(message);
    output_.reset();
  }
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  EXPECT_EQ(content.str(),
            "2026-11-24T22:00:00.007Z info first\n2026-11-24T22:00:00.007Z info second\n");
  std::filesystem::remove(path);
}

TEST_F(LogTest, AFileThatCannotBeOpenedIsAnErrorThatNamesIt) {
  options_.writer = nullptr;
  options_.output_paths = {"/proc/no/such/weir.log"};
  const auto opened = OpenLog(options_);
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("/proc/no/such/weir.log"));
}

TEST_F(LogTest, ManyThreadsWriteWholeLines) {
  options_.sampling_enabled = false;
  const Logger logger = Open();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        logger.Info("line");
      }
    });
  }
  threads.clear();
  EXPECT_THAT(lines_, SizeIs(400));
  EXPECT_THAT(lines_, ::testing::Each(::testing::EndsWith("info line")));
}

TEST(LogLevelTest, NamesOfTheCollector) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError,
                               LogLevel::kDPanic, LogLevel::kPanic, LogLevel::kFatal}) {
    EXPECT_EQ(ParseLogLevel(LogLevelName(level)), level);
  }
  EXPECT_EQ(ParseLogLevel("WARN"), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("Warning"), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("trace"), std::nullopt);
  EXPECT_EQ(ParseLogLevel(""), std::nullopt);
}

TEST(JsonTextTest, EscapesAndRepairs) {
  const auto json = [](std::string_view text) {
    std::string out;
    internal::AppendJsonString(text, out);
    return out;
  };
  EXPECT_EQ(json("a\"\\\b\t\r"), "\"a\\\"\\\\\\u0008\\t\\r\"");
  EXPECT_EQ(json("grün €𝄞"), "\"grün €𝄞\"");
  EXPECT_EQ(json("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");  // Overlong.
  EXPECT_EQ(json("\xed\xa0\x80").size(), 2 + 9u);               // Surrogate.
  EXPECT_EQ(json("\xf4\x90\x80\x80").size(), 2 + 12u);          // Past U+10FFFF.
  EXPECT_EQ(json("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");  // Cut off.
  EXPECT_EQ(json(std::string_view("\0", 1)), "\"\\u0000\"");
}

}  // namespace
}  // namespace weir

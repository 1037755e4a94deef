#include "weir/telemetry/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include "spdlog/sinks/basic_file_sink.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"
#include "telemetry/log_line.h"
#include "weir/base/status.h"
#include "weir/telemetry/metrics.h"
#include "weir/telemetry/self_metrics.h"

namespace weir {

namespace {

constexpr std::array<std::string_view, 7> kLevelNames = {"debug",  "info",  "warn", "error",
                                                         "dpanic", "panic", "fatal"};

std::uint64_t Hash(std::uint64_t seed, std::string_view text) {
  return (seed ^ std::hash<std::string_view>{}(text)) * 0x9e3779b97f4a7c15U;
}

// Decides which of many equal lines are written. Keys share a fixed number of slots, so memory is
// bounded; two keys that meet in a slot are thinned together.
class Thinning {
 public:
  struct Verdict {
    bool is_written = true;
    std::uint64_t suppressed_before = 0;
  };

  explicit Thinning(const LogOptions& options)
      : enabled_(options.sampling_enabled && options.sampling_tick.count() > 0),
        tick_(options.sampling_tick),
        initial_(options.sampling_initial),
        thereafter_(options.sampling_thereafter) {}

  Verdict Judge(std::uint64_t key, std::chrono::system_clock::time_point now) {
    if (!enabled_) {
      return {};
    }
    const std::lock_guard lock(mutex_);
    Slot& slot = slots_[key % slots_.size()];
    // A clock that was set back starts a new tick too.
    if (now >= slot.tick_end || now < slot.tick_end - tick_) {
      slot.tick_end = now + std::chrono::duration_cast<Clock::duration>(tick_);
      slot.seen = 0;
    }
    ++slot.seen;
    const bool is_written =
        slot.seen <= initial_ || (thereafter_ > 0 && (slot.seen - initial_) % thereafter_ == 0);
    if (!is_written) {
      ++slot.suppressed;
      return {false, 0};
    }
    return {true, std::exchange(slot.suppressed, 0)};
  }

 private:
  using Clock = std::chrono::system_clock;
  struct Slot {
    Clock::time_point tick_end{};
    std::uint64_t seen = 0;
    std::uint64_t suppressed = 0;
  };

  const bool enabled_;
  const std::chrono::nanoseconds tick_;
  const std::uint32_t initial_;
  const std::uint32_t thereafter_;

  std::mutex mutex_;  // Guards slots_.
  std::array<Slot, 512> slots_;
};

class SpdlogOutput final : public LogOutput {
 public:
  SpdlogOutput(LogOptions options, std::vector<spdlog::sink_ptr> sinks, MetricRegistry* metrics)
      : options_(std::move(options)),
        level_(options_.level),
        thinning_(options_),
        spdlog_("weir", sinks.begin(), sinks.end()) {
    // Our line is complete; spdlog carries it to its sinks as it is.
    spdlog_.set_level(spdlog::level::trace);
    spdlog_.set_pattern("%v");
    spdlog_.flush_on(spdlog::level::trace);
    if (metrics != nullptr) {
      suppressed_ = &metrics->GetCounter(kLogSuppressed);
      for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
        lines_[i] = &metrics->GetCounter(kLogLines, {{"level", std::string(kLevelNames[i])}});
      }
    }
  }

  bool Enabled(LogLevel level) const override {
    return level >= level_.load(std::memory_order_relaxed);  // Relaxed: a late change is fine.
  }
  void set_level(LogLevel level) override { level_.store(level, std::memory_order_relaxed); }

  void Write(LogLevel level, std::string_view message,
             const std::vector<std::pair<std::string, std::string>>& bound,
             std::uint64_t bound_hash, LogFields fields) override {
    const auto now = options_.clock ? options_.clock() : std::chrono::system_clock::now();
    const std::uint64_t key = Hash(bound_hash + static_cast<std::uint64_t>(level), message);
    const Thinning::Verdict verdict = thinning_.Judge(key, now);
    if (!verdict.is_written) {
      if (suppressed_ != nullptr) {
        suppressed_->Add();
      }
      return;
    }
    if (Counter* lines = lines_[static_cast<std::size_t>(level)]; lines != nullptr) {
      lines->Add();
    }
    const internal::LogLine line{
        now, level, message, options_.initial_fields, bound, fields, verdict.suppressed_before};
    const std::string text = options_.encoding == LogEncoding::kJson
                                 ? internal::FormatJson(line)
                                 : internal::FormatConsole(line);
    if (options_.writer) {
      const std::lock_guard lock(writer_mutex_);
      options_.writer(text);
      return;
    }
    spdlog_.log(spdlog::level::info, spdlog::string_view_t(text));
  }

  void Flush() override { spdlog_.flush(); }

 private:
  // Constant after construction.
  const LogOptions options_;
  Counter* suppressed_ = nullptr;
  std::array<Counter*, kLevelNames.size()> lines_{};

  // Each has its own synchronization.
  std::atomic<LogLevel> level_;
  Thinning thinning_;
  spdlog::logger spdlog_;
  std::mutex writer_mutex_;  // Orders calls of options_.writer.
};

// The boundary to spdlog's exceptions.
absl::StatusOr<spdlog::sink_ptr> OpenSink(const std::string& path) {
  try {
    if (path == "stdout") {
      return std::make_shared<spdlog::sinks::stdout_sink_mt>();
    }
    if (path == "stderr") {
      return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    }
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
  } catch (const std::exception& error) {
    return InvalidArgument("can't open log file {}: {}", path, error.what());
  }
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  return kLevelNames[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (lower == "warning") {
    return LogLevel::kWarn;
  }
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (lower == kLevelNames[i]) {
      return static_cast<LogLevel>(i);
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<LogOutput>> OpenLog(LogOptions options, MetricRegistry* metrics) {
  std::vector<spdlog::sink_ptr> sinks;
  if (!options.writer) {
    for (const std::string& path : options.output_paths) {
      WEIR_ASSIGN_OR_RETURN(spdlog::sink_ptr sink, OpenSink(path));
      sinks.push_back(std::move(sink));
    }
  }
  return std::make_unique<SpdlogOutput>(std::move(options), std::move(sinks), metrics);
}

Logger Logger::With(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) const {
  Logger logger = *this;
  for (const auto& [key, value] : fields) {
    logger.bound_.emplace_back(key, value);
    logger.bound_hash_ = Hash(Hash(logger.bound_hash_, key), value);
  }
  return logger;
}

}  // namespace weir

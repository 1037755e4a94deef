// The structured log: one line an event, as text or as JSON, on stdout, stderr or files.
//
//   logger.Info("Listening", {{"endpoint", endpoint}, {"port", port}});
//   Logger own = logger.With({{"otelcol.component.id", "otlp/2"}, {"otelcol.signal", "traces"}});
//
//   2026-11-24T22:00:00.000Z info Listening otelcol.component.id=otlp/2 endpoint=0.0.0.0 port=4317
//
// A message is a constant; what varies goes into fields. Equal messages of one component are
// thinned: after the first few of a tick only every n-th is written, and the line that follows a
// gap says how many it stands for (suppressed=123).
//
// Threads: all members of Logger and LogOutput are thread-safe.
// Ownership: a Logger is a value; the LogOutput it writes to outlives all of its copies.
// Loss: thinned lines are counted in weir_log_suppressed_total.
// Invariants: a line never holds a control character, so one event is one line. The value of a key
// that names a secret (password, token, authorization, ...) is never written.

#ifndef WEIR_TELEMETRY_LOG_H_
#define WEIR_TELEMETRY_LOG_H_

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace weir {

class MetricRegistry;

// The names and the order of the Collector's levels. Fatal says that the process is about to end;
// writing it does not end anything.
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kDPanic, kPanic, kFatal };

std::string_view LogLevelName(LogLevel level);  // "debug", "info", "warn", ...
// Any case, "warning" too; nullopt for other text.
std::optional<LogLevel> ParseLogLevel(std::string_view name);

// A key with its value; lives as long as the call that logs it.
class LogField {
 public:
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  template <typename T>
  LogField(std::string_view key, const T& value)  // NOLINT: implicit on purpose.
      : key_(key), value_(ToValue(value)) {}

  std::string_view key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  template <typename T>
  static Value ToValue(const T& value) {
    if constexpr (std::same_as<T, bool>) {
      return Value(std::in_place_type<bool>, value);
    } else if constexpr (std::floating_point<T>) {
      return Value(std::in_place_type<double>, static_cast<double>(value));
    } else if constexpr (std::unsigned_integral<T>) {
      return Value(std::in_place_type<std::uint64_t>, value);
    } else if constexpr (std::integral<T>) {
      return Value(std::in_place_type<std::int64_t>, value);
    } else {
      static_assert(std::is_convertible_v<const T&, std::string_view>);
      return Value(std::in_place_type<std::string_view>, std::string_view(value));
    }
  }

  std::string_view key_;
  Value value_;
};

using LogFields = std::initializer_list<LogField>;

enum class LogEncoding : std::uint8_t { kConsole, kJson };

// service::telemetry::logs, with the Collector's defaults.
struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogEncoding encoding = LogEncoding::kConsole;
  std::vector<std::string> output_paths = {"stderr"};  // "stdout", "stderr", or a file appended to.
  std::vector<std::pair<std::string, std::string>> initial_fields;

  // Of equal lines in one tick, the first `sampling_initial` are written and then every
  // `sampling_thereafter`-th (none when 0). Disabled: all are.
  bool sampling_enabled = true;
  std::chrono::nanoseconds sampling_tick = std::chrono::seconds(10);
  std::uint32_t sampling_initial = 10;
  std::uint32_t sampling_thereafter = 100;

  // For tests: the time of a line, and a writer in place of output_paths.
  std::function<std::chrono::system_clock::time_point()> clock;
  std::function<void(std::string_view line)> writer;
};

// Where lines go.
class LogOutput {
 public:
  virtual ~LogOutput() = default;

  virtual bool Enabled(LogLevel level) const = 0;
  virtual void set_level(LogLevel level) = 0;
  virtual void Write(LogLevel level, std::string_view message,
                     const std::vector<std::pair<std::string, std::string>>& bound,
                     std::uint64_t bound_hash, LogFields fields) = 0;
  virtual void Flush() = 0;
};

// Opens the outputs; an error names the path that could not be opened. `metrics`, when given,
// outlives the output and counts lines by level and suppressed lines.
absl::StatusOr<std::unique_ptr<LogOutput>> OpenLog(LogOptions options,
                                                   MetricRegistry* metrics = nullptr);

class Logger {
 public:
  Logger() = default;  // Writes nothing.
  explicit Logger(LogOutput& output) : output_(&output) {}

  // A logger that puts `fields` on every line, after those of this one.
  Logger With(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) const;

  bool Enabled(LogLevel level) const { return output_ != nullptr && output_->Enabled(level); }

  void Log(LogLevel level, std::string_view message, LogFields fields = {}) const {
    if (Enabled(level)) {
      output_->Write(level, message, bound_, bound_hash_, fields);
    }
  }
  void Debug(std::string_view message, LogFields fields = {}) const {
    Log(LogLevel::kDebug, message, fields);
  }
  void Info(std::string_view message, LogFields fields = {}) const {
    Log(LogLevel::kInfo, message, fields);
  }
  void Warn(std::string_view message, LogFields fields = {}) const {
    Log(LogLevel::kWarn, message, fields);
  }
  void Error(std::string_view message, LogFields fields = {}) const {
    Log(LogLevel::kError, message, fields);
  }

 private:
  LogOutput* output_ = nullptr;
  std::vector<std::pair<std::string, std::string>> bound_;
  std::uint64_t bound_hash_ = 0;
};

}  // namespace weir

#endif  // WEIR_TELEMETRY_LOG_H_

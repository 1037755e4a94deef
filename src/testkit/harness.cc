#include "weir/testkit/harness.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "weir/base/check.h"
#include "weir/config/errors.h"
#include "weir/config/yaml.h"

namespace weir::testkit {

void ManualLane::Add(TimePoint when, EventLoop::Task task) {
  tasks_.emplace(when, std::move(task));
}

void ManualLane::Advance(std::chrono::nanoseconds by) {
  const TimePoint end = now_ + by;
  while (!tasks_.empty() && tasks_.begin()->first <= end) {
    auto node = tasks_.extract(tasks_.begin());
    now_ = std::max(now_, node.key());
    node.mapped()();
  }
  now_ = end;
}

Harness::Harness(std::size_t budget_bytes)
    : budget_(budget_bytes),
      metrics_(std::make_unique<MetricRegistry>()),
      scope_(std::make_unique<MetricScope>(*metrics_)),
      ledger_(std::make_unique<Ledger>(*metrics_)) {
  LogOptions options;
  options.level = LogLevel::kDebug;
  options.writer = [this](std::string_view line) {
    std::lock_guard lock(mutex_);
    log_lines_.emplace_back(line);
  };
  log_output_ = *OpenLog(std::move(options));
  logger_ = Logger(*log_output_);
}

Harness::~Harness() { loop_.StopAndJoin(); }

ConfigNode Harness::Yaml(std::string_view text) {
  ConfigErrors errors;
  std::optional<ConfigNode> node = ParseYaml(
      std::make_shared<const ConfigSource>(ConfigSource{"test.yaml", std::string(text)}), errors);
  WEIR_CHECK(node.has_value() && errors.ok());
  return *std::move(node);
}

ComponentContext Harness::Base(std::string_view id) {
  return {.id = *ParseComponentId(id),
          .logger = logger_,
          .metrics = *scope_,
          .ledger = *ledger_,
          .budget = budget_,
          .host = *this};
}

ReceiverContext Harness::ForReceiver(std::string_view id) { return {Base(id), sinks_}; }

ProcessorContext Harness::ForProcessor(std::string_view id, Signal signal) {
  books_ = ledger_->Open({.node = std::string(id),
                          .kind = NodeKind::kProcessor,
                          .signal = signal,
                          .pipeline = std::string(SignalName(signal))});
  return {Base(id), signal, lane_, *books_};
}

ExporterContext Harness::ForExporter(std::string_view id) { return {Base(id), loop_.loop()}; }

ConnectorContext Harness::ForConnector(std::string_view id) { return {Base(id), sinks_}; }

ComponentContext Harness::ForExtension(std::string_view id) { return Base(id); }

void Harness::SetSink(Signal signal, BatchSink* sink) { sinks_[SignalIndex(signal)] = sink; }

void Harness::AddExtension(std::string_view id, Extension& extension) {
  extensions_.emplace(id, &extension);
}

Extension* Harness::FindExtension(const ComponentId& id) const {
  const auto found = extensions_.find(id.ToString());
  return found == extensions_.end() ? nullptr : found->second;
}

void Harness::ReportFatal(const ComponentId& /*id*/, const absl::Status& status) {
  std::lock_guard lock(mutex_);
  fatal_ = status;
}

std::vector<std::string> Harness::log_lines() const {
  std::lock_guard lock(mutex_);
  return log_lines_;
}

absl::Status Harness::fatal() const {
  std::lock_guard lock(mutex_);
  return fatal_;
}

}  // namespace weir::testkit

// Harness is the running service as a component under test sees it: budget, ledger, metrics, a log
// that is kept, extensions that the test registers, a lane whose clock the test moves, a loop.
//
//   Harness harness;
//   ConfigNode node = harness.Yaml("actions: [...]");
//   auto processor = Factory().create(node, "processors::attributes",
//   harness.ForProcessor("attributes", Signal::kTraces));
//
// Threads: the test's, except for loop(), which has a thread of its own.
// Ownership: contexts point into the harness, which outlives the components made with them.

#ifndef WEIR_TESTKIT_HARNESS_H_
#define WEIR_TESTKIT_HARNESS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "weir/component/context.h"
#include "weir/component/extension.h"
#include "weir/config/node.h"

namespace weir::testkit {

// A lane whose work runs when the test says so.
class ManualLane final : public LaneScheduler {
 public:
  void Post(EventLoop::Task task) override { Add(now_, std::move(task)); }
  void PostAfter(std::chrono::nanoseconds delay, EventLoop::Task task) override {
    Add(now_ + delay, std::move(task));
  }
  TimePoint Now() const override { return now_; }

  // Moves the clock and runs what is due, in order.
  void Advance(std::chrono::nanoseconds by);
  std::size_t pending() const { return tasks_.size(); }

 private:
  void Add(TimePoint when, EventLoop::Task task);

  TimePoint now_{std::chrono::hours(1)};
  std::multimap<TimePoint, EventLoop::Task> tasks_;
};

class Harness final : public Host {
 public:
  explicit Harness(std::size_t budget_bytes = MemoryBudget::kUnlimited);
  ~Harness() override;

  // Parses inline YAML; a syntax error fails the test.
  static ConfigNode Yaml(std::string_view text);

  ReceiverContext ForReceiver(std::string_view id);
  ProcessorContext ForProcessor(std::string_view id, Signal signal);
  ExporterContext ForExporter(std::string_view id);
  ConnectorContext ForConnector(std::string_view id);
  ComponentContext ForExtension(std::string_view id);

  // The doors that ForReceiver and ForConnector hand out; null takes a signal away.
  void SetSink(Signal signal, BatchSink* sink);
  void AddExtension(std::string_view id, Extension& extension);

  Extension* FindExtension(const ComponentId& id) const override;
  void ReportFatal(const ComponentId& id, const absl::Status& status) override;

  MemoryBudget& budget() { return budget_; }
  Ledger& ledger() { return *ledger_; }
  MetricRegistry& metrics() { return *metrics_; }
  ManualLane& lane() { return lane_; }
  // The books of the node that ForProcessor opened last.
  NodeLedger& books() { return *books_; }
  LoopThread& loop_thread() { return loop_; }
  EventLoop& loop() { return loop_.loop(); }
  std::vector<std::string> log_lines() const;
  absl::Status fatal() const;

 private:
  ComponentContext Base(std::string_view id);

  MemoryBudget budget_;
  std::unique_ptr<MetricRegistry> metrics_;
  std::unique_ptr<MetricScope> scope_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<LogOutput> log_output_;
  Logger logger_;
  NodeHandle books_;
  ManualLane lane_;
  std::array<BatchSink*, kSignalCount> sinks_{};
  std::map<std::string, Extension*, std::less<>> extensions_;

  mutable std::mutex mutex_;  // Guards what follows: other threads log and report.
  std::vector<std::string> log_lines_;
  absl::Status fatal_;

  LoopThread loop_{"test-loop"};  // Last: stops before what its tasks touch goes away.
};

}  // namespace weir::testkit

#endif  // WEIR_TESTKIT_HARNESS_H_

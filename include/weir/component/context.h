// What the service hands to a component when it creates it. Everything here outlives the component.

#ifndef WEIR_COMPONENT_CONTEXT_H_
#define WEIR_COMPONENT_CONTEXT_H_

#include <array>
#include <string>

#include "weir/base/budget.h"
#include "weir/base/event_loop.h"
#include "weir/component/sink.h"
#include "weir/config/values.h"
#include "weir/telemetry/ledger.h"
#include "weir/telemetry/log.h"
#include "weir/telemetry/metrics.h"
#include "weir/wire/signal.h"

namespace weir {

class Extension;

// The rest of the running service, as far as a component may know it.
class Host {
 public:
  virtual ~Host() = default;

  // Null when `service::extensions` does not list it. Extensions start first and stop last.
  // `what` is then dynamic_cast to the capability asked for (weir/component/extension.h).
  virtual Extension* FindExtension(const ComponentId& id) const = 0;

  // A component that found, after start, that it cannot go on (its listener died). The service logs
  // it, turns unhealthy and shuts down.
  virtual void ReportFatal(const ComponentId& id, const absl::Status& status) = 0;
};

struct ComponentContext {
  ComponentId id;
  const Logger& logger;  // Already bound to the component's kind and id.
  MetricScope& metrics;  // Lives as long as the component.
  Ledger& ledger;
  MemoryBudget& budget;
  Host& host;
};

struct ReceiverContext : ComponentContext {
  // The door of the pipelines of each signal; null where no pipeline takes it.
  std::array<BatchSink*, kSignalCount> sinks{};

  BatchSink* sink(Signal signal) const { return sinks[SignalIndex(signal)]; }
};

// Runs work under the lane's baton, where Process is called as well.
class LaneScheduler {
 public:
  virtual ~LaneScheduler() = default;
  virtual void Post(EventLoop::Task task) = 0;
  virtual void PostAfter(std::chrono::nanoseconds delay, EventLoop::Task task) = 0;
  virtual TimePoint Now() const = 0;
};

struct ProcessorContext : ComponentContext {
  Signal signal;
  LaneScheduler& lane;
  NodeLedger& books;  // In and out are counted by the lane; drops, holds by the processor.
};

struct ExporterContext : ComponentContext {
  // The exporter's own loop: Send is called on it and done must be.
  EventLoop& loop;
};

struct ConnectorContext : ComponentContext {
  // The doors of the pipelines that list the connector as a receiver, by their signal.
  std::array<BatchSink*, kSignalCount> sinks{};
};

}  // namespace weir

#endif  // WEIR_COMPONENT_CONTEXT_H_

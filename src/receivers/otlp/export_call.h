// ExportCall is one request on its way through the pipeline: the tracker of its token and the task
// that brings the answer back to the request's loop, in one allocation.
//
// Threads: made and answered on the request's loop; the pipeline reports on any thread.
// Ownership: owns itself from Begin on; gone once the request was answered.

#ifndef WEIR_RECEIVERS_OTLP_EXPORT_CALL_H_
#define WEIR_RECEIVERS_OTLP_EXPORT_CALL_H_

#include <atomic>
#include <cstdint>

#include "net/server_request.h"
#include "receivers/otlp/answer.h"
#include "weir/base/event_loop.h"
#include "weir/component/delivery.h"
#include "weir/component/sink.h"
#include "weir/telemetry/ledger.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::receivers::otlp {

// Where the requests of one signal and one transport go, and what is counted of them.
struct Door {
  Door(Signal door_signal, BatchSink& door_sink, NodeLedger& node, MetricScope& scope,
       const std::string& receiver, const std::string& transport,
       DeliveryTracker::Interest door_wait)
      : signal(door_signal),
        wait(door_wait),
        sink(door_sink),
        books(node),
        metrics(scope, receiver, transport, door_signal),
        requests(scope, receiver, transport) {}

  const Signal signal;
  const DeliveryTracker::Interest wait;  // What an answer waits for.
  BatchSink& sink;
  NodeLedger& books;
  ReceiverMetrics metrics;
  RequestCounters requests;
  // Calls that wait for their answer. Listener threads share it: some ns of a call's microseconds.
  std::atomic<std::int64_t> open_calls{0};
};

class ExportCall final : public DeliveryTracker, public LoopTask {
 public:
  // Offers `payload`, which holds `items`, and sees to the answer of `request`.
  static void Start(net::ServerRequest& request, Protocol protocol, Door& door, Slice payload,
                    std::uint64_t items, std::shared_ptr<const RequestContext> context);

  ExportCall(net::ServerRequest& request, Protocol protocol, Door& door, std::uint64_t items)
      : DeliveryTracker(door.wait),
        request_(request),
        loop_(request.loop()),
        door_(door),
        items_(items),
        protocol_(protocol) {}

 private:
  void OnSecured(const Settlement& settlement) override;
  void OnDelivered(const Settlement& settlement) override;
  void AnswerOnLoop(const Settlement& settlement);
  void Run() override;  // The way back from another thread.
  void Answer(const Settlement& settlement);

  net::ServerRequest& request_;
  EventLoop& loop_;
  Door& door_;
  const std::uint64_t items_;
  const Protocol protocol_;
  Settlement settlement_;  // Written before the loop is notified, which orders it.
};

}  // namespace weir::receivers::otlp

#endif  // WEIR_RECEIVERS_OTLP_EXPORT_CALL_H_

// Sender takes batches that are ready and sees each one to its end: delivered, or dropped with a
// reason. It keeps several requests in flight, retries what failed for now with backoff and jitter,
// and looks for the culprit when a destination refuses a merged batch because of its data.
//
// Threads: the exporter's loop only.
// Loss: each way out counts its items in `books` and settles their tokens; see SendResult::Kind.
// Invariants: at most num_consumers requests are in flight or waiting for a retry; the weight of
// what was submitted comes back through `released` exactly once.

#ifndef WEIR_PIPELINE_SENDER_H_
#define WEIR_PIPELINE_SENDER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <unordered_map>
#include <vector>

#include "weir/base/event_loop.h"
#include "weir/component/batch.h"
#include "weir/component/exporter.h"
#include "weir/component/exporter_settings.h"
#include "weir/telemetry/ledger.h"
#include "weir/telemetry/log.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::pipeline {

class Sender {
 public:
  struct Parts {
    const ExporterSettings& settings;
    Exporter& exporter;
    EventLoop& loop;
    NodeLedger& books;
    ExporterMetrics& metrics;
    Histogram& latency;  // From the arrival in the process to the destination's answer.
    const Logger& logger;
    MemoryBudget& budget;
    bool durable = false;  // A journal keeps what is abandoned: that is no loss.
    // A destination said that requests over this many bytes are too large for it.
    std::function<void(std::size_t bytes_max)> too_large;
    std::function<void(std::uint64_t weight)> released;
    std::function<void(std::size_t bytes)> delivered;
  };

  explicit Sender(Parts parts);
  ~Sender();

  void Submit(Batch batch);

  // Secures what waits to be sent; what is on its way is secured already.
  void SecureReady();
  // Ready, in flight, or waiting for a retry.
  std::size_t bytes() const { return bytes_; }
  bool idle() const { return ready_.empty() && active_.empty(); }
  // When the oldest item that waits or is in flight came in; now when there is none.
  TimePoint oldest(TimePoint now) const;

  // Waiting retries are tried at once, and from now on no retry waits past `deadline`.
  void HurryUntil(TimePoint deadline);
  // Nothing is sent any more; what is in flight may end. What waits is abandoned: it is durable.
  void Freeze();
  // Settles everything as abandoned; answers that come later are ignored. Returns the items.
  std::uint64_t Abandon();

 private:
  // A batch on its way: ready, in flight, or waiting for its next try.
  struct Job {
    Batch batch;
    std::uint32_t tries = 0;
    TimePoint first_try{};
    EventLoop::TimerId retry_timer = 0;
  };

  void Pump();
  void Start(std::unique_ptr<Job> job);
  void Send(std::uint64_t id);
  void OnDone(std::uint64_t id, const SendResult& result);
  void OnDelivered(Job& job, const SendResult& result);
  bool ScheduleRetry(std::uint64_t id, Job& job, const SendResult& result);
  std::chrono::nanoseconds Backoff(std::uint32_t tries);
  void Bisect(Job& job, const SendResult& result);
  void Shrink(Job& job, const SendResult& result);
  void Requeue(Batch batch);
  void AbandonJob(Job& job);
  void Drop(Job& job, DropReason reason, Outcome outcome, const SendResult& result);

  Parts parts_;
  std::deque<std::unique_ptr<Job>> ready_;
  std::size_t bytes_ = 0;  // Of ready_ and active_.
  std::unordered_map<std::uint64_t, std::unique_ptr<Job>> active_;
  // Abandoned while the exporter may still read them; they go with the exporter.
  std::vector<std::unique_ptr<Job>> buried_;
  std::uint64_t last_id_ = 0;
  bool pumping_ = false;
  bool frozen_ = false;
  bool hurried_ = false;
  TimePoint hurry_deadline_{};
  std::minstd_rand random_;
  // Callbacks given to the exporter hold a weak reference, so that a late answer finds us gone.
  std::shared_ptr<Sender*> alive_;
};

}  // namespace weir::pipeline

#endif  // WEIR_PIPELINE_SENDER_H_

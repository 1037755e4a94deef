// ExportQueue stands between the lanes and one exporter, for one signal: what it holds is secured.
//
//   lane ──Enqueue──▶ ring ──▶ batcher ──▶ sender ──▶ settled
//                     └ other threads ┘└── the exporter's loop ──┘
//
// A lane never waits: a full queue refuses the batch with kRetry and counts it. Behind the ring one
// loop does everything, so batching and retries need no lock. The loop is woken when the first
// batch arrives on an idle queue and when enough has come to fill a batch, not for each push.
//
// Threads: Enqueue, size and capacity from any thread. AddBatcher and RetireBatcher from the
// service thread, at any time. Drain, and all that happens behind the ring, on the exporter's loop.
// Loss: every item leaves as delivered or by NodeLedger::Drop with its reason.
// Invariants: used_ is the sum of the weights of what was enqueued and not settled, and never
// passes the capacity unless a single batch alone is larger.

#ifndef WEIR_PIPELINE_EXPORT_QUEUE_H_
#define WEIR_PIPELINE_EXPORT_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/durable_backlog.h"
#include "pipeline/pacer.h"
#include "pipeline/sender.h"
#include "weir/base/event_loop.h"
#include "weir/base/mpsc_ring.h"
#include "weir/component/batcher.h"
#include "weir/component/exporter.h"
#include "weir/component/exporter_settings.h"
#include "weir/component/sink.h"
#include "weir/telemetry/ledger.h"
#include "weir/telemetry/log.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::pipeline {

class ExportQueue {
 public:
  // Everything referred to outlives the queue.
  struct Parts {
    std::string exporter_id;
    Signal signal;
    ExporterSettings settings;
    Exporter& exporter;
    EventLoop& loop;
    NodeLedger& books;
    MetricScope& metrics;
    const Logger& logger;
    MemoryBudget& budget;
    DurableBacklog* backlog = nullptr;  // Null: the queue is in memory.
  };

  explicit ExportQueue(Parts parts);
  ~ExportQueue();

  struct Slot;  // How one edge's batches are merged.

  // What a pipeline's edge passes to Enqueue: how its batches are merged. nullopt: not at all.
  // `sending_queue.batch` wins over both. `metrics`, where given, counts what is merged.
  // `edge` names the edge in records of the journal. `room`, where given, is called on the loop
  // when there may be room again, and not any more once the batcher is retired.
  Slot* AddBatcher(const std::optional<BatcherSettings>& settings, BatchMetrics* metrics = nullptr,
                   std::uint32_t edge = 0, std::function<void()> room = nullptr);
  // Sends on what the batcher holds and forgets it and its metrics. REQUIRES: the loop runs, and
  // nothing is enqueued with it any more.
  void RetireBatcher(Slot* slot);

  // Takes the batch whatever happens.
  void Enqueue(Batch batch, Slot* slot);

  // Of a queue with a journal (JournalEdge): room first, the record, then the live copy. Any
  // thread.
  std::optional<std::uint64_t> TryReserve(const Batch& batch, const Slot& slot);
  void Unreserve(std::uint64_t weight);
  // A copy that was not taken: lost, unless `source_keeps_it` and can offer it again.
  void RefuseCopy(const Batch& batch, bool source_keeps_it, DropReason reason);
  void ReportStorage(const absl::Status& status);
  void CountIn(std::uint64_t items, TimePoint received);
  void EnqueueLive(Batch batch, Slot* slot);
  void NotifyUnread() { parts_.loop.Notify(take_task_); }
  DurableBacklog* backlog() const { return parts_.backlog; }
  bool waits_for_result() const { return !secure_when_queued_; }
  bool blocks() const;
  // Takes over what an earlier process left. After the exporter's start.
  void Start();

  double size() const;      // In the sizer's units; merged batches where a `batch` was moved here.
  double capacity() const;  // The same.
  double oldest_age_seconds() const;

  // Sends what is there, including open batches, and calls `drained` once nothing is left; at
  // `deadline` what is left is abandoned, counted, and passed as a number. Called once.
  void Drain(TimePoint deadline, std::function<void(std::uint64_t items_abandoned)> drained);
  // As if the deadline had come. No-op when no drain is under way.
  void EndDrain();

 private:
  // A queue that counts requests counts in this unit, so that a request that will be merged into a
  // larger one can weigh a share of it.
  static constexpr std::uint64_t kRequestWeight = 1U << 20;

  struct Entry {
    Batch batch;
    Slot* slot = nullptr;
  };

  struct TakeTask final : LoopTask {
    explicit TakeTask(ExportQueue& queue) : queue(queue) {}
    void Run() override { queue.Take(); }
    ExportQueue& queue;
  };

  BatcherSettings EffectiveSettings(const std::optional<BatcherSettings>& planned) const;
  std::uint64_t Weigh(const Batch& batch, const Slot& slot) const;
  std::uint64_t WeighStored(std::uint64_t records, std::uint64_t items, std::uint64_t bytes) const;
  bool Reserve(std::uint64_t weight);
  void Push(Entry entry);

  // Loop thread.
  void Take();
  void ReadBack(TimePoint now);
  Slot* SlotOfEdge(std::uint32_t edge);
  std::vector<Slot*> SlotsThatWait();
  bool DropOldestFor(std::uint64_t weight, std::uint64_t bytes);
  void AbandonDurable(Batch batch);
  bool TakeOnce(TimePoint now);
  void TakeEntry(Entry entry, TimePoint now);
  void AdmitWaiting();
  std::uint64_t AbandonWaiting();
  void Submit(Slot& slot, std::vector<Batcher::Closed>& closed);
  void CloseDue(TimePoint now);
  void SetTimer();
  void Released(std::uint64_t weight);
  // See Pacer. A batch that is held back is secured when it is sent, or when pacing ends.
  bool HeldBack(const Batch& batch) const;
  void UpdatePacing();
  void SecureAll();
  void WatchBacklog();
  void LowerBytesMax(std::size_t bytes);
  void ForgetRetired();
  void CheckDrained();

  const Parts parts_;
  const bool secure_when_queued_;
  const std::uint64_t capacity_;  // In weights.
  ExporterMetrics exporter_metrics_;
  Histogram& latency_to_queue_;  // From the arrival in the process.

  std::mutex slots_mutex_;  // Guards slot_storage_: the service thread adds, the loop removes.
  std::vector<std::unique_ptr<Slot>> slot_storage_;
  // Of the newest slot: what records that only the disk has are taken to weigh. Relaxed.
  std::atomic<std::uint64_t> weight_per_item_{0};

  // Shared with the lanes.
  MpscRing<Entry> ring_;
  TakeTask take_task_{*this};
  alignas(kCacheLineBytes) std::atomic<std::uint64_t> used_{0};
  // What was pushed since the loop last looked, or at least 1 while a timer will make it look.
  // Producers and loop meet here by read-modify-write with acquire-release: a push that the loop's
  // exchange did not see finds 0 and wakes it, or knows that the timer or the threshold will.
  std::atomic<std::uint64_t> pending_{0};
  std::atomic<std::uint64_t> wake_at_{1};   // Written by the loop; a hint, so relaxed.
  std::atomic<std::int64_t> oldest_ns_{0};  // 0: empty. A gauge, so relaxed.

  // Entries that found the ring full, then those that wait for room (block_on_overflow).
  std::atomic<bool> overflowed_{false};
  std::mutex overflow_mutex_;
  std::deque<Entry> overflow_;
  std::deque<Entry> waiting_;
  // Of the records that an earlier process left and that were not read yet.
  std::atomic<std::uint64_t> recovered_weight_{0};

  // Loop thread only.
  std::vector<Slot*> slots_;  // Those that something was enqueued with.
  bool any_retired_ = false;
  bool closed_ = false;  // The loop may have stopped: nothing is asked of it any more.
  std::size_t bytes_max_learned_ = 0;
  Sender sender_;
  Pacer pacer_;
  EventLoop::TimerId pacer_timer_ = 0;
  EventLoop::TimerId timer_ = 0;
  TimePoint timer_due_{};
  EventLoop::TimerId read_timer_ = 0;
  EventLoop::TimerId drain_timer_ = 0;
  std::function<void(std::uint64_t)> drained_;

  QueueMetrics queue_metrics_;  // Last: observes the members above.
};

// Threads: made by the service thread. What stands below `listed` belongs to the loop.
struct ExportQueue::Slot {
  Slot(Batcher own_batcher, std::uint64_t own_weight, BatchMetrics* own_metrics,
       std::uint32_t own_edge, std::function<void()> own_room)
      : weight_per_item(own_weight),
        edge(own_edge),
        room(std::move(own_room)),
        batcher(std::move(own_batcher)),
        metrics(own_metrics) {}

  const std::uint64_t weight_per_item;  // 0: by request.
  const std::uint32_t edge;
  const std::function<void()> room;  // May be null.
  // Whether the loop looks after it already; until then a producer wakes the loop for each batch.
  // Relaxed: a hint, the ring orders the batch itself.
  std::atomic<bool> listed{false};

  Batcher batcher;
  BatchMetrics* metrics;
  bool retired = false;
};

// What a pipeline emits to that leads to queues.
class QueueingEdge : public BatchOutput {
 public:
  // See ExportQueue::RetireBatcher; nothing may be emitted afterwards.
  virtual void Retire() = 0;
};

// One queue, with the way its batches are merged.
class QueueEdge final : public QueueingEdge {
 public:
  QueueEdge(ExportQueue& queue, const std::optional<BatcherSettings>& batcher,
            BatchMetrics* metrics = nullptr)
      : queue_(queue), slot_(queue.AddBatcher(batcher, metrics)) {}
  void Emit(Batch batch) override { queue_.Enqueue(std::move(batch), slot_); }
  void Retire() override { queue_.RetireBatcher(slot_); }

 private:
  ExportQueue& queue_;
  ExportQueue::Slot* const slot_;
};

}  // namespace weir::pipeline

#endif  // WEIR_PIPELINE_EXPORT_QUEUE_H_

// JournalEdge is where a pipeline's batches become durable: one record for all exporters behind the
// same fan-out whose queues share a journal.
//
//   Emit ─▶ room in which queues? ─▶ Append ─▶ on disk: the source is told, live copies go on
//                └ in none: refused              └ failed: refused, and tried again later
//
// Threads: Emit on any lane's; what follows the append on the journal's committer thread. AddTarget
// before the first Emit.
// Ownership: refers to journal and queues, which outlive it; the journal is closed before it goes.
// Loss: a copy that finds no room in its queue is counted there (queue_full).
// Invariants: a batch is answered when it is on disk, or, where its source asks for that, when
// every exporter is done with it.

#ifndef WEIR_PIPELINE_JOURNAL_EDGE_H_
#define WEIR_PIPELINE_JOURNAL_EDGE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "pipeline/export_queue.h"

namespace weir::pipeline {

class JournalEdge final : public QueueingEdge {
 public:
  // `id` tells this edge's records from those of others in the same journal, across restarts.
  JournalEdge(const std::unique_ptr<journal::Journal>& journal, std::uint32_t id)
      : journal_(journal), id_(id) {}
  ~JournalEdge() override;

  // `reader` is the queue's number in the journal.
  void AddTarget(ExportQueue& queue, std::size_t reader,
                 const std::optional<BatcherSettings>& batcher, BatchMetrics* metrics);

  void Emit(Batch batch) override;
  // Waits for what is on its way to the disk; what waits for room is refused.
  void Retire() override;

 private:
  struct Target {
    ExportQueue* queue;
    ExportQueue::Slot* slot;
    journal::ReaderMask bit;
  };
  // One record on its way to the disk.
  struct Append {
    Batch batch;  // With the sources' tokens.
    journal::ReaderMask destinations = 0;
    journal::ReaderMask live = 0;
    std::vector<std::uint64_t> weights;  // By target; of those that are destinations.
  };

  // The targets that have room, reserved. `may_wait` where one of those without would wait for it.
  Append Reserve(Batch batch, bool& may_wait);
  // REQUIRES: counted in pending_, until Finish.
  void Start(Append append);
  void Finish();
  void OnDone(Append append, const absl::Status& status, journal::Sequence sequence);
  void OnDurable(Append append, journal::Sequence sequence);
  void AdmitWaiting();

  const std::unique_ptr<journal::Journal>& journal_;  // Opened before the first Emit.
  const std::uint32_t id_;
  std::vector<Target> targets_;
  std::atomic<std::uint64_t> pending_{0};  // Appends that are not done.

  std::mutex mutex_;
  std::deque<Batch> waiting_;  // For room: block_on_overflow.
};

}  // namespace weir::pipeline

#endif  // WEIR_PIPELINE_JOURNAL_EDGE_H_

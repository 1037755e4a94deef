// What an ExportQueue does when its batches are records of a journal: see JournalEdge.

#include <algorithm>
#include <chrono>
#include <utility>

#include "pipeline/export_queue.h"

namespace weir::pipeline {
namespace {

// When memory or the disk did not let records be read.
constexpr std::chrono::milliseconds kReadAgain{200};

}  // namespace

bool ExportQueue::blocks() const {
  const QueueSettings& queue = parts_.settings.sending_queue;
  return queue.block_on_overflow ||
         (parts_.backlog != nullptr && queue.when_full == WhenFull::kBlock);
}

std::optional<std::uint64_t> ExportQueue::TryReserve(const Batch& batch, const Slot& slot) {
  const QueueSettings& queue = parts_.settings.sending_queue;
  const std::uint64_t weight = Weigh(batch, slot);
  const auto fits_on_disk = [&] {
    return queue.max_size.bytes == 0 ||
           parts_.backlog->backlog().bytes + batch.bytes() <= queue.max_size.bytes;
  };
  const bool drop = queue.when_full == WhenFull::kDropOldest;
  if (!fits_on_disk() && !(drop && DropOldestFor(0, batch.bytes()) && fits_on_disk())) {
    return std::nullopt;
  }
  if (Reserve(weight) || (drop && DropOldestFor(weight, 0) && Reserve(weight))) {
    return weight;
  }
  return std::nullopt;
}

// As Weigh, for records that only the disk has.
std::uint64_t ExportQueue::WeighStored(std::uint64_t records, std::uint64_t items,
                                       std::uint64_t bytes) const {
  if (parts_.settings.sending_queue.sizer == QueueSizer::kBytes) {
    return bytes;
  }
  const std::uint64_t share = weight_per_item_.load(std::memory_order_relaxed);
  return share == 0 ? records * kRequestWeight : items * share;
}

// Makes room for so much by letting go of what waits on disk the longest. False where nothing does:
// what is in memory already is on its way.
bool ExportQueue::DropOldestFor(std::uint64_t weight, std::uint64_t bytes) {
  std::uint64_t freed_weight = 0;
  std::uint64_t freed_bytes = 0;
  do {
    const journal::Dropped dropped = parts_.backlog->DropOldest(1);  // One record.
    if (dropped.records == 0) {
      return false;
    }
    parts_.books.Hold(-static_cast<std::int64_t>(dropped.items));
    parts_.books.Drop(DropReason::kStorageFull, dropped.items);
    queue_metrics_.enqueue_failed.Add(dropped.items);
    const std::uint64_t freed = WeighStored(dropped.records, dropped.items, dropped.bytes);
    freed_weight += freed;
    freed_bytes += dropped.bytes;
    // An estimate where requests differ, so never below nothing.
    std::atomic<std::uint64_t>& account =
        recovered_weight_.load(std::memory_order_relaxed) > 0 ? recovered_weight_ : used_;
    std::uint64_t left = account.load(std::memory_order_relaxed);
    while (!account.compare_exchange_weak(left, left - std::min(left, freed),
                                          std::memory_order_relaxed)) {
    }
  } while (freed_weight < weight || freed_bytes < bytes);
  return true;
}

void ExportQueue::Unreserve(std::uint64_t weight) {
  used_.fetch_sub(weight, std::memory_order_relaxed);
}

void ExportQueue::ReportStorage(const absl::Status& status) {
  parts_.logger.Error("The journal can't take data now; senders are told to try again",
                      {{"error", std::string(status.message())}});
}

void ExportQueue::EnqueueLive(Batch batch, Slot* slot) {
  Push({.batch = std::move(batch), .slot = slot});
}

void ExportQueue::Start() {
  if (parts_.backlog == nullptr) {
    return;
  }
  const journal::Backlog& recovered = parts_.backlog->recovered();
  recovered_weight_.store(WeighStored(recovered.records, recovered.items, recovered.bytes),
                          std::memory_order_relaxed);
  if (recovered.records > 0) {
    parts_.logger.Info("Going on with what the journal holds",
                       {{"requests", recovered.records}, {"items", recovered.items}});
  }
  NotifyUnread();
}

void ExportQueue::ReadBack(TimePoint now) {
  if (parts_.backlog == nullptr || drained_ != nullptr) {
    return;
  }
  while (read_timer_ == 0 && parts_.backlog->can_read()) {
    bool again = false;
    std::vector<DurableBacklog::Stored> batches = parts_.backlog->Read(again);
    for (DurableBacklog::Stored& stored : batches) {
      Slot* const slot = SlotOfEdge(stored.slot);
      const std::uint64_t weight = Weigh(stored.batch, *slot);
      stored.batch.set_weight(weight);
      if (stored.recovered) {
        const std::uint64_t left = recovered_weight_.load(std::memory_order_relaxed);
        recovered_weight_.store(left - std::min(left, weight), std::memory_order_relaxed);
        used_.fetch_add(weight, std::memory_order_relaxed);
      } else {
        recovered_weight_.store(0, std::memory_order_relaxed);
      }
      TakeEntry({.batch = std::move(stored.batch), .slot = slot}, now);
    }
    if (again) {
      read_timer_ = parts_.loop.ScheduleAt(now + kReadAgain, [this] {
        read_timer_ = 0;
        Take();
      });
    } else if (batches.empty()) {
      break;
    }
  }
}

void ExportQueue::AbandonDurable(Batch batch) {
  const std::uint64_t weight = batch.weight();
  batch.Settle(Outcome::kAbandoned);
  Released(weight);
}

}  // namespace weir::pipeline

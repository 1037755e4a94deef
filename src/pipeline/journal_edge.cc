#include "pipeline/journal_edge.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace weir::pipeline {
namespace {

// What a sender is told to wait when the disk does not take its data.
constexpr std::chrono::milliseconds kDiskRetry{1000};

std::int64_t UnixNanosecondsOf(TimePoint time) {
  const auto age = std::chrono::steady_clock::now() - time;
  return (std::chrono::system_clock::now().time_since_epoch() - age).count();
}

Batch WithoutTokens(const Batch& batch) {
  Batch copy = batch.EmptyLike();
  for (const Part& part : batch.parts()) {
    copy.AppendPart({.payload = part.payload, .items = part.items, .token = {}, .weight = 0});
  }
  return copy;
}

}  // namespace

JournalEdge::~JournalEdge() {
  for (Batch& batch : waiting_) {
    batch.Settle(Outcome::kAbandoned);
  }
}

void JournalEdge::AddTarget(ExportQueue& queue, std::size_t reader,
                            const std::optional<BatcherSettings>& batcher, BatchMetrics* metrics) {
  std::function<void()> room;
  if (queue.blocks()) {
    room = [this] { AdmitWaiting(); };
  }
  targets_.push_back({.queue = &queue,
                      .slot = queue.AddBatcher(batcher, metrics, id_, std::move(room)),
                      .bit = journal::ReaderMask{1} << reader});
}

void JournalEdge::Retire() {
  std::deque<Batch> waiting;
  {
    std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (Batch& batch : waiting) {
    for (const Target& target : targets_) {
      target.queue->RefuseCopy(batch, /*source_keeps_it=*/true, DropReason::kQueueFull);
    }
    batch.Settle(Outcome::kRetry);
  }
  for (std::uint64_t left = pending_.load(std::memory_order_acquire); left != 0;
       left = pending_.load(std::memory_order_acquire)) {
    pending_.wait(left, std::memory_order_acquire);
  }
  for (const Target& target : targets_) {
    target.queue->RetireBatcher(target.slot);
  }
}

JournalEdge::Append JournalEdge::Reserve(Batch batch, bool& may_wait) {
  Append append;
  append.weights.resize(targets_.size());
  may_wait = false;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const Target& target = targets_[i];
    if (const auto weight = target.queue->TryReserve(batch, *target.slot); weight.has_value()) {
      append.weights[i] = *weight;
      append.destinations |= target.bit;
    } else {
      may_wait = may_wait || target.queue->blocks();
    }
  }
  append.batch = std::move(batch);
  return append;
}

void JournalEdge::Emit(Batch batch) {
  const bool blocks =
      std::ranges::any_of(targets_, [](const Target& target) { return target.queue->blocks(); });
  if (!blocks) {
    bool may_wait = false;
    pending_.fetch_add(1, std::memory_order_relaxed);
    Start(Reserve(std::move(batch), may_wait));
    return;
  }
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(batch));  // Behind those that wait already.
  }
  AdmitWaiting();
}

void JournalEdge::AdmitWaiting() {
  for (;;) {
    Append append;
    {
      std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        return;
      }
      bool may_wait = false;
      append = Reserve(std::move(waiting_.front()), may_wait);
      if (may_wait) {
        for (std::size_t i = 0; i < targets_.size(); ++i) {
          targets_[i].queue->Unreserve(append.weights[i]);
        }
        waiting_.front() = std::move(append.batch);
        return;
      }
      waiting_.pop_front();
      pending_.fetch_add(1, std::memory_order_relaxed);  // While Retire can't see it go.
    }
    Start(std::move(append));
  }
}

void JournalEdge::Start(Append append) {
  const std::size_t bytes = append.batch.bytes();
  for (const Target& target : targets_) {
    if ((append.destinations & target.bit) == 0) {
      target.queue->RefuseCopy(append.batch, append.destinations == 0, DropReason::kQueueFull);
    } else if (target.queue->backlog()->ReserveLive(bytes)) {
      append.live |= target.bit;
    }
  }
  if (append.destinations == 0) {
    append.batch.Settle(Outcome::kRetry);
    Finish();
    return;
  }
  journal::Record record{.signal = append.batch.signal(),
                         .slot = id_,
                         .received_unix_ns = UnixNanosecondsOf(append.batch.received()),
                         .destinations = append.destinations,
                         .parts = {},
                         .context = {}};
  for (const Part& part : append.batch.parts()) {
    record.parts.push_back({.bytes = part.payload, .items = part.items});
  }
  if (const auto& context = append.batch.context(); context != nullptr) {
    record.context = EncodeContext(*context);
  }
  const journal::ReaderMask live = append.live;
  journal_->Append(
      std::move(record), live,
      [this, append = std::move(append)](absl::Status status, journal::Sequence sequence) mutable {
        OnDone(std::move(append), status, sequence);
        Finish();
      });
}

// Release: who retires this edge sees all that was done with it.
void JournalEdge::Finish() {
  pending_.fetch_sub(1, std::memory_order_release);
  pending_.notify_all();
}

void JournalEdge::OnDone(Append append, const absl::Status& status, journal::Sequence sequence) {
  if (status.ok()) {
    OnDurable(std::move(append), sequence);
    return;
  }
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const Target& target = targets_[i];
    if ((append.destinations & target.bit) == 0) {
      continue;
    }
    target.queue->Unreserve(append.weights[i]);
    if ((append.live & target.bit) != 0) {
      target.queue->backlog()->ReleaseLive(append.batch.bytes());
    }
    target.queue->RefuseCopy(append.batch, true, DropReason::kStorageError);
    target.queue->ReportStorage(status);
  }
  append.batch.Settle(Settlement{.outcome = Outcome::kRetry, .retry_after = kDiskRetry});
}

void JournalEdge::OnDurable(Append append, journal::Sequence sequence) {
  std::vector<const Target*> targets;
  std::vector<std::uint64_t> weights;
  bool wait_for_result = false;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if ((append.destinations & targets_[i].bit) != 0) {
      targets.push_back(&targets_[i]);
      weights.push_back(append.weights[i]);
      wait_for_result = wait_for_result || targets_[i].queue->waits_for_result();
    }
  }
  const Batch bytes = WithoutTokens(append.batch);
  const std::uint64_t items = append.batch.items();
  // Who waits for the delivery itself; everybody else is done once the disk has it.
  std::vector<DurableBacklog::Sources> sources(targets.size());
  for (Part& part : append.batch.TakeParts()) {
    if (!wait_for_result && !part.token.source_wants_delivery()) {
      part.token.Settle(Outcome::kDelivered);
      continue;
    }
    if (!wait_for_result) {
      part.token.Secure();
    }
    std::vector<DeliveryToken> branches(targets.size());
    part.token.Fork(branches);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      sources[i].push_back(std::move(branches[i]));
    }
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    ExportQueue& queue = *targets[i]->queue;
    queue.CountIn(items, bytes.received());
    if ((append.live & targets[i]->bit) == 0) {
      queue.backlog()->KeepSources(sequence, std::move(sources[i]));
      queue.NotifyUnread();
      continue;
    }
    Batch live = queue.backlog()->Track(WithoutTokens(bytes), sequence, std::move(sources[i]));
    live.set_weight(weights[i]);
    queue.EnqueueLive(std::move(live), targets[i]->slot);
  }
}

}  // namespace weir::pipeline

#include "pipeline/export_queue.h"

#include <algorithm>
#include <utility>

#include "weir/base/check.h"

namespace weir::pipeline {
namespace {

// Batches handed over and not yet seen by the loop. More than that overflow into a locked list.
constexpr std::size_t kRingSlots = 1024;

}  // namespace

ExportQueue::ExportQueue(Parts parts)
    : parts_(std::move(parts)),
      secure_when_queued_(parts_.settings.sending_queue.enabled &&
                          !parts_.settings.sending_queue.wait_for_result),
      capacity_(parts_.settings.sending_queue.sizer == QueueSizer::kRequests
                    ? parts_.settings.sending_queue.queue_size * kRequestWeight
                    : parts_.settings.sending_queue.queue_size),
      exporter_metrics_(parts_.metrics, parts_.exporter_id, parts_.signal),
      latency_to_queue_(EdgeLatency(parts_.metrics, parts_.exporter_id, "exporter", parts_.signal)),
      ring_(kRingSlots),
      sender_(
          {.settings = parts_.settings,
           .exporter = parts_.exporter,
           .loop = parts_.loop,
           .books = parts_.books,
           .metrics = exporter_metrics_,
           .latency = EdgeLatency(parts_.metrics, parts_.exporter_id, "destination", parts_.signal),
           .logger = parts_.logger,
           .budget = parts_.budget,
           .durable = parts_.backlog != nullptr,
           .too_large = [this](std::size_t bytes) { LowerBytesMax(bytes); },
           .released = [this](std::uint64_t weight) { Released(weight); },
           .delivered =
               [this](std::size_t bytes) {
                 pacer_.Delivered(bytes);
                 UpdatePacing();
                 WatchBacklog();
               }}),
      queue_metrics_(
          parts_.metrics, parts_.exporter_id, parts_.signal, [this] { return size(); },
          [this] { return capacity(); }, [this] { return oldest_age_seconds(); }) {}

ExportQueue::~ExportQueue() {
  closed_ = true;
  Entry entry;
  while (ring_.TryPop(entry)) {
    overflow_.push_back(std::move(entry));
  }
  for (std::deque<Entry>* list : {&overflow_, &waiting_}) {
    for (Entry& left : *list) {
      if (parts_.backlog != nullptr) {
        left.batch.Settle(Outcome::kAbandoned);  // The disk has it.
        continue;
      }
      parts_.books.Hold(-static_cast<std::int64_t>(left.batch.items()));
      parts_.books.Drop(DropReason::kShutdown, left.batch.items());
      left.batch.Settle(Outcome::kAbandoned);
    }
  }
}

std::uint64_t ExportQueue::Weigh(const Batch& batch, const Slot& slot) const {
  if (parts_.settings.sending_queue.sizer == QueueSizer::kBytes) {
    return batch.bytes();
  }
  return slot.weight_per_item == 0 ? kRequestWeight : batch.items() * slot.weight_per_item;
}

bool ExportQueue::Reserve(std::uint64_t weight) {
  const std::uint64_t before = used_.fetch_add(weight, std::memory_order_relaxed);
  // An empty queue takes a batch of any size; it could never be sent otherwise.
  const std::uint64_t recovered = recovered_weight_.load(std::memory_order_relaxed);
  if (before + recovered == 0 || before + recovered + weight <= capacity_) {
    return true;
  }
  used_.fetch_sub(weight, std::memory_order_relaxed);
  return false;
}

void ExportQueue::Enqueue(Batch batch, Slot* slot) {
  const std::uint64_t weight = Weigh(batch, *slot);
  batch.set_weight(weight);
  const bool room = Reserve(weight);
  if (!room && !parts_.settings.sending_queue.block_on_overflow) {
    RefuseCopy(batch, /*source_keeps_it=*/true, DropReason::kQueueFull);
    batch.Settle(Outcome::kRetry);
    return;
  }
  CountIn(batch.items(), batch.received());
  if (!room) {
    // It waits unsecured, so its source waits with it; the memory budget bounds how many can.
    {
      std::lock_guard lock(overflow_mutex_);
      waiting_.push_back({.batch = std::move(batch), .slot = slot});
    }
    parts_.loop.Notify(take_task_);  // Room may have come up meanwhile.
    return;
  }
  if (secure_when_queued_ && !HeldBack(batch)) {
    batch.Secure();  // Before the push: behind it the batch may be settled at any moment.
  }
  Push({.batch = std::move(batch), .slot = slot});
}

void ExportQueue::CountIn(std::uint64_t items, TimePoint received) {
  parts_.books.In(items);
  parts_.books.Hold(static_cast<std::int64_t>(items));
  latency_to_queue_.Record(
      static_cast<std::uint64_t>((std::chrono::steady_clock::now() - received).count()));
}

// A sender that is told to try again has lost nothing, so this door never took it in. A copy whose
// siblings may succeed, or that was acknowledged before, is gone.
void ExportQueue::RefuseCopy(const Batch& batch, bool source_keeps_it, DropReason reason) {
  for (const Part& part : batch.parts()) {
    if (source_keeps_it && part.token.source_can_retry()) {
      parts_.books.Refused(part.items);
    } else {
      parts_.books.In(part.items);
      parts_.books.Drop(reason, part.items);
    }
  }
  queue_metrics_.enqueue_failed.Add(batch.items());
}

void ExportQueue::Push(Entry entry) {
  const std::uint64_t items = entry.batch.items();
  const bool listed = entry.slot->listed.load(std::memory_order_relaxed);
  const std::uint64_t wake_at = wake_at_.load(std::memory_order_relaxed);
  if (overflowed_.load(std::memory_order_acquire) || !ring_.TryPush(entry)) {
    std::lock_guard lock(overflow_mutex_);
    overflow_.push_back(std::move(entry));
    overflowed_.store(true, std::memory_order_release);
  }
  // Half a ring of small batches wakes the loop as well.
  const std::uint64_t share = std::max(items, wake_at / (kRingSlots / 2) + 1);
  const std::uint64_t before = pending_.fetch_add(share, std::memory_order_acq_rel);
  if (!listed || before == 0 || (before < wake_at && before + share >= wake_at)) {
    parts_.loop.Notify(take_task_);
  }
}

double ExportQueue::size() const {
  const auto used = static_cast<double>(used_.load(std::memory_order_relaxed) +
                                        recovered_weight_.load(std::memory_order_relaxed));
  return parts_.settings.sending_queue.sizer == QueueSizer::kRequests
             ? used / static_cast<double>(kRequestWeight)
             : used;
}

double ExportQueue::capacity() const {
  return static_cast<double>(parts_.settings.sending_queue.queue_size);
}

double ExportQueue::oldest_age_seconds() const {
  const std::int64_t oldest = oldest_ns_.load(std::memory_order_relaxed);
  if (oldest == 0) {
    return 0;
  }
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now - std::chrono::nanoseconds(oldest)).count();
}

void ExportQueue::Take() {
  AdmitWaiting();
  const TimePoint now = parts_.loop.Now();
  // Take, then publish how the loop will look again, then take once more: what was pushed before
  // the exchange is visible after it, and what comes later knows how to reach us.
  while (TakeOnce(now)) {
  }
  ReadBack(now);
  for (;;) {
    CloseDue(now);
    SetTimer();
    pending_.exchange(timer_ != 0 ? 1 : 0, std::memory_order_acq_rel);
    if (!TakeOnce(now)) {
      break;
    }
  }
  const TimePoint oldest = [&] {
    TimePoint time = sender_.oldest(now);
    for (const Slot* slot : slots_) {
      if (const auto due = slot->batcher.NextDeadline(); due.has_value()) {
        time = std::min(time, *due - slot->batcher.settings().timeout);
      }
    }
    return time;
  }();
  oldest_ns_.store(oldest == now ? 0 : oldest.time_since_epoch().count(),
                   std::memory_order_relaxed);
  UpdatePacing();
  WatchBacklog();
  if (any_retired_) {
    ForgetRetired();
  }
  CheckDrained();
}

// Behind a fan-out nothing is held back: one destination never slows another.
bool ExportQueue::HeldBack(const Batch& batch) const {
  return pacer_.paced() && std::ranges::all_of(batch.parts(), [](const Part& part) {
           return part.token.source_can_retry();
         });
}

void ExportQueue::UpdatePacing() {
  if (pacer_.Update(drained_ != nullptr ? 0 : sender_.bytes()) && secure_when_queued_) {
    SecureAll();
  }
}

void ExportQueue::SecureAll() {
  for (Slot* const slot : slots_) {
    slot->batcher.SecureOpen();
  }
  sender_.SecureReady();
  parts_.loop.Notify(take_task_);  // The ring may hold some, and not enough to wake us.
}

void ExportQueue::WatchBacklog() {
  if (pacer_timer_ != 0 || drained_ != nullptr || sender_.bytes() < Pacer::kBacklogBytes / 4) {
    return;
  }
  pacer_timer_ = parts_.loop.ScheduleAt(parts_.loop.Now() + Pacer::kTick, [this] {
    pacer_timer_ = 0;
    pacer_.Tick();
    UpdatePacing();
    if (pacer_.moving()) {
      WatchBacklog();
    }
  });
}

bool ExportQueue::TakeOnce(TimePoint now) {
  bool any = false;
  Entry entry;
  while (ring_.TryPop(entry)) {
    any = true;
    TakeEntry(std::move(entry), now);
  }
  if (overflowed_.load(std::memory_order_acquire)) {
    std::deque<Entry> entries;
    {
      std::lock_guard lock(overflow_mutex_);
      entries.swap(overflow_);
      overflowed_.store(false, std::memory_order_release);
    }
    for (Entry& left : entries) {
      any = true;
      TakeEntry(std::move(left), now);
    }
  }
  return any;
}

void ExportQueue::TakeEntry(Entry entry, TimePoint now) {
  if (parts_.backlog != nullptr && drained_ != nullptr) {
    AbandonDurable(std::move(entry.batch));
    return;
  }
  Slot& slot = *entry.slot;
  if (!slot.listed.load(std::memory_order_relaxed)) {
    slots_.push_back(&slot);
    slot.listed.store(true, std::memory_order_relaxed);
    if (bytes_max_learned_ != 0) {
      LowerBytesMax(bytes_max_learned_);
    }
  }
  if (secure_when_queued_ && !pacer_.paced()) {
    entry.batch.Secure();  // Pacing may have ended since it was pushed.
  }
  std::vector<Batcher::Closed> closed;
  if (!slot.batcher.Add(entry.batch, now, closed)) {
    const std::uint64_t items = entry.batch.items();
    parts_.books.Hold(-static_cast<std::int64_t>(items));
    parts_.books.Drop(DropReason::kCardinality, items);
    Released(entry.batch.weight());
    entry.batch.Settle(Outcome::kRefused);
    return;
  }
  Submit(slot, closed);
}

void ExportQueue::Submit(Slot& slot, std::vector<Batcher::Closed>& closed) {
  for (Batcher::Closed& ready : closed) {
    if (parts_.backlog != nullptr && drained_ != nullptr) {
      AbandonDurable(std::move(ready.batch));
      continue;
    }
    if (slot.metrics != nullptr) {
      slot.metrics->send_size.Record(ready.batch.items());
      slot.metrics->send_size_bytes.Record(ready.batch.bytes());
      (ready.trigger == Batcher::Trigger::kSize ? slot.metrics->size_trigger_send
                                                : slot.metrics->timeout_trigger_send)
          .Add();
    }
    queue_metrics_.batch_send_size.Record(ready.batch.items());
    queue_metrics_.batch_send_size_bytes.Record(ready.batch.bytes());
    sender_.Submit(std::move(ready.batch));
  }
  closed.clear();
}

void ExportQueue::CloseDue(TimePoint now) {
  std::vector<Batcher::Closed> closed;
  for (Slot* slot : slots_) {
    if (drained_ != nullptr || slot->retired) {
      slot->batcher.TakeAll(closed);
    } else {
      slot->batcher.TakeDue(now, closed);
    }
    Submit(*slot, closed);
  }
}

void ExportQueue::SetTimer() {
  std::optional<TimePoint> due;
  std::uint64_t wake_at = ~std::uint64_t{0};
  for (const Slot* slot : slots_) {
    if (slot->retired) {
      continue;
    }
    const auto slot_due = slot->batcher.NextDeadline();
    if (slot_due.has_value()) {
      due = due.has_value() ? std::min(*due, *slot_due) : *slot_due;
    }
    const std::uint64_t full = slot->batcher.settings().items_min;
    const std::uint64_t held = slot->batcher.held_items();
    wake_at = std::min(wake_at, full > held ? full - held : 1);
  }
  if (wake_at == ~std::uint64_t{0}) {
    wake_at = 1;  // No edge yet.
  }
  wake_at_.store(std::max<std::uint64_t>(wake_at, 1) + 1, std::memory_order_relaxed);
  if (timer_ != 0 && due == timer_due_) {
    return;
  }
  parts_.loop.Cancel(std::exchange(timer_, 0));
  if (due.has_value()) {
    timer_due_ = *due;
    timer_ = parts_.loop.ScheduleAt(*due, [this] {
      timer_ = 0;
      Take();
    });
  }
}

void ExportQueue::AdmitWaiting() {
  if (!blocks() || drained_ != nullptr) {
    return;
  }
  for (Slot* const slot : SlotsThatWait()) {
    slot->room();
  }
  std::lock_guard lock(overflow_mutex_);
  while (!waiting_.empty() && Reserve(waiting_.front().batch.weight())) {
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    if (secure_when_queued_) {
      entry.batch.Secure();
    }
    overflow_.push_back(std::move(entry));
    overflowed_.store(true, std::memory_order_release);
  }
}

std::uint64_t ExportQueue::AbandonWaiting() {
  std::lock_guard lock(overflow_mutex_);
  std::uint64_t items = 0;
  for (Entry& entry : waiting_) {
    const std::uint64_t left = entry.batch.items();
    items += left;
    parts_.books.Hold(-static_cast<std::int64_t>(left));
    parts_.books.Drop(DropReason::kShutdown, left);
    entry.batch.Settle(Outcome::kAbandoned);
  }
  waiting_.clear();
  return items;
}

void ExportQueue::Released(std::uint64_t weight) {
  used_.fetch_sub(weight, std::memory_order_relaxed);
  if (!closed_ && (blocks() || drained_ != nullptr || parts_.backlog != nullptr)) {
    parts_.loop.Notify(take_task_);
  }
}

void ExportQueue::LowerBytesMax(std::size_t bytes) {
  bytes_max_learned_ = bytes_max_learned_ == 0 ? bytes : std::min(bytes_max_learned_, bytes);
  for (Slot* slot : slots_) {
    const std::size_t now = slot->batcher.settings().bytes_max;
    if (now == 0 || bytes < now) {
      slot->batcher.set_bytes_max(bytes);
    }
  }
}

void ExportQueue::Drain(TimePoint deadline, std::function<void(std::uint64_t)> drained) {
  drained_ = std::move(drained);
  UpdatePacing();
  parts_.loop.Cancel(std::exchange(pacer_timer_, 0));
  if (parts_.backlog != nullptr) {
    sender_.Freeze();
  } else {
    sender_.HurryUntil(deadline);
  }
  drain_timer_ = parts_.loop.ScheduleAt(deadline, [this] {
    drain_timer_ = 0;
    EndDrain();
  });
  Take();
}

void ExportQueue::EndDrain() {
  if (drained_ == nullptr) {
    return;
  }
  parts_.loop.Cancel(std::exchange(drain_timer_, 0));
  const std::uint64_t abandoned = sender_.Abandon() + AbandonWaiting();
  const auto done = std::exchange(drained_, nullptr);
  done(abandoned);
}

void ExportQueue::CheckDrained() {
  const bool empty = parts_.backlog != nullptr || used_.load(std::memory_order_relaxed) == 0;
  if (drained_ == nullptr || !sender_.idle() || !empty) {
    return;
  }
  parts_.loop.Cancel(std::exchange(drain_timer_, 0));
  const auto done = std::exchange(drained_, nullptr);
  done(0);
}

}  // namespace weir::pipeline

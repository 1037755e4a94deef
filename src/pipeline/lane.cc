#include "pipeline/lane.h"

#include <utility>

namespace weir::pipeline {
namespace {

// Batches that one holder runs before it passes the baton to the lane's loop. At some ten
// microseconds a batch this keeps a listener from its sockets for a millisecond or two.
constexpr int kBurstBatches = 128;

}  // namespace

Lane::Lane(std::size_t ring_slots, EventLoop& loop, Mode mode, BatchOutput& first)
    : loop_(loop),
      mode_(mode),
      first_(first),
      ring_(ring_slots),
      alive_(std::make_shared<Lane*>(this)) {}

Lane::~Lane() {
  Batch batch;
  while (ring_.TryPop(batch)) {
    batch.Settle(Outcome::kAbandoned);
  }
}

Admission Lane::Offer(Batch& batch, std::uint64_t /*affinity*/) {
  if (!ring_.TryPush(batch)) {
    return Admission::kBusy;
  }
  RunIfFree();
  return Admission::kAccepted;
}

void Lane::Post(EventLoop::Task task) {
  {
    std::lock_guard lock(tasks_mutex_);
    tasks_.push_back(std::move(task));
    has_tasks_.store(true, std::memory_order_release);
  }
  RunIfFree();
}

void Lane::PostAfter(std::chrono::nanoseconds delay, EventLoop::Task task) {
  // Timers belong to the loop's thread; the weak reference is read there as well, and a lane is
  // destroyed only after its loop has stopped or has run everything posted before.
  loop_.Post([&loop = loop_, delay, task = std::move(task),
              alive = std::weak_ptr<Lane*>(alive_)]() mutable {
    loop.ScheduleAfter(delay, [task = std::move(task), alive = std::move(alive)]() mutable {
      if (const std::shared_ptr<Lane*> lane = alive.lock()) {
        (*lane)->Post(std::move(task));
      }
    });
  });
}

void Lane::Close() {
  // On the loop there is no timer of ours that could be under way, and no holder either: with
  // nothing offered and nothing in the ring, only the loop and the calling thread ever run us.
  loop_.RunAndWait([this] {
    alive_.reset();
    std::vector<EventLoop::Task> late;
    std::lock_guard lock(tasks_mutex_);
    late.swap(tasks_);
  });
}

void Lane::RunIfFree() {
  if (!running_.exchange(true, std::memory_order_acq_rel)) {
    if (mode_ == Mode::kThread && !loop_.InLoopThread()) {
      loop_.Notify(drain_task_);  // The baton goes with it.
    } else {
      HoldBaton();
    }
  }
}

void Lane::HoldBaton() {
  for (;;) {
    if (RunBurst()) {
      loop_.Notify(drain_task_);
      return;
    }
    const std::uint64_t next = ring_.NextPosition();
    running_.exchange(false, std::memory_order_acq_rel);
    if (!ring_.Published(next) && !has_tasks_.load(std::memory_order_acquire)) {
      return;
    }
    if (running_.exchange(true, std::memory_order_acq_rel)) {
      return;  // Another thread took the baton, and with it what we saw.
    }
  }
}

bool Lane::RunBurst() {
  if (has_tasks_.load(std::memory_order_acquire)) {
    std::vector<EventLoop::Task> due;
    {
      std::lock_guard lock(tasks_mutex_);
      due = std::exchange(tasks_, {});
      has_tasks_.store(false, std::memory_order_relaxed);
    }
    for (EventLoop::Task& task : due) {
      task();
    }
  }
  Batch batch;
  for (int i = 0; i < kBurstBatches; ++i) {
    if (!ring_.TryPop(batch)) {
      return false;
    }
    first_.Emit(std::move(batch));
  }
  return true;
}

void Lane::ContinueOnLoop() { HoldBaton(); }

}  // namespace weir::pipeline

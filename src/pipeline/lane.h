// Lane runs one pipeline's processors, one batch at a time, on whichever thread is at hand.
//
// Producers put a batch into the lane's ring and then reach for the baton. Who gets it runs the
// processors on what the ring holds, on its own thread, while the batch is still warm in its cache;
// who does not walks away, because the holder will find the batch. So an idle lane costs no thread
// switch and a busy one never runs twice. After a burst the baton passes to the lane's loop, so
// that a listener thread is not kept from its sockets. With Mode::kThread every batch runs on that
// loop.
//
// Threads: Offer and Post from any thread. The stages behind `first` run under the baton, which
// passes between threads with acquire-release, so they need no lock.
// Loss: Offer answers kBusy when the ring is full and leaves the batch untouched.
// Invariants: at most one thread holds the baton; an item that was pushed is followed by a run.

#ifndef WEIR_PIPELINE_LANE_H_
#define WEIR_PIPELINE_LANE_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "weir/base/event_loop.h"
#include "weir/base/mpsc_ring.h"
#include "weir/component/processor.h"
#include "weir/component/sink.h"

namespace weir::pipeline {

class Lane final : public BatchSink, public LaneScheduler {
 public:
  enum class Mode : std::uint8_t { kInline, kThread };

  // `loop` runs timers, what is left of a burst, and in kThread mode everything. `first` is the
  // first stage. Both outlive the lane. REQUIRES: ring_slots is a power of two.
  Lane(std::size_t ring_slots, EventLoop& loop, Mode mode, BatchOutput& first);
  ~Lane() override;

  Admission Offer(Batch& batch, std::uint64_t affinity) override;

  // Runs `task` under the baton, soon.
  void Post(EventLoop::Task task) override;
  // Runs `task` under the baton after `delay`; destroyed with the lane, not run.
  void PostAfter(std::chrono::nanoseconds delay, EventLoop::Task task) override;
  TimePoint Now() const override { return loop_.Now(); }

  // Whether everything that was accepted has gone through the stages. Under the baton.
  bool empty() const { return !ring_.Published(ring_.NextPosition()); }

  // Nothing touches the lane or what is behind it once this has returned; timers that are still to
  // come do nothing. Service thread. REQUIRES: nobody offers any more, and the lane is empty.
  void Close();

 private:
  struct DrainTask final : LoopTask {
    explicit DrainTask(Lane& lane) : lane(lane) {}
    void Run() override { lane.ContinueOnLoop(); }
    Lane& lane;
  };

  void RunIfFree();
  void HoldBaton();  // Runs until there is nothing to do or the baton moved to the loop.
  bool RunBurst();   // True when there may be more.
  void ContinueOnLoop();

  EventLoop& loop_;
  const Mode mode_;
  BatchOutput& first_;
  DrainTask drain_task_{*this};

  MpscRing<Batch> ring_;

  // The baton. Taken and returned by exchange with acquire-release: the returning exchange reads
  // the value of a producer's failed one and so sees what that producer pushed before it.
  alignas(kCacheLineBytes) std::atomic<bool> running_{false};

  // Rare work (timers, shutdown); a lock costs nothing here, and has_tasks_ keeps it off the path.
  std::atomic<bool> has_tasks_{false};
  std::mutex tasks_mutex_;
  std::vector<EventLoop::Task> tasks_;

  // Timers hold a weak reference to this, so that one that fires late finds the lane gone.
  std::shared_ptr<Lane*> alive_;
};

}  // namespace weir::pipeline

#endif  // WEIR_PIPELINE_LANE_H_

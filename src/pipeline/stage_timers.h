// StageTimers is the lane as one processor sees it. A reload may take a processor out of a lane
// that lives on; from then on what the processor had posted or scheduled does nothing.
//
// Threads: as LaneScheduler. Close under the baton, where the tasks run as well.

#ifndef WEIR_PIPELINE_STAGE_TIMERS_H_
#define WEIR_PIPELINE_STAGE_TIMERS_H_

#include <memory>
#include <utility>

#include "weir/component/context.h"

namespace weir::pipeline {

class StageTimers final : public LaneScheduler {
 public:
  explicit StageTimers(LaneScheduler& lane) : lane_(lane) {}

  void Post(EventLoop::Task task) override { lane_.Post(WhileOpen(std::move(task))); }
  void PostAfter(std::chrono::nanoseconds delay, EventLoop::Task task) override {
    lane_.PostAfter(delay, WhileOpen(std::move(task)));
  }
  TimePoint Now() const override { return lane_.Now(); }

  void Close() { *open_ = false; }

 private:
  EventLoop::Task WhileOpen(EventLoop::Task task) {
    return [task = std::move(task), open = open_]() mutable {
      if (*open) {
        task();
      }
    };
  }

  LaneScheduler& lane_;
  // Shared with the tasks, which may outlive this. Guarded by the baton.
  const std::shared_ptr<bool> open_ = std::make_shared<bool>(true);
};

}  // namespace weir::pipeline

#endif  // WEIR_PIPELINE_STAGE_TIMERS_H_

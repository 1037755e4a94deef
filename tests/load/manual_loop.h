// An event loop whose time stands still until the test moves it. Timers and posted work run on the
// test's thread; there are no sockets.

#ifndef WEIR_TESTS_LOAD_MANUAL_LOOP_H_
#define WEIR_TESTS_LOAD_MANUAL_LOOP_H_

#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "weir/base/event_loop.h"

namespace weir::load {

class ManualLoop final : public EventLoop {
 public:
  // Runs what is due until then, in the order of its time.
  void Advance(std::chrono::nanoseconds step) {
    const TimePoint end = now_ + step;
    RunPosted();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      auto node = timers_.extract(timers_.begin());
      now_ = std::max(now_, node.key().first);
      node.mapped()();
      RunPosted();
    }
    now_ = end;
  }
  std::size_t timers() const { return timers_.size(); }

  TimePoint Now() const override { return now_; }
  void Post(Task task) override { posted_.push_back(std::move(task)); }
  void Notify(LoopTask& task) override { task.Run(); }
  void Defer(Task task) override { posted_.push_back(std::move(task)); }
  TimerId ScheduleAt(TimePoint when, Task task) override {
    timers_.emplace(std::pair(when, ++last_timer_), std::move(task));
    return last_timer_;
  }
  void Cancel(TimerId timer) override {
    std::erase_if(timers_, [timer](const auto& entry) { return entry.first.second == timer; });
  }
  void Watch(int, std::uint32_t, FdHandler&) override {}
  void Rewatch(int, std::uint32_t, FdHandler&) override {}
  void Unwatch(int) override {}
  bool InLoopThread() const override { return true; }
  void Run() override {}
  void Stop() override {}

 private:
  void RunPosted() {
    while (!posted_.empty()) {
      for (Task& task : std::exchange(posted_, {})) {
        task();
      }
    }
  }

  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  TimerId last_timer_ = 0;
  std::map<std::pair<TimePoint, TimerId>, Task> timers_;
  std::vector<Task> posted_;
};

}  // namespace weir::load

#endif  // WEIR_TESTS_LOAD_MANUAL_LOOP_H_

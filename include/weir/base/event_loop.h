// EventLoop is one thread's world: sockets, timers and work handed over from other threads.
//
// A listener, an exporter's sender and the admin server each live on a loop; what belongs to a loop
// is touched on its thread only, so it needs no lock. Tests put a simulated loop in its place.
//
// Threads: Post, Notify and Stop may be called from any thread. Everything else belongs to the loop
// thread (or to the thread that set it up, before Run).
// Ownership: the loop never owns a handler or a task; both outlive their registration.

#ifndef WEIR_BASE_EVENT_LOOP_H_
#define WEIR_BASE_EVENT_LOOP_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace weir {

using TimePoint = std::chrono::steady_clock::time_point;

// A unit of work that may be asked for many times and runs once per asking burst. No allocation.
class LoopTask {
 public:
  LoopTask() = default;
  LoopTask(const LoopTask&) = delete;
  LoopTask& operator=(const LoopTask&) = delete;
  virtual ~LoopTask() = default;
  virtual void Run() = 0;  // On the loop thread.

 private:
  friend class EpollLoop;
  friend class SimulatedLoop;
  std::atomic<bool> queued_{false};
  LoopTask* next_ = nullptr;
};

class FdHandler {
 public:
  virtual ~FdHandler() = default;
  // `events` is a set of EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR, EPOLLRDHUP.
  virtual void OnEvents(std::uint32_t events) = 0;
};

class EventLoop {
 public:
  using Task = absl::AnyInvocable<void()>;
  using TimerId = std::uint64_t;  // 0 is never a timer.

  virtual ~EventLoop() = default;

  virtual TimePoint Now() const = 0;  // Cached once per turn of the loop.

  // Runs `task` on the loop thread after what was posted before it.
  virtual void Post(Task task) = 0;
  // Runs `task` once on the loop thread, however often it is asked for before it runs.
  virtual void Notify(LoopTask& task) = 0;

  // Runs `task` at the end of this turn, after all handlers: the place to flush what a turn wrote.
  virtual void Defer(Task task) = 0;

  virtual TimerId ScheduleAt(TimePoint when, Task task) = 0;
  TimerId ScheduleAfter(std::chrono::nanoseconds delay, Task task) {
    return ScheduleAt(Now() + delay, std::move(task));
  }
  virtual void Cancel(TimerId timer) = 0;  // No-op when it ran already or is 0.

  // Edge- or level-triggered as `events` says (EPOLLET). The handler stays until Unwatch, after
  // which it is never called again, not even for events of the same turn.
  virtual void Watch(int fd, std::uint32_t events, FdHandler& handler) = 0;
  virtual void Rewatch(int fd, std::uint32_t events, FdHandler& handler) = 0;
  virtual void Unwatch(int fd) = 0;

  virtual bool InLoopThread() const = 0;

  // Runs `task` on the loop thread and waits for it. REQUIRES: the loop runs, on another thread.
  void RunAndWait(Task task);

  // Runs until Stop; posted work is run to the end before it returns.
  virtual void Run() = 0;
  virtual void Stop() = 0;
};

std::unique_ptr<EventLoop> NewEpollLoop();

// An EpollLoop with the thread that runs it.
class LoopThread {
 public:
  // `name` shows in ps and top; at most 15 characters are kept.
  explicit LoopThread(std::string name);
  ~LoopThread();  // Stops and joins.

  EventLoop& loop() { return *loop_; }
  void StopAndJoin();

  void RunAndWait(EventLoop::Task task) { loop_->RunAndWait(std::move(task)); }

 private:
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;
};

}  // namespace weir

#endif  // WEIR_BASE_EVENT_LOOP_H_

#include "weir/base/event_loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <future>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "weir/base/check.h"

namespace weir {

// Cross-thread work is a stack that producers push with one compare-and-swap and the loop takes
// whole. The wake-up system call is made only by the producer that finds the loop asleep.
class EpollLoop final : public EventLoop {
 public:
  EpollLoop()
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    WEIR_CHECK(epoll_ >= 0);
    WEIR_CHECK(wake_ >= 0);
    epoll_event event{.events = EPOLLIN, .data = {.fd = wake_}};
    WEIR_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0);
  }

  ~EpollLoop() override {
    // What nobody ran is destroyed, not run: its owners may be gone.
    for (LoopTask* task = incoming_.exchange(nullptr, std::memory_order_acquire);
         task != nullptr;) {
      LoopTask* const next = task->next_;
      DeletePosted(task);
      task = next;
    }
    ::close(wake_);
    ::close(epoll_);
  }

  TimePoint Now() const override {
    return InLoopThread() ? now_ : std::chrono::steady_clock::now();
  }

  void Post(Task task) override { Push(std::make_unique<PostedTask>(std::move(task)).release()); }

  void Notify(LoopTask& task) override {
    // Acquire-release: the run that clears the flag sees all that was written before the asking.
    if (!task.queued_.exchange(true, std::memory_order_acq_rel)) {
      Push(&task);
    }
  }

  void Defer(Task task) override { deferred_.push_back(std::move(task)); }

  TimerId ScheduleAt(TimePoint when, Task task) override {
    const TimerId id = ++last_timer_;
    timers_.emplace(std::pair(when, id), std::move(task));
    timer_times_.emplace(id, when);
    return id;
  }

  void Cancel(TimerId timer) override {
    if (const auto found = timer_times_.find(timer); found != timer_times_.end()) {
      timers_.erase({found->second, timer});
      timer_times_.erase(found);
    }
  }

  void Watch(int fd, std::uint32_t events, FdHandler& handler) override {
    handlers_[fd] = &handler;
    epoll_event event{.events = events, .data = {.fd = fd}};
    WEIR_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
  }

  void Rewatch(int fd, std::uint32_t events, FdHandler& handler) override {
    handlers_[fd] = &handler;
    epoll_event event{.events = events, .data = {.fd = fd}};
    WEIR_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0);
  }

  void Unwatch(int fd) override {
    if (handlers_.erase(fd) > 0) {
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
      unwatched_.push_back(fd);
    }
  }

  bool InLoopThread() const override {
    return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  void Run() override {
    thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    now_ = std::chrono::steady_clock::now();
    while (!stopping_.load(std::memory_order_acquire)) {
      Turn();
    }
    // Work posted before Stop is part of what the poster was promised.
    while (RunIncoming() || RunDeferred()) {
    }
    thread_.store(std::thread::id(), std::memory_order_relaxed);
  }

  void Stop() override {
    stopping_.store(true, std::memory_order_release);
    Wake();
  }

 private:
  struct PostedTask final : LoopTask {
    explicit PostedTask(Task work) : work(std::move(work)) {}
    void Run() override { work(); }
    Task work;
  };

  static void DeletePosted(LoopTask* task) {
    if (auto* posted = dynamic_cast<PostedTask*>(task)) {
      std::unique_ptr<PostedTask>(posted).reset();
    } else {
      task->queued_.store(false, std::memory_order_relaxed);
    }
  }

  void Push(LoopTask* task) {
    LoopTask* head = incoming_.load(std::memory_order_relaxed);
    do {
      task->next_ = head;
      // seq_cst pairs with the sleeping_ store in Turn: either we see the loop asleep and wake it,
      // or it sees our push before it sleeps. A weaker order allows neither (store buffering).
    } while (!incoming_.compare_exchange_weak(head, task));
    if (!InLoopThread() && sleeping_.load()) {
      Wake();
    }
  }

  void Wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof(one));
  }

  bool RunIncoming() {
    LoopTask* task = incoming_.exchange(nullptr, std::memory_order_acquire);
    if (task == nullptr) {
      return false;
    }
    LoopTask* oldest = nullptr;  // The stack holds the newest first.
    while (task != nullptr) {
      LoopTask* const next = task->next_;
      task->next_ = oldest;
      oldest = task;
      task = next;
    }
    while (oldest != nullptr) {
      LoopTask* const next = oldest->next_;
      if (auto* posted = dynamic_cast<PostedTask*>(oldest)) {
        std::unique_ptr<PostedTask>(posted)->Run();
      } else {
        // Cleared before running, so that an asking during the run leads to another run.
        oldest->queued_.store(false, std::memory_order_release);
        oldest->Run();
      }
      oldest = next;
    }
    return true;
  }

  bool RunDeferred() {
    if (deferred_.empty()) {
      return false;
    }
    std::vector<Task> due = std::exchange(deferred_, {});
    for (Task& task : due) {
      task();
    }
    return true;
  }

  void RunTimers() {
    while (!timers_.empty() && timers_.begin()->first.first <= now_) {
      auto node = timers_.extract(timers_.begin());
      timer_times_.erase(node.key().second);
      node.mapped()();
    }
  }

  int WaitMillis() const {
    if (!deferred_.empty()) {
      return 0;
    }
    if (timers_.empty()) {
      return -1;
    }
    const auto wait = timers_.begin()->first.first - std::chrono::steady_clock::now();
    if (wait <= std::chrono::nanoseconds::zero()) {
      return 0;
    }
    // Rounded up, so that a timer never finds itself early and spins.
    return static_cast<int>(std::min<std::int64_t>(
        std::chrono::ceil<std::chrono::milliseconds>(wait).count(), 3600000));
  }

  void Turn() {
    int wait = WaitMillis();
    if (wait != 0) {
      sleeping_.store(true);  // seq_cst, see Push.
      if (incoming_.load() != nullptr || stopping_.load()) {
        wait = 0;
      }
    }
    std::array<epoll_event, 128> events;
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
    sleeping_.store(false, std::memory_order_relaxed);
    WEIR_CHECK(count >= 0 || errno == EINTR);
    now_ = std::chrono::steady_clock::now();
    unwatched_.clear();
    for (int i = 0; i < count; ++i) {
      Dispatch(events[static_cast<std::size_t>(i)]);
    }
    RunIncoming();
    RunTimers();
    RunDeferred();
  }

  void Dispatch(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == wake_) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t read = ::read(wake_, &ignored, sizeof(ignored));
      return;
    }
    // A handler of this turn may have closed the descriptor, and another reopened its number.
    if (std::find(unwatched_.begin(), unwatched_.end(), fd) != unwatched_.end()) {
      return;
    }
    if (const auto found = handlers_.find(fd); found != handlers_.end()) {
      found->second->OnEvents(event.events);
    }
  }

  const int epoll_;
  const int wake_;

  // Loop thread only.
  TimePoint now_{};
  TimerId last_timer_ = 0;
  std::map<std::pair<TimePoint, TimerId>, Task> timers_;
  std::unordered_map<TimerId, TimePoint> timer_times_;
  std::unordered_map<int, FdHandler*> handlers_;
  std::vector<int> unwatched_;  // During this turn.
  std::vector<Task> deferred_;

  // Shared.
  std::atomic<LoopTask*> incoming_{nullptr};
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::thread::id> thread_{};
};

void EventLoop::RunAndWait(Task task) {
  WEIR_CHECK(!InLoopThread());
  std::promise<void> done;
  Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

std::unique_ptr<EventLoop> NewEpollLoop() { return std::make_unique<EpollLoop>(); }

LoopThread::LoopThread(std::string name)
    : loop_(NewEpollLoop()), thread_([this, name = std::move(name)] {
        ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
        loop_->Run();
      }) {}

LoopThread::~LoopThread() { StopAndJoin(); }

void LoopThread::StopAndJoin() {
  if (thread_.joinable()) {
    loop_->Stop();
    thread_.join();
  }
}

}  // namespace weir

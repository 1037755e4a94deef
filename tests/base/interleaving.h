// Runs every interleaving of a few small threads over code whose atomics are SteppedAtomic.
//
// Each thread is a fiber. A fiber gives way before every atomic operation, so a schedule is a list
// of choices of who goes next, and all schedules are visited depth first by running the scenario
// again from its start with one choice changed.
//
// Proves: no interleaving of the operations, each taken as atomic and in program order, breaks the
// scenario. Does not prove: that the memory orders are strong enough; the stress test under
// ThreadSanitizer is for that.

#ifndef WEIR_TESTS_BASE_INTERLEAVING_H_
#define WEIR_TESTS_BASE_INTERLEAVING_H_

#include <ucontext.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "weir/base/check.h"

namespace weir::testing {

class Interleaver {
 public:
  // `make` builds the shared state and returns the bodies of the threads; `finish` is called after
  // all of them ended. Returns the number of schedules that were run.
  std::size_t RunAll(const std::function<std::vector<std::function<void()>>()>& make,
                     const std::function<void()>& finish) {
    std::vector<std::size_t> choices;
    std::size_t schedules = 0;
    do {
      std::vector<std::size_t> widths;
      RunOnce(make(), choices, widths);
      finish();
      ++schedules;
      choices.resize(widths.size(), 0);
      // The next schedule in depth-first order: the last choice that has an alternative takes it.
      while (!choices.empty() && choices.back() + 1 >= widths[choices.size() - 1]) {
        choices.pop_back();
      }
      if (!choices.empty()) {
        ++choices.back();
      }
    } while (!choices.empty());
    return schedules;
  }

  // Called by SteppedAtomic. Outside of a run it does nothing.
  static void Step() {
    if (active_ != nullptr) {
      Fiber& self = *active_->fibers_[active_->running_];
      ::swapcontext(&self.context, &active_->scheduler_);
    }
  }

 private:
  struct Fiber {
    ucontext_t context{};
    std::vector<char> stack = std::vector<char>(64 << 10);
    std::function<void()> body;
    bool done = false;
  };

  static void Enter() {
    Fiber& self = *active_->fibers_[active_->running_];
    self.body();
    self.done = true;
  }

  void RunOnce(std::vector<std::function<void()>> bodies, const std::vector<std::size_t>& choices,
               std::vector<std::size_t>& widths) {
    while (fibers_.size() < bodies.size()) {
      fibers_.push_back(std::make_unique<Fiber>());
    }
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      Fiber& fiber = *fibers_[i];
      fiber.body = std::move(bodies[i]);
      fiber.done = false;
      WEIR_CHECK(::getcontext(&fiber.context) == 0);
      fiber.context.uc_stack.ss_sp = fiber.stack.data();
      fiber.context.uc_stack.ss_size = fiber.stack.size();
      fiber.context.uc_link = &scheduler_;
      ::makecontext(&fiber.context, &Interleaver::Enter, 0);
    }
    active_ = this;
    for (std::size_t step = 0;; ++step) {
      std::vector<std::size_t> runnable;
      for (std::size_t i = 0; i < bodies.size(); ++i) {
        if (!fibers_[i]->done) {
          runnable.push_back(i);
        }
      }
      if (runnable.empty()) {
        break;
      }
      widths.push_back(runnable.size());
      running_ = runnable[step < choices.size() ? choices[step] : 0];
      ::swapcontext(&scheduler_, &fibers_[running_]->context);
    }
    active_ = nullptr;
  }

  static inline Interleaver* active_ = nullptr;

  ucontext_t scheduler_{};
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::size_t running_ = 0;
};

// Stands in for std::atomic: one fiber runs at a time, so a plain value is enough.
template <typename T>
class SteppedAtomic {
 public:
  SteppedAtomic() = default;
  SteppedAtomic(T value) : value_(value) {}  // NOLINT: implicit, as std::atomic is.

  T load(std::memory_order) const {
    Interleaver::Step();
    return value_;
  }
  void store(T value, std::memory_order) {
    Interleaver::Step();
    value_ = value;
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order) {
    Interleaver::Step();
    if (value_ != expected) {
      expected = value_;
      return false;
    }
    value_ = desired;
    return true;
  }

 private:
  T value_{};
};

}  // namespace weir::testing

#endif  // WEIR_TESTS_BASE_INTERLEAVING_H_

// MemoryBudget is the process-wide account of bytes that telemetry in flight occupies.
//
// Doors (receivers) call TryCharge before they allocate and refuse the request when it says no.
// Growth inside (rewrites, decompression, JSON) calls Charge, which always succeeds and draws on
// the reserve, so that draining never waits for memory. Every charge is returned by Release when
// the last reference to the bytes goes.
//
// Threads: all members are thread-safe; nothing locks.
// Invariants: used() is the sum of charges not yet released; TryCharge never lifts it past limit().

#ifndef WEIR_BASE_BUDGET_H_
#define WEIR_BASE_BUDGET_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weir {

class MemoryBudget {
 public:
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

  explicit MemoryBudget(std::size_t limit_bytes = kUnlimited) : limit_(limit_bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // False, and nothing charged, when `bytes` more would pass the limit.
  [[nodiscard]] bool TryCharge(std::size_t bytes) {
    const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    const std::size_t limit = limit_.load(std::memory_order_relaxed);
    if (before > limit || bytes > limit - before) [[unlikely]] {
      used_.fetch_sub(bytes, std::memory_order_relaxed);
      refusals_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    RaisePeak(before + bytes);
    return true;
  }

  void Charge(std::size_t bytes) {
    RaisePeak(used_.fetch_add(bytes, std::memory_order_relaxed) + bytes);
  }

  void Release(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  std::size_t peak() const { return peak_.load(std::memory_order_relaxed); }
  std::size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  std::uint64_t refusals() const { return refusals_.load(std::memory_order_relaxed); }
  void set_limit(std::size_t bytes) { limit_.store(bytes, std::memory_order_relaxed); }

 private:
  void RaisePeak(std::size_t now) {
    std::size_t peak = peak_.load(std::memory_order_relaxed);
    while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
  }

  // Relaxed everywhere: these are counts, and the bytes they speak of are ordered by whoever hands
  // the buffers on.
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> peak_{0};
  std::atomic<std::size_t> limit_;
  std::atomic<std::uint64_t> refusals_{0};
};

}  // namespace weir

#endif  // WEIR_BASE_BUDGET_H_

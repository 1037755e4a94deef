// Pacer decides when a queue answers its sources later than it could.
//
// A queue in memory answers as soon as it holds a batch. A source that sends faster than the
// destination takes then fills the queue to its end, in memory, where a crash loses it. So while
// the destination keeps up but for a backlog, answers wait for the backlog: a source that waits for
// its answers is slowed to the destination's speed and nothing is refused. Where the destination is
// dead or slow, the queue is what it is for: it fills, and answers come at once.
//
//   paced = backlog over kBacklogBytes, and the destination takes that much within a second
//
// Threads: the exporter's loop; paced() from any thread.

#ifndef WEIR_PIPELINE_PACER_H_
#define WEIR_PIPELINE_PACER_H_

#include <atomic>
#include <chrono>
#include <cstddef>

namespace weir::pipeline {

class Pacer {
 public:
  static constexpr std::size_t kBacklogBytes = std::size_t{16} << 20;
  // How often Tick is to be called while there is a backlog and the destination moves.
  static constexpr std::chrono::milliseconds kTick{20};

  bool paced() const { return paced_.load(std::memory_order_relaxed); }  // A hint.

  // The destination took `bytes`.
  void Delivered(std::size_t bytes) { delivered_ += static_cast<double>(bytes); }
  // A tick has passed: what was delivered in it becomes part of the rate.
  void Tick();
  bool moving() const { return bytes_per_second_ >= 1; }
  // `backlog` bytes are ready or on their way. True when pacing ends by it.
  bool Update(std::size_t backlog);

 private:
  double delivered_ = 0;         // Since the last tick.
  double bytes_per_second_ = 0;  // Smoothed over about 100 ms.
  std::atomic<bool> paced_{false};
};

}  // namespace weir::pipeline

#endif  // WEIR_PIPELINE_PACER_H_

#include "pipeline/switch_door.h"

#include <thread>

namespace weir::pipeline {
namespace {

std::atomic<std::uint32_t> threads_seen{0};

std::size_t ThreadNumber() {
  // Relaxed: a number orders nothing.
  static thread_local const std::uint32_t number =
      threads_seen.fetch_add(1, std::memory_order_relaxed);
  return number;
}

// Between two looks whether the last offer has left: a fraction of what a batch takes.
constexpr std::chrono::microseconds kLook{20};

// tidy-allow(seq-cst): Offer and Switch each write one variable and then read the other's.
constexpr std::memory_order kTotalOrder = std::memory_order_seq_cst;

}  // namespace

Admission SwitchDoor::Offer(Batch& batch, std::uint64_t affinity) {
  const std::size_t line = ThreadNumber() % kLines;
  for (;;) {
    Place& place = places_[current_.load(std::memory_order_acquire)];
    std::atomic<std::uint64_t>& inside = place.lines[line].inside;
    // Either this thread sees the switch, or the switch sees this thread inside. Acquire and
    // release alone would allow neither to.
    inside.fetch_add(1, kTotalOrder);
    if (&place == &places_[current_.load(kTotalOrder)]) {
      const Admission admission = place.target->Offer(batch, affinity);
      inside.fetch_sub(1, std::memory_order_release);
      return admission;
    }
    inside.fetch_sub(1, std::memory_order_release);
  }
}

void SwitchDoor::Switch(BatchSink* target) {
  const std::uint32_t before = current_.load(std::memory_order_relaxed);
  Place& old = places_[before];
  Place& next = places_[1 - before];
  next.target = target;
  current_.store(1 - before, kTotalOrder);  // See Offer.
  for (Line& line : old.lines) {
    while (line.inside.load(kTotalOrder) != 0) {
      std::this_thread::sleep_for(kLook);
    }
  }
}

BatchSink* SwitchDoor::target() const {
  return places_[current_.load(std::memory_order_acquire)].target;
}

}  // namespace weir::pipeline

// MpscRing hands items from any number of producer threads to one consumer at a time.
//
// Every slot carries a turn number, so producers agree on nothing but the next position to claim:
//
//   turn == position               the slot waits for the producer that claims `position`
//   turn == position + 1           the item of `position` is published and waits for the consumer
//   turn == position + capacity    the consumer took it; the slot waits for its next lap
//
// Threads
//   TryPush, Published: any thread.  TryPop: one consumer at a time; the right to consume may pass
//   between threads if the passing itself synchronizes (see pipeline/lane.h).  Capacity: any.
//   Nothing here locks, waits, allocates (after construction) or calls the kernel.
// Invariants
//   (1) A claimed position is published by its claimant before that claimant does anything else, so
//       an unpublished head means that its producer is still inside TryPush.
//   (2) Items leave in the order their positions were claimed. TryPop never skips an unpublished
//       head: it answers "nothing", and the producer that publishes it asks for a run.
//   (3) At most `capacity` positions are claimed and not yet taken.
//
// `Atomic` is std::atomic except in the test that runs every interleaving of a small ring.

#ifndef WEIR_BASE_MPSC_RING_H_
#define WEIR_BASE_MPSC_RING_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "weir/base/check.h"
#include "weir/base/spsc_ring.h"

namespace weir {

template <typename T, template <typename> typename Atomic = std::atomic>
class MpscRing {
 public:
  // REQUIRES: capacity is a power of two, at least 2.
  explicit MpscRing(std::size_t capacity)
      : mask_(capacity - 1), slots_(std::make_unique<Slot[]>(capacity)) {
    WEIR_CHECK(capacity >= 2);
    WEIR_CHECK(std::has_single_bit(capacity));
    for (std::size_t i = 0; i < capacity; ++i) {
      slots_[i].turn.store(i, std::memory_order_relaxed);  // Published by sharing the ring itself.
    }
  }

  MpscRing(const MpscRing&) = delete;
  MpscRing& operator=(const MpscRing&) = delete;

  std::size_t Capacity() const { return mask_ + 1; }

  // Moves from `item` and returns true, or leaves it untouched and returns false when full.
  bool TryPush(T& item) {
    std::uint64_t position = tail_.load(std::memory_order_relaxed);  // A guess; the CAS decides.
    for (;;) {
      Slot& slot = slots_[position & mask_];
      // Acquire pairs with the consumer's release: the slot's old value is gone before reuse.
      const std::uint64_t turn = slot.turn.load(std::memory_order_acquire);
      const auto lead = static_cast<std::int64_t>(turn - position);
      if (lead < 0) {
        return false;  // A full lap behind: the consumer has not taken the item stored here.
      }
      if (lead > 0) {
        position = tail_.load(std::memory_order_relaxed);  // Somebody claimed it; look again.
        continue;
      }
      // Relaxed: claiming orders nothing; the turn publishes the item.
      if (tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
        slot.item = std::move(item);
        slot.turn.store(position + 1, std::memory_order_release);  // Publishes the item.
        return true;
      }
    }
  }

  // The position of the next item to take. Consumer only.
  std::uint64_t NextPosition() const { return head_; }

  // True while the item of `position` is published and not taken. Any thread: this is how a
  // consumer that has just given up the right to consume finds out whether that was too early.
  bool Published(std::uint64_t position) const {
    return slots_[position & mask_].turn.load(std::memory_order_acquire) == position + 1;
  }

  // Moves the next item into `item`; false when none is published.
  bool TryPop(T& item) {
    Slot& slot = slots_[head_ & mask_];
    // Acquire pairs with the producer's release: the item is visible before it is read.
    if (slot.turn.load(std::memory_order_acquire) != head_ + 1) {
      return false;
    }
    item = std::move(slot.item);
    slot.turn.store(head_ + mask_ + 1, std::memory_order_release);  // Returns the slot.
    ++head_;
    return true;
  }

 private:
  struct Slot {
    Atomic<std::uint64_t> turn{0};
    T item{};
  };

  const std::size_t mask_;
  const std::unique_ptr<Slot[]> slots_;

  // Producers fight for this line; the consumer never touches it.
  alignas(kCacheLineBytes) Atomic<std::uint64_t> tail_{0};
  // Consumer only.
  alignas(kCacheLineBytes) std::uint64_t head_ = 0;
};

}  // namespace weir

#endif  // WEIR_BASE_MPSC_RING_H_

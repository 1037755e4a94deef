// SwitchDoor is the door that a receiver keeps for its whole life while what stands behind it may
// be replaced by a reload.
//
// Two places hold a target; one of them is current. An offer signs in at the current place, looks
// once more whether it still is, and signs out when the target has answered. So a switch knows when
// the last offer has left the old target, and no offer is ever refused because of it. Signing in
// and out are two atomic additions to a line that few threads share, about 10 ns of the
// microseconds that a batch takes.
//
// Threads: Offer from any thread. Switch from the service thread, one at a time.
// Ownership: targets belong to the graph; a former one may go once Switch has returned.
// Invariants: a place that is not current is changed only while nobody is signed in there.

#ifndef WEIR_PIPELINE_SWITCH_DOOR_H_
#define WEIR_PIPELINE_SWITCH_DOOR_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "weir/base/mpsc_ring.h"
#include "weir/component/sink.h"

namespace weir::pipeline {

class SwitchDoor final : public BatchSink {
 public:
  explicit SwitchDoor(BatchSink* target) { places_[0].target = target; }

  Admission Offer(Batch& batch, std::uint64_t affinity) override;

  // What is offered from now on goes to `target`. Returns once the former one has answered every
  // offer; an offer never waits, so that is soon.
  void Switch(BatchSink* target);

  // Where an offer goes now.
  BatchSink* target() const;

 private:
  // Threads sign in at the line their number falls on. A receiver has few threads that offer.
  static constexpr std::size_t kLines = 8;
  struct alignas(kCacheLineBytes) Line {
    std::atomic<std::uint64_t> inside{0};
  };
  struct Place {
    BatchSink* target = nullptr;  // Written before the place becomes current.
    std::array<Line, kLines> lines;
  };

  std::array<Place, 2> places_;
  alignas(kCacheLineBytes) std::atomic<std::uint32_t> current_{0};
};

}  // namespace weir::pipeline

#endif  // WEIR_PIPELINE_SWITCH_DOOR_H_

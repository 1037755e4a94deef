// An exporter's author writes one asynchronous function. Queue, batching, retries with backoff,
// deadlines, bisection of refused batches, own metrics and draining are the pipeline's exporter
// stack, built once around every exporter.
//
// Threads: Start and Shutdown run on the service thread; Send is called on the context's loop, and
// `done` is called on it too, once, from within Send or later.

#ifndef WEIR_COMPONENT_EXPORTER_H_
#define WEIR_COMPONENT_EXPORTER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "weir/component/batcher.h"
#include "weir/component/component.h"
#include "weir/component/context.h"

namespace weir {

struct SendResult {
  enum class Kind : std::uint8_t {
    kDelivered,
    kRetry,      // May succeed later: unavailable, throttled, timed out.
    kRefused,    // Never will, whatever the data: unauthenticated, no such service.
    kMalformed,  // Something in the data is at fault: the stack looks for the culprit by halves.
    kTooLarge,   // Would be taken in smaller pieces.
  };

  Kind kind = Kind::kDelivered;
  std::uint64_t items_rejected = 0;                      // With kDelivered: partial success.
  std::optional<std::chrono::milliseconds> retry_after;  // With kRetry: as the destination asked.
  std::size_t bytes_max = 0;                             // With kTooLarge: what it said, or 0.
  std::string message;                                   // For the log; empty with kDelivered.
};

using SendDone = absl::AnyInvocable<void(SendResult)>;

class Exporter : public Component {
 public:
  // Sends the parts of `batch`, in order, as one request. `batch` stays valid and unchanged until
  // `done` is called. After `deadline` the answer is kRetry and nothing is written any more.
  virtual void Send(const Batch& batch, TimePoint deadline, SendDone done) = 0;

  // Hard limit of one request in bytes before compression, as far as configuration says; 0: none.
  virtual std::size_t request_bytes_max() const { return 0; }
};

}  // namespace weir

#endif  // WEIR_COMPONENT_EXPORTER_H_

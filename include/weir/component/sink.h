// How a component hands data on. Receivers hold a BatchSink, the door of their pipelines; inside a
// lane a stage holds a BatchOutput. Neither ever learns what is behind it.

#ifndef WEIR_COMPONENT_SINK_H_
#define WEIR_COMPONENT_SINK_H_

#include <cstdint>

#include "weir/component/batch.h"

namespace weir {

// An enum and not absl::Status: refusal is the normal answer under overload, and building an error
// message allocates exactly when memory is scarce.
enum class [[nodiscard]] Admission : std::uint8_t{
    kAccepted,  // Ownership moved downstream. The tokens say what becomes of it.
    kBusy,      // Untouched; the same batch may be offered again. Push back on the sender.
};

class BatchSink {
 public:
  virtual ~BatchSink() = default;

  // Moves from `batch` only when it returns kAccepted. Never blocks. May run the pipeline, and so
  // fire the batch's tokens, before it returns: whatever the tokens' tracker touches must be ready.
  // A batch without items is settled as delivered. `affinity` keeps what came over one connection
  // or partition in one lane, in order. Threads: any.
  virtual Admission Offer(Batch& batch, std::uint64_t affinity) = 0;
};

class BatchOutput {
 public:
  virtual ~BatchOutput() = default;

  // Takes the batch whatever happens; an empty one is ignored. Refusal travels by the tokens.
  // Threads: the lane's (weir/component/processor.h).
  virtual void Emit(Batch batch) = 0;
};

}  // namespace weir

#endif  // WEIR_COMPONENT_SINK_H_

// A processor sees every batch of one lane, in order, and passes on what it makes of it.
//
// Threads: Process, and what is posted to the context's lane, are called under the lane's baton:
// never two at once, but not always from the same thread. Each lane has an instance of its own.
// Loss: a processor that leaves items out settles their tokens (Outcome::kDropped when it was asked
// to, kRefused when they are malformed) and counts them in `books` with the reason.
// Custody: a processor that keeps a batch past Process secures its tokens when it takes them, keeps
// them open until the items leave, and counts them with NodeLedger::Hold.

#ifndef WEIR_COMPONENT_PROCESSOR_H_
#define WEIR_COMPONENT_PROCESSOR_H_

#include <cstddef>
#include <optional>

#include "weir/component/batcher.h"
#include "weir/component/component.h"
#include "weir/component/context.h"

namespace weir {

class Processor : public Component {
 public:
  // `next` is the same object at every call, so a timer may emit to the one it saw before.
  virtual void Process(Batch batch, BatchOutput& next) = 0;

  // True when the result does not depend on where batches are cut. A `batch` processor followed
  // only by such processors is moved behind the exporters' queues.
  virtual bool per_item() const { return false; }

  // Set by a processor that only merges batches: how the exporters' queues do it in its place.
  virtual std::optional<BatcherSettings> batcher_settings() const { return std::nullopt; }

  // Set by a processor that states the process's memory limit; the lowest of all is applied.
  virtual std::optional<std::size_t> memory_limit_bytes() const { return std::nullopt; }

  absl::Status Start() override { return absl::OkStatus(); }

  // Under the baton, after the last Process: emits what is held. Called before Shutdown.
  virtual void Flush(BatchOutput& /*next*/) {}
  absl::Status Shutdown(TimePoint /*deadline*/) override { return absl::OkStatus(); }
};

}  // namespace weir

#endif  // WEIR_COMPONENT_PROCESSOR_H_

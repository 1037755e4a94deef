// Batch is what flows: OTLP bytes of one signal, their counts, and the tokens that speak for them.
//
// A batch is a list of parts. Each part is one contiguous, complete Export*ServiceRequest, which is
// also the unit a source waits for. Two serialized requests laid end to end are one valid request,
// so merging batches is appending parts and sending one is writing its parts in order: nothing is
// copied.
//
// Threads: a batch belongs to whoever holds it.
// Ownership: move-only. Fork shares the bytes and forks the tokens.
// Loss: a batch that is destroyed with open tokens counts as unsettled (delivery.h).
// Invariants: items() and bytes() are the sums over parts(); every part has at least one item.

#ifndef WEIR_COMPONENT_BATCH_H_
#define WEIR_COMPONENT_BATCH_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "weir/base/event_loop.h"
#include "weir/base/slice.h"
#include "weir/component/delivery.h"
#include "weir/wire/signal.h"

namespace weir {

// What the request carried beside its data. Only what something downstream reads is kept, and
// batches merge only where it is equal.
struct RequestContext {
  std::string peer_address;  // "10.1.2.3:4567", or empty.
  // Keys in lower case, values in the order they came; a key may repeat.
  std::vector<std::pair<std::string, std::string>> metadata;
  // What the authenticator said of the caller.
  std::vector<std::pair<std::string, std::string>> auth;

  bool operator==(const RequestContext&) const = default;
};

struct Part {
  Slice payload;
  std::uint64_t items = 0;
  DeliveryToken token;
  std::uint64_t weight = 0;  // What the exporter's queue that holds it counts it as.
};

class Batch {
 public:
  using Parts = absl::InlinedVector<Part, 1>;

  Batch() = default;
  Batch(Signal signal, Part part, TimePoint received,
        std::shared_ptr<const RequestContext> context = nullptr);
  Batch(Batch&& other) noexcept;
  Batch& operator=(Batch&& other) noexcept;

  Signal signal() const { return signal_; }
  std::uint64_t items() const { return items_; }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return parts_.empty(); }
  const Parts& parts() const { return parts_; }
  std::uint64_t weight() const;           // The sum over parts().
  void set_weight(std::uint64_t weight);  // Of a batch that is not merged yet.
  // When the oldest part came in.
  TimePoint received() const { return received_; }
  const std::shared_ptr<const RequestContext>& context() const { return context_; }
  void set_context(std::shared_ptr<const RequestContext> context) { context_ = std::move(context); }
  bool SameContext(const Batch& other) const;

  // Takes over the parts of `other`. REQUIRES: same signal and same context, or this is empty.
  void Append(Batch other);
  // REQUIRES: not empty, or a signal was given at construction.
  void AppendPart(Part part);

  // Takes the parts out, to be put back one by one (or settled) by a stage that edits them.
  Parts TakeParts();
  // A batch of the same signal, time and context without parts.
  Batch EmptyLike() const;

  // The last `count` parts as a batch of their own. REQUIRES: count < parts().size().
  Batch SplitOffBack(std::size_t count);

  // `branches` batches with the same bytes, this one among them (moved to the front).
  std::vector<Batch> Fork(std::size_t branches) &&;

  void Secure();
  // Settles every part and forgets the bytes.
  void Settle(const Settlement& settlement);
  void Settle(Outcome outcome) { Settle(Settlement{.outcome = outcome}); }
  // Settles every part and keeps the bytes, for whoever still reads them.
  void SettleTokens(const Settlement& settlement);

 private:
  Signal signal_ = Signal::kTraces;
  std::uint64_t items_ = 0;
  std::size_t bytes_ = 0;
  TimePoint received_{};
  std::shared_ptr<const RequestContext> context_;
  Parts parts_;
};

}  // namespace weir

#endif  // WEIR_COMPONENT_BATCH_H_

#include "weir/component/rewrite_batch.h"

namespace weir {

void KeepRewritten(Part part, wire::RewriteResult result, DropReason reason, NodeLedger& books,
                   Batch& kept) {
  if (!result.changed) {
    kept.AppendPart(std::move(part));
    return;
  }
  // What broke above its items counts as one of them, but there may have been none.
  const std::uint64_t dropped = std::min(result.dropped, part.items);
  const std::uint64_t malformed = std::min(result.malformed, part.items - dropped);
  if (dropped > 0) {
    books.Drop(reason, dropped);
  }
  if (malformed > 0) {
    books.Drop(DropReason::kMalformed, malformed);
  }
  part.items -= dropped + malformed;
  if (part.items == 0) {
    part.token.Settle(dropped > 0 ? Outcome::kDropped : Outcome::kRefused);
    return;
  }
  part.payload = std::move(result.payload);
  kept.AppendPart(std::move(part));
}

}  // namespace weir

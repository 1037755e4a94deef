// RewriteBatch runs a visitor over every part of a batch and passes on what is left: the whole of
// Process for a processor that edits items or leaves some out.
//
// Loss: items the visitor drops are counted with the reason given, malformed ones as `malformed`. A
// part that lost all its items is settled: refused when each of them was malformed, dropped
// otherwise.

#ifndef WEIR_COMPONENT_REWRITE_BATCH_H_
#define WEIR_COMPONENT_REWRITE_BATCH_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "weir/component/batch.h"
#include "weir/component/sink.h"
#include "weir/telemetry/ledger.h"
#include "weir/wire/rewriter.h"

namespace weir {

// Books what `result` says was left out of `part`, and puts the rest into `kept`.
void KeepRewritten(Part part, wire::RewriteResult result, DropReason reason, NodeLedger& books,
                   Batch& kept);

template <typename Visitor>
void RewriteBatch(Batch batch, wire::Rewriter& rewriter, Visitor& visitor, DropReason reason,
                  NodeLedger& books, BatchOutput& next) {
  Batch kept = batch.EmptyLike();
  for (Part& part : batch.TakeParts()) {
    wire::RewriteResult result = rewriter.Rewrite(kept.signal(), part.payload, visitor);
    KeepRewritten(std::move(part), std::move(result), reason, books, kept);
  }
  next.Emit(std::move(kept));
}

}  // namespace weir

#endif  // WEIR_COMPONENT_REWRITE_BATCH_H_

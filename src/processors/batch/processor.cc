#include "processors/batch/processor.h"

#include <algorithm>
#include <utility>

namespace weir::processors::batch {

BatchProcessor::BatchProcessor(const Config& config, const ProcessorContext& context)
    : settings_(config.ToSettings()),
      books_(context.books),
      lane_(context.lane),
      metrics_(context.metrics, context.id.ToString()),
      batcher_(settings_, &context.budget) {}

void BatchProcessor::Process(Batch batch, BatchOutput& next) {
  const std::uint64_t items = batch.items();
  std::vector<Batcher::Closed> closed;
  const auto before = static_cast<std::int64_t>(batcher_.partitions());
  if (!batcher_.Add(batch, lane_.Now(), closed)) {
    books_.Drop(DropReason::kCardinality, items);
    batch.Settle(Outcome::kRefused);
    return;
  }
  metrics_.metadata_cardinality.Add(static_cast<std::int64_t>(batcher_.partitions()) - before);
  books_.Hold(static_cast<std::int64_t>(items));
  EmitClosed(closed, next);
  ArmTimer(next);
}

void BatchProcessor::Flush(BatchOutput& next) {
  std::vector<Batcher::Closed> closed;
  batcher_.TakeAll(closed);
  EmitClosed(closed, next);
}

void BatchProcessor::EmitClosed(std::vector<Batcher::Closed>& closed, BatchOutput& next) {
  for (Batcher::Closed& full : closed) {
    books_.Hold(-static_cast<std::int64_t>(full.batch.items()));
    metrics_.send_size.Record(full.batch.items());
    metrics_.send_size_bytes.Record(full.batch.bytes());
    (full.trigger == Batcher::Trigger::kSize ? metrics_.size_trigger_send
                                             : metrics_.timeout_trigger_send)
        .Add();
    next.Emit(std::move(full.batch));
  }
  closed.clear();
}

void BatchProcessor::ArmTimer(BatchOutput& next) {
  const std::optional<TimePoint> due = batcher_.NextDeadline();
  if (timer_armed_ || !due.has_value()) {
    return;
  }
  timer_armed_ = true;
  const auto wait = std::max(std::chrono::nanoseconds(0), *due - lane_.Now());
  lane_.PostAfter(wait, [this, &next] {
    timer_armed_ = false;
    std::vector<Batcher::Closed> closed;
    batcher_.TakeDue(lane_.Now(), closed);
    EmitClosed(closed, next);
    ArmTimer(next);
  });
}

}  // namespace weir::processors::batch

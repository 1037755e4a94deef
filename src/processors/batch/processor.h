// BatchProcessor merges batches in place, for pipelines where the exporters' queues cannot do it:
// something behind it depends on where batches are cut, or a connector takes them.
//
// Custody: an item is secured when it comes in and held in memory until its batch leaves; a crash
// loses what is held. A `batch` at the end of a pipeline is moved behind the queues instead, where
// a journal covers it.
// Loss: metadata values over the limit are refused, reason `cardinality`.

#ifndef WEIR_PROCESSORS_BATCH_PROCESSOR_H_
#define WEIR_PROCESSORS_BATCH_PROCESSOR_H_

#include <optional>
#include <vector>

#include "processors/batch/config.h"
#include "weir/component/processor.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::processors::batch {

class BatchProcessor final : public Processor {
 public:
  BatchProcessor(const Config& config, const ProcessorContext& context);

  void Process(Batch batch, BatchOutput& next) override;
  void Flush(BatchOutput& next) override;
  std::optional<BatcherSettings> batcher_settings() const override { return settings_; }

 private:
  void EmitClosed(std::vector<Batcher::Closed>& closed, BatchOutput& next);
  void ArmTimer(BatchOutput& next);

  const BatcherSettings settings_;
  NodeLedger& books_;
  LaneScheduler& lane_;
  BatchMetrics metrics_;

  // Under the baton.
  Batcher batcher_;
  bool timer_armed_ = false;
};

}  // namespace weir::processors::batch

#endif  // WEIR_PROCESSORS_BATCH_PROCESSOR_H_

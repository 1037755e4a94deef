// The stages of a lane: processors in a row, then the fan-out to exporters' queues and connectors.
//
// Threads: all under the lane's baton.
// Ownership: stages refer to what stands behind them; the graph owns them all.
// Loss: a stage adds no loss of its own. Each counts what enters and leaves its node in the ledger.

#ifndef WEIR_PIPELINE_STAGES_H_
#define WEIR_PIPELINE_STAGES_H_

#include <vector>

#include "weir/component/connector.h"
#include "weir/component/processor.h"
#include "weir/component/sink.h"
#include "weir/telemetry/ledger.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::pipeline {

class ProcessorStage final : public BatchOutput {
 public:
  // REQUIRES: set_next before the first batch.
  ProcessorStage(Processor& processor, NodeLedger& books, ProcessorMetrics& metrics);

  void Emit(Batch batch) override;
  void Flush() { processor_.Flush(out_); }
  // Under the baton once there are batches: a reload may put another stage behind this one.
  void set_next(BatchOutput& next) { out_.set_next(next); }
  // What the processor's own timers emit to.
  BatchOutput& output() { return out_; }

 private:
  // Counts what leaves the node.
  class Out final : public BatchOutput {
   public:
    Out(NodeLedger& books, ProcessorMetrics& metrics) : books_(books), metrics_(metrics) {}
    void Emit(Batch batch) override;
    void set_next(BatchOutput& next) { next_ = &next; }

   private:
    NodeLedger& books_;
    ProcessorMetrics& metrics_;
    BatchOutput* next_ = nullptr;
  };

  Processor& processor_;
  NodeLedger& books_;
  ProcessorMetrics& metrics_;
  Out out_;
};

class ConnectorEdge final : public BatchOutput {
 public:
  ConnectorEdge(Connector& connector, NodeLedger& books) : connector_(connector), books_(books) {}
  void Emit(Batch batch) override;

 private:
  Connector& connector_;
  NodeLedger& books_;
};

// Gives every edge a batch of its own over the same bytes.
class FanOut final : public BatchOutput {
 public:
  explicit FanOut(std::vector<BatchOutput*> edges) : edges_(std::move(edges)) {}
  void Emit(Batch batch) override;

 private:
  const std::vector<BatchOutput*> edges_;
};

// The door of one pipeline: keeps what has one affinity in one lane.
class PipelineDoor final : public BatchSink {
 public:
  explicit PipelineDoor(std::vector<BatchSink*> lanes) : lanes_(std::move(lanes)) {}
  Admission Offer(Batch& batch, std::uint64_t affinity) override;

 private:
  const std::vector<BatchSink*> lanes_;
};

// The door of a receiver that several pipelines of one signal list. A pipeline that is busy refuses
// its own branch; the tokens tell the receiver when all of them did.
class ForkDoor final : public BatchSink {
 public:
  explicit ForkDoor(std::vector<BatchSink*> doors) : doors_(std::move(doors)) {}
  Admission Offer(Batch& batch, std::uint64_t affinity) override;

 private:
  const std::vector<BatchSink*> doors_;
};

}  // namespace weir::pipeline

#endif  // WEIR_PIPELINE_STAGES_H_

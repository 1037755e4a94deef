#include "pipeline/stages.h"

#include <utility>

namespace weir::pipeline {

ProcessorStage::ProcessorStage(Processor& processor, NodeLedger& books, ProcessorMetrics& metrics)
    : processor_(processor), books_(books), metrics_(metrics), out_(books, metrics) {}

void ProcessorStage::Emit(Batch batch) {
  books_.In(batch.items());
  metrics_.incoming.Add(batch.items());
  processor_.Process(std::move(batch), out_);
}

void ProcessorStage::Out::Emit(Batch batch) {
  if (batch.empty()) {
    return;
  }
  books_.Out(batch.items());
  metrics_.outgoing.Add(batch.items());
  next_->Emit(std::move(batch));
}

void ConnectorEdge::Emit(Batch batch) {
  books_.In(batch.items());
  connector_.Consume(std::move(batch));
}

void FanOut::Emit(Batch batch) {
  std::vector<Batch> branches = std::move(batch).Fork(edges_.size());
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    edges_[i]->Emit(std::move(branches[i]));
  }
}

Admission PipelineDoor::Offer(Batch& batch, std::uint64_t affinity) {
  if (batch.items() == 0) {
    batch.Settle(Outcome::kDelivered);
    return Admission::kAccepted;
  }
  return lanes_[affinity % lanes_.size()]->Offer(batch, affinity);
}

Admission ForkDoor::Offer(Batch& batch, std::uint64_t affinity) {
  std::vector<Batch> branches = std::move(batch).Fork(doors_.size());
  for (std::size_t i = 0; i < doors_.size(); ++i) {
    if (doors_[i]->Offer(branches[i], affinity) == Admission::kBusy) {
      branches[i].Settle(Outcome::kRetry);
    }
  }
  return Admission::kAccepted;
}

}  // namespace weir::pipeline

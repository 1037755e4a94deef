#include "receivers/otlp/export_call.h"

#include <memory>
#include <utility>

namespace weir::receivers::otlp {

void ExportCall::Start(net::ServerRequest& request, Protocol protocol, Door& door, Slice payload,
                       std::uint64_t items, std::shared_ptr<const RequestContext> context) {
  auto call = std::make_unique<ExportCall>(request, protocol, door, items);
  const std::uint64_t affinity = request.connection_id();
  Batch batch(door.signal, {.payload = std::move(payload), .items = items, .token = call->Begin()},
              request.loop().Now(), std::move(context));
  door.open_calls.fetch_add(1, std::memory_order_relaxed);
  call.release();  // From here on the token's event frees it, maybe before Offer returns.
  if (door.sink.Offer(batch, affinity) == Admission::kBusy) {
    batch.Settle(Outcome::kRetry);
  }
}

void ExportCall::OnSecured(const Settlement& settlement) {
  if (door_.wait == Interest::kSecured) {
    AnswerOnLoop(settlement);
  }
}

void ExportCall::OnDelivered(const Settlement& settlement) {
  if (door_.wait == Interest::kDelivered) {
    AnswerOnLoop(settlement);
  }
}

void ExportCall::AnswerOnLoop(const Settlement& settlement) {
  if (loop_.InLoopThread()) {
    Answer(settlement);
    return;
  }
  settlement_ = settlement;
  // This thread is a call of its own until it is out of the loop, which answers meanwhile and frees
  // this. Release: the receiver may go once it sees the count fall.
  Door& door = door_;
  door.open_calls.fetch_add(1, std::memory_order_relaxed);
  loop_.Notify(*this);
  door.open_calls.fetch_sub(1, std::memory_order_release);
}

void ExportCall::Run() { Answer(settlement_); }

void ExportCall::Answer(const Settlement& settlement) {
  const std::unique_ptr<ExportCall> self(this);
  // Relaxed: the answer is given on the loop, whose thread the receiver's end joins.
  door_.open_calls.fetch_sub(1, std::memory_order_relaxed);
  if (settlement.ok()) {
    door_.books.In(items_);
    door_.books.Out(items_);
    door_.metrics.accepted.Add(items_);
    AnswerSuccess(request_, protocol_, door_.requests);
    return;
  }
  door_.books.Refused(items_);
  door_.metrics.refused.Add(items_);
  AnswerRefusal(request_, protocol_, RefusalOf(settlement), door_.requests);
}

}  // namespace weir::receivers::otlp

#include "weir/component/batch.h"

#include <algorithm>

#include "weir/base/check.h"

namespace weir {

Batch::Batch(Signal signal, Part part, TimePoint received,
             std::shared_ptr<const RequestContext> context)
    : signal_(signal), received_(received), context_(std::move(context)) {
  AppendPart(std::move(part));
}

Batch::Batch(Batch&& other) noexcept
    : signal_(other.signal_),
      items_(std::exchange(other.items_, 0)),
      bytes_(std::exchange(other.bytes_, 0)),
      received_(other.received_),
      context_(std::move(other.context_)),
      parts_(std::move(other.parts_)) {
  other.parts_.clear();
}

Batch& Batch::operator=(Batch&& other) noexcept {
  if (this != &other) {
    signal_ = other.signal_;
    items_ = std::exchange(other.items_, 0);
    bytes_ = std::exchange(other.bytes_, 0);
    received_ = other.received_;
    context_ = std::move(other.context_);
    parts_ = std::move(other.parts_);
    other.parts_.clear();
  }
  return *this;
}

bool Batch::SameContext(const Batch& other) const {
  if (context_ == other.context_) {
    return true;
  }
  return context_ != nullptr && other.context_ != nullptr && *context_ == *other.context_;
}

std::uint64_t Batch::weight() const {
  std::uint64_t sum = 0;
  for (const Part& part : parts_) {
    sum += part.weight;
  }
  return sum;
}

void Batch::set_weight(std::uint64_t weight) {
  for (Part& part : parts_) {
    part.weight = std::exchange(weight, 0);
  }
}

void Batch::Append(Batch other) {
  if (parts_.empty()) {
    *this = std::move(other);
    return;
  }
  WEIR_CHECK(signal_ == other.signal_);
  items_ += std::exchange(other.items_, 0);
  bytes_ += std::exchange(other.bytes_, 0);
  received_ = std::min(received_, other.received_);
  for (Part& part : other.parts_) {
    parts_.push_back(std::move(part));
  }
  other.parts_.clear();
}

void Batch::AppendPart(Part part) {
  items_ += part.items;
  bytes_ += part.payload.size();
  parts_.push_back(std::move(part));
}

Batch::Parts Batch::TakeParts() {
  items_ = 0;
  bytes_ = 0;
  Parts parts = std::move(parts_);
  parts_.clear();
  return parts;
}

Batch Batch::EmptyLike() const {
  Batch batch;
  batch.signal_ = signal_;
  batch.received_ = received_;
  batch.context_ = context_;
  return batch;
}

Batch Batch::SplitOffBack(std::size_t count) {
  WEIR_CHECK(count < parts_.size());
  Batch back = EmptyLike();
  for (std::size_t i = parts_.size() - count; i < parts_.size(); ++i) {
    items_ -= parts_[i].items;
    bytes_ -= parts_[i].payload.size();
    back.AppendPart(std::move(parts_[i]));
  }
  parts_.resize(parts_.size() - count);
  return back;
}

std::vector<Batch> Batch::Fork(std::size_t branches) && {
  WEIR_CHECK(branches > 0);
  std::vector<Batch> forked;
  forked.reserve(branches);
  forked.push_back(std::move(*this));
  for (std::size_t i = 1; i < branches; ++i) {
    forked.push_back(forked.front().EmptyLike());
  }
  std::vector<DeliveryToken> tokens(branches);
  for (Part& part : forked.front().parts_) {
    part.token.Fork(tokens);
    for (std::size_t i = 1; i < branches; ++i) {
      forked[i].AppendPart(
          {.payload = part.payload, .items = part.items, .token = std::move(tokens[i])});
    }
    part.token = std::move(tokens[0]);
  }
  return forked;
}

void Batch::Secure() {
  for (Part& part : parts_) {
    part.token.Secure();
  }
}

void Batch::Settle(const Settlement& settlement) {
  Parts parts = TakeParts();
  for (Part& part : parts) {
    part.payload =
        Slice();  // The source may be answered by the settling; the bytes are not needed.
    part.token.Settle(settlement);
  }
}

void Batch::SettleTokens(const Settlement& settlement) {
  for (Part& part : parts_) {
    part.token.Settle(settlement);
  }
}

}  // namespace weir

#include "weir/component/delivery.h"

#include <algorithm>
#include <memory>

#include "weir/base/check.h"

namespace weir {
namespace {

std::atomic<std::uint64_t> unsettled_tokens{0};

// The two folds start from opposite ends, so the neutral element is part of the encoding: a fold
// cell holds 0 for "nothing yet" and 1 + outcome otherwise; the top bit says "abandoned was seen".
constexpr std::uint32_t kAbandonedSeen = 1U << 31;

std::uint32_t FoldWorst(std::uint32_t cell, Outcome outcome) {
  return std::max(cell, 1U + static_cast<std::uint32_t>(outcome));
}

std::uint32_t FoldBest(std::uint32_t cell, Outcome outcome) {
  const std::uint32_t seen =
      outcome == Outcome::kAbandoned ? kAbandonedSeen : cell & kAbandonedSeen;
  const std::uint32_t value = cell & ~kAbandonedSeen;
  const std::uint32_t candidate = 1U + static_cast<std::uint32_t>(outcome);
  return seen | (value == 0 ? candidate : std::min(value, candidate));
}

Outcome Decode(std::uint32_t cell) {
  const std::uint32_t value = cell & ~kAbandonedSeen;
  return value == 0 ? Outcome::kDelivered : static_cast<Outcome>(value - 1);
}

}  // namespace

// The any-of node that a fan-out puts between a token and its branches.
class ForkTracker final : public DeliveryTracker {
 public:
  ForkTracker(DeliveryToken parent, Interest interest, std::size_t branches)
      : DeliveryTracker(interest), parent_(std::move(parent)) {
    fold_ = Fold::kBest;
    unsecured_.store(static_cast<std::uint32_t>(branches), std::memory_order_relaxed);
    undelivered_.store(static_cast<std::uint32_t>(branches), std::memory_order_relaxed);
  }

 protected:
  void OnSecured(const Settlement& settlement) override {
    if (settlement.outcome == Outcome::kDelivered) {
      parent_.Secure();
    }
    // Otherwise no branch is held anywhere: each has ended, and the parent ends with their fold. A
    // parent that was secured is settled here as well where nobody waits for more; that only closes
    // the books of the token.
    if (interest_ == Interest::kSecured) {
      parent_.Settle(settlement);
      std::unique_ptr<ForkTracker>(this).reset();
    }
  }

  void OnDelivered(const Settlement& settlement) override {
    parent_.Settle(settlement);
    std::unique_ptr<ForkTracker>(this).reset();
  }

 private:
  DeliveryToken parent_;
};

DeliveryToken DeliveryTracker::Begin() {
  AddShare();
  return DeliveryToken(this, DeliveryToken::State::kOpen);
}

void DeliveryTracker::AddShare() {
  // Relaxed: the caller holds an open share, so neither count can reach zero meanwhile.
  unsecured_.fetch_add(1, std::memory_order_relaxed);
  undelivered_.fetch_add(1, std::memory_order_relaxed);
}

void DeliveryTracker::FoldInto(std::atomic<std::uint32_t>& fold, Outcome outcome) const {
  std::uint32_t cell = fold.load(std::memory_order_relaxed);
  const auto folded = [&] {
    return fold_ == Fold::kWorst ? FoldWorst(cell, outcome) : FoldBest(cell, outcome);
  };
  while (!fold.compare_exchange_weak(cell, folded(), std::memory_order_relaxed)) {
  }
}

void DeliveryTracker::ShareSecured(const Settlement& settlement) {
  FoldInto(secured_fold_, settlement.outcome);
  if (settlement.retry_after.count() > 0) {
    std::int64_t known = retry_after_ms_.load(std::memory_order_relaxed);
    while (known < settlement.retry_after.count() &&
           !retry_after_ms_.compare_exchange_weak(known, settlement.retry_after.count(),
                                                  std::memory_order_relaxed)) {
    }
  }
  if (unsecured_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    OnSecured({.outcome = Decode(secured_fold_.load(std::memory_order_relaxed)),
               .retry_after =
                   std::chrono::milliseconds(retry_after_ms_.load(std::memory_order_relaxed))});
  }
}

void DeliveryTracker::ShareDelivered(const Settlement& settlement) {
  FoldInto(delivered_fold_, settlement.outcome);
  if (undelivered_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    const std::uint32_t fold = delivered_fold_.load(std::memory_order_relaxed);
    const bool again = (fold & kAbandonedSeen) != 0;
    OnDelivered({.outcome = again ? Outcome::kAbandoned : Decode(fold),
                 .retry_after =
                     std::chrono::milliseconds(retry_after_ms_.load(std::memory_order_relaxed))});
  }
}

DeliveryToken& DeliveryToken::operator=(DeliveryToken&& other) noexcept {
  if (this != &other) {
    if (state_ != State::kSettled) [[unlikely]] {
      Forgotten();
    }
    tracker_ = std::exchange(other.tracker_, nullptr);
    state_ = std::exchange(other.state_, State::kSettled);
  }
  return *this;
}

DeliveryToken DeliveryToken::Untracked() { return DeliveryToken(nullptr, State::kOpen); }

void DeliveryToken::SecureWith(const Settlement& settlement) {
  if (state_ != State::kOpen) {
    return;
  }
  state_ = State::kSecured;
  if (tracker_ != nullptr) {
    DeliveryTracker* const tracker = tracker_;
    if (tracker->interest_ == DeliveryTracker::Interest::kSecured) {
      tracker_ = nullptr;  // It may be gone when this returns.
    }
    tracker->ShareSecured(settlement);
  }
}

void DeliveryToken::Secure() { SecureWith(Settlement{}); }

void DeliveryToken::Settle(const Settlement& settlement) {
  if (state_ == State::kSettled) {
    return;
  }
  SecureWith(settlement);
  state_ = State::kSettled;
  if (DeliveryTracker* const tracker = std::exchange(tracker_, nullptr); tracker != nullptr) {
    tracker->ShareDelivered(settlement);
  }
}

bool DeliveryToken::source_can_retry() const {
  return tracker_ != nullptr && tracker_->fold_ == DeliveryTracker::Fold::kWorst;
}

DeliveryToken DeliveryToken::Split() {
  WEIR_CHECK(state_ != State::kSettled);
  if (tracker_ != nullptr) {
    if (state_ == State::kOpen) {
      tracker_->AddShare();
    } else {
      tracker_->undelivered_.fetch_add(1, std::memory_order_relaxed);  // See AddShare.
    }
  }
  return DeliveryToken(tracker_, state_);
}

void DeliveryToken::Fork(std::span<DeliveryToken> branches) {
  WEIR_CHECK(state_ != State::kSettled);
  WEIR_CHECK(!branches.empty());
  if (branches.size() == 1) {
    branches[0] = std::move(*this);
    return;
  }
  DeliveryTracker* fork = nullptr;
  const State state = state_;
  if (tracker_ != nullptr) {
    const DeliveryTracker::Interest interest = tracker_->interest_;
    // Owned by its branches: it deletes itself at its last event.
    fork = std::make_unique<ForkTracker>(std::move(*this), interest, branches.size()).release();
    if (state == State::kSecured) {
      fork->unsecured_.store(0, std::memory_order_relaxed);
    }
  } else {
    state_ = State::kSettled;
  }
  for (DeliveryToken& branch : branches) {
    branch = DeliveryToken(fork, state);
  }
}

void DeliveryToken::Forgotten() {
  unsettled_tokens.fetch_add(1, std::memory_order_relaxed);
  Settle(Outcome::kRefused);
}

std::uint64_t UnsettledTokens() { return unsettled_tokens.load(std::memory_order_relaxed); }

}  // namespace weir

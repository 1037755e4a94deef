// A delivery token travels with the bytes it speaks for and reports two events to their source:
//
//   secured     every exporter the bytes go to holds them in its queue (durably, where the queue
//   is) delivered   everything that was to be done with them is done
//
// The source derives from DeliveryTracker, begins a token and attaches it to a batch. A stage that
// cuts a batch splits the token (all shares must succeed), a fan-out forks it (one branch that
// succeeds is enough, because a branch that failed was counted as dropped where it failed). A token
// that is destroyed unsettled settles itself as refused and is counted by UnsettledTokens(): data
// cannot vanish by forgetting.
//
//   fold of a split  the worst of its shares:  delivered < dropped < refused < abandoned < retry
//   fold of a fork   the best of its branches, but abandoned if any branch was abandoned after it
//                    was secured: its source has to deliver again
//
// Threads: a token belongs to whoever holds it. Trackers are called from any thread.
// Ownership: a tracker lives until its last event: OnSecured where its interest is kSecured,
// OnDelivered otherwise. It may destroy itself in that call; no token touches it afterwards.
// Invariants: each event fires once; OnSecured returns before OnDelivered is called.

#ifndef WEIR_COMPONENT_DELIVERY_H_
#define WEIR_COMPONENT_DELIVERY_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <utility>

namespace weir {

// Ordered from best to worst: the numbers are what folds compare.
enum class Outcome : std::uint8_t {
  kDelivered = 0,  // Done; as a secured event: held safely.
  kDropped = 1,    // Left out by intent (filtered, sampled). A success.
  kRefused = 2,    // Can never succeed as it is. Counted with its reason where it happened.
  kAbandoned = 3,  // Shutdown came first: nothing is acknowledged, the source delivers again.
  kRetry = 4,      // Nobody could take it now; the source may offer it again.
};

struct Settlement {
  Outcome outcome = Outcome::kDelivered;
  std::chrono::milliseconds retry_after{0};  // A hint with kRetry; 0 means none.

  bool ok() const { return outcome <= Outcome::kDropped; }
};

class DeliveryToken;

class DeliveryTracker {
 public:
  // What the source waits for. A token of a kSecured tracker lets go of it at that event. A
  // kDurable source hears of the delivery, or of the disk where a durable queue stands in between.
  enum class Interest : std::uint8_t { kSecured, kDurable, kDelivered };

  explicit DeliveryTracker(Interest interest) : interest_(interest) {}
  DeliveryTracker(const DeliveryTracker&) = delete;
  DeliveryTracker& operator=(const DeliveryTracker&) = delete;

  // The first token. REQUIRES: called once.
  DeliveryToken Begin();

 protected:
  virtual ~DeliveryTracker() = default;

  virtual void OnSecured(const Settlement& settlement) = 0;
  virtual void OnDelivered(const Settlement& settlement) = 0;

 private:
  friend class DeliveryToken;
  friend class ForkTracker;

  enum class Fold : std::uint8_t { kWorst, kBest };

  void AddShare();
  void FoldInto(std::atomic<std::uint32_t>& fold, Outcome outcome) const;
  void ShareSecured(const Settlement& settlement);
  void ShareDelivered(const Settlement& settlement);

  const Interest interest_;
  Fold fold_ = Fold::kWorst;  // Constant after construction.

  // Counts fall with acquire-release, so that whoever fires an event sees what all shares wrote.
  std::atomic<std::uint32_t> unsecured_{0};
  std::atomic<std::uint32_t> undelivered_{0};
  std::atomic<std::uint32_t> secured_fold_{0};  // Encoded Outcome; see delivery.cc.
  std::atomic<std::uint32_t> delivered_fold_{0};
  std::atomic<std::int64_t> retry_after_ms_{0};
};

class DeliveryToken {
 public:
  DeliveryToken() = default;  // Speaks for nothing: settled from the start.
  DeliveryToken(DeliveryToken&& other) noexcept
      : tracker_(std::exchange(other.tracker_, nullptr)),
        state_(std::exchange(other.state_, State::kSettled)) {}
  DeliveryToken& operator=(DeliveryToken&& other) noexcept;
  ~DeliveryToken() {
    if (state_ != State::kSettled) [[unlikely]] {
      Forgotten();
    }
  }

  // A token for bytes whose source waits for nothing (a scrape, our own telemetry). It still has to
  // be settled, so that forgetting it is noticed.
  static DeliveryToken Untracked();

  // The exporter's queue holds the bytes. No-op when already secured.
  void Secure();
  // The end. Secures with the same settlement first where that has not happened.
  void Settle(const Settlement& settlement);
  void Settle(Outcome outcome) { Settle(Settlement{.outcome = outcome}); }

  // A further share: the source's events wait for both. REQUIRES: not settled.
  DeliveryToken Split();
  // Fills `branches`; this token is settled by them. REQUIRES: not settled, branches not empty.
  void Fork(std::span<DeliveryToken> branches);

  // True when kRetry reaches the source itself, which then offers the same bytes again: nothing is
  // lost by it. False behind a fan-out (another branch may succeed), after securing, and for bytes
  // whose source does not listen.
  bool source_can_retry() const;

  // True when the source waits for the delivery itself, although the bytes are safe on disk.
  bool source_wants_delivery() const {
    return tracker_ != nullptr && tracker_->interest_ == DeliveryTracker::Interest::kDelivered;
  }

  bool settled() const { return state_ == State::kSettled; }
  bool secured() const { return state_ != State::kOpen; }

 private:
  friend class DeliveryTracker;
  enum class State : std::uint8_t { kOpen, kSecured, kSettled };

  DeliveryToken(DeliveryTracker* tracker, State state) : tracker_(tracker), state_(state) {}
  void SecureWith(const Settlement& settlement);
  void Forgotten();

  DeliveryTracker* tracker_ = nullptr;
  State state_ = State::kSettled;
};

// Tokens that settled themselves since the process began. Anything but 0 is a defect.
std::uint64_t UnsettledTokens();

}  // namespace weir

#endif  // WEIR_COMPONENT_DELIVERY_H_

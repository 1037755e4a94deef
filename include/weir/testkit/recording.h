// Ends of a pipeline for tests: sinks and outputs that keep what they are given, and a tracker that
// remembers what its tokens said.

#ifndef WEIR_TESTKIT_RECORDING_H_
#define WEIR_TESTKIT_RECORDING_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/component/batch.h"
#include "weir/component/sink.h"

namespace weir::testkit {

// Remembers the two events. Thread-safe. It does not destroy itself: keep it until its tokens are
// settled.
class RecordingTracker final : public DeliveryTracker {
 public:
  explicit RecordingTracker(Interest interest = Interest::kDelivered) : DeliveryTracker(interest) {}

  std::optional<Settlement> secured() const {
    std::lock_guard lock(mutex_);
    return secured_;
  }
  std::optional<Settlement> delivered() const {
    std::lock_guard lock(mutex_);
    return delivered_;
  }
  // False when the limit passed first: a failed test, not a way to wait.
  bool WaitForSecured(std::chrono::seconds limit = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return secured_.has_value(); });
  }
  bool WaitForDelivered(std::chrono::seconds limit = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return delivered_.has_value(); });
  }

 protected:
  void OnSecured(const Settlement& settlement) override {
    std::lock_guard lock(mutex_);
    secured_ = settlement;
    changed_.notify_all();
  }
  void OnDelivered(const Settlement& settlement) override {
    std::lock_guard lock(mutex_);
    delivered_ = settlement;
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Settlement> secured_;
  std::optional<Settlement> delivered_;
};

// A batch of one part over `payload`, with a token of `tracker` (or an untracked one).
inline Batch MakeBatch(Signal signal, std::string_view payload, std::uint64_t items,
                       DeliveryTracker* tracker = nullptr) {
  return Batch(signal,
               {.payload = Slice::Copy(payload),
                .items = items,
                .token = tracker == nullptr ? DeliveryToken::Untracked() : tracker->Begin()},
               std::chrono::steady_clock::now());
}

// A door that keeps what it is given and answers as the test tells it to. Thread-safe. What it has
// taken is settled as delivered when the test takes it out or the sink is destroyed.
class RecordingSink final : public BatchSink {
 public:
  ~RecordingSink() override {
    for (Batch& batch : batches_) {
      batch.Settle(Outcome::kDelivered);
    }
  }

  void AnswerWith(Admission answer) {
    std::lock_guard lock(mutex_);
    answer_ = answer;
  }
  // Settles each batch at once with this instead of keeping its tokens open.
  void SettleWith(std::optional<Settlement> settlement) {
    std::lock_guard lock(mutex_);
    settlement_ = settlement;
  }

  Admission Offer(Batch& batch, std::uint64_t /*affinity*/) override {
    std::unique_lock lock(mutex_);
    ++offers_;
    if (answer_ == Admission::kBusy) {
      changed_.notify_all();
      return Admission::kBusy;
    }
    for (const Part& part : batch.parts()) {
      payload_ += part.payload.view();
      items_ += part.items;
    }
    Batch taken = std::move(batch);
    const std::optional<Settlement> settlement = settlement_;
    if (!settlement.has_value()) {
      batches_.push_back(std::move(taken));
    }
    changed_.notify_all();
    lock.unlock();
    if (settlement.has_value()) {
      taken.Settle(*settlement);
    }
    return Admission::kAccepted;
  }

  // Returns as soon as `count` offers were made (or items were taken); false when the limit passed.
  bool WaitForOffers(std::size_t count, std::chrono::seconds limit = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return offers_ >= count; });
  }
  bool WaitForItems(std::uint64_t count, std::chrono::seconds limit = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return items_ >= count; });
  }

  // All payloads taken so far, laid end to end: one valid request when they are of one signal.
  std::string payload() const {
    std::lock_guard lock(mutex_);
    return payload_;
  }
  std::uint64_t items() const {
    std::lock_guard lock(mutex_);
    return items_;
  }
  std::vector<Batch> TakeBatches() {
    std::lock_guard lock(mutex_);
    return std::exchange(batches_, {});
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Admission answer_ = Admission::kAccepted;
  std::optional<Settlement> settlement_;
  std::size_t offers_ = 0;
  std::uint64_t items_ = 0;
  std::string payload_;
  std::vector<Batch> batches_;
};

// The output of a processor under test. One thread.
class RecordingOutput final : public BatchOutput {
 public:
  ~RecordingOutput() override {
    for (Batch& batch : batches) {
      batch.Settle(Outcome::kDelivered);
    }
  }
  void Emit(Batch batch) override {
    if (!batch.empty()) {
      batches.push_back(std::move(batch));
    }
  }
  std::uint64_t items() const {
    std::uint64_t sum = 0;
    for (const Batch& batch : batches) {
      sum += batch.items();
    }
    return sum;
  }
  std::string payload() const {
    std::string all;
    for (const Batch& batch : batches) {
      for (const Part& part : batch.parts()) {
        all += part.payload.view();
      }
    }
    return all;
  }

  std::vector<Batch> batches;
};

}  // namespace weir::testkit

#endif  // WEIR_TESTKIT_RECORDING_H_

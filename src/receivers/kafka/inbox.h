// Inbox brings the news that messages are settled from the pipelines' threads to the consumer's.
//
// Threads: Push is called from any thread; the rest is the consumer's.
// Ownership: shared by the consumer and the messages under way, so what settles after the receiver
// is gone has somewhere to go.

#ifndef WEIR_RECEIVERS_KAFKA_INBOX_H_
#define WEIR_RECEIVERS_KAFKA_INBOX_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "kafka/client.h"
#include "weir/base/slice.h"
#include "weir/component/delivery.h"

namespace weir::receivers::kafka {

struct Partition;

struct Settled {
  std::shared_ptr<Partition> partition;
  std::int64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t items = 0;
  Slice raw;  // The message, where there is a dead letter file.
  Settlement settlement;
};

class Inbox {
 public:
  explicit Inbox(rd_kafka_queue_t* queue) : queue_(queue) {}

  void Push(Settled settled) {
    std::lock_guard lock(mutex_);
    const bool was_empty = settled_.empty();
    settled_.push_back(std::move(settled));
    if (was_empty && awaited_ && queue_ != nullptr) {
      rd_kafka_queue_yield(queue_);
    }
  }

  std::vector<Settled> TakeAll() {
    std::lock_guard lock(mutex_);
    return std::exchange(settled_, {});
  }

  // Whether the consumer waits for news, rather than looking when a message comes by. False when
  // there is some already.
  bool Await(bool awaited) {
    std::lock_guard lock(mutex_);
    awaited_ = awaited;
    return settled_.empty();
  }
  void Wake() {
    std::lock_guard lock(mutex_);
    if (queue_ != nullptr) {
      rd_kafka_queue_yield(queue_);
    }
  }
  // The queue is about to go away.
  void Detach() {
    std::lock_guard lock(mutex_);
    queue_ = nullptr;
  }

 private:
  std::mutex mutex_;  // Guards all below.
  rd_kafka_queue_t* queue_;
  bool awaited_ = false;
  std::vector<Settled> settled_;
};

}  // namespace weir::receivers::kafka

#endif  // WEIR_RECEIVERS_KAFKA_INBOX_H_

// Consumer is the thread that reads the topics, hands messages to the pipelines and commits what is
// delivered.
//
//   read → decode → offer ──▶ pipelines ──▶ settled → inbox → offsets move → committed
//                     └ busy, failed: the partition is paused, set back, and goes on after a while
//
// Threads: Start and Stop run on the service thread; everything else on the consumer's own thread,
// librdkafka's callbacks included. Pipelines reach it through the inbox.
// Ownership: owns the client; shares the inbox and the partitions with the messages under way.
// Loss: none. What can't be decoded, or is refused for good, is counted, kept in the dead letter
// file where there is one, and lets the offset move.
// Invariants: an offset is committed only when every message before it is settled, and only by the
// assignment that read it. One partition that waits never holds up another.

#ifndef WEIR_RECEIVERS_KAFKA_CONSUMER_H_
#define WEIR_RECEIVERS_KAFKA_CONSUMER_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "kafka/client.h"
#include "receivers/kafka/config.h"
#include "receivers/kafka/dead_letter.h"
#include "receivers/kafka/decoder.h"
#include "receivers/kafka/inbox.h"
#include "receivers/kafka/partition.h"
#include "receivers/kafka/topics.h"
#include "weir/component/context.h"
#include "weir/telemetry/self_metrics.h"

namespace weir::receivers::kafka {

class Consumer {
 public:
  Consumer(const Config& config, const ReceiverContext& context, const Topics& topics);
  ~Consumer();

  absl::Status Start();
  // DeadlineExceeded when messages were still under way: they will be read again.
  absl::Status Stop(TimePoint deadline);

 private:
  using PartitionKey = std::pair<std::string, std::int32_t>;
  using PartitionPtr = std::shared_ptr<Partition>;
  class MessageTracker;
  struct SignalBooks {
    NodeHandle ledger;
    std::unique_ptr<ReceiverMetrics> metrics;
  };

  absl::StatusOr<weir::kafka::ClientPtr> MakeClient();
  static void OnRebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                          rd_kafka_topic_partition_list_t* partitions, void* opaque);

  void Run();
  // One turn: what is settled, what is due, what can be read.
  void Turn();
  std::chrono::milliseconds WaitTime() const;
  void Drain(TimePoint deadline);
  void Close(TimePoint deadline);

  // consumer_messages.cc: on the way in.
  void Read(rd_kafka_queue_t* queue, std::chrono::milliseconds wait);
  void Handle(rd_kafka_message_t& message);
  void Take(const PartitionPtr& partition, const rd_kafka_message_t& message);
  void ReadHeaders(const rd_kafka_message_t& message);
  void Append(const PartitionPtr& partition, const rd_kafka_message_t& message, Decoded decoded);
  void OfferOpen();
  void LeaveOut(Partition& partition, std::int64_t offset, std::string_view message,
                std::string_view why);
  PartitionPtr FindPartition(const rd_kafka_message_t& message);

  // consumer_offsets.cc: on the way back.
  void HandleSettled();
  void HandleOne(Settled& settled);
  void Pause(Partition& partition, std::int64_t read_from);
  void PauseFor(Partition& partition, std::int64_t read_from, std::chrono::nanoseconds wait);
  void ResumeDue();
  void Resume(Partition& partition);
  std::chrono::nanoseconds Backoff(Partition& partition);
  bool HasRoom(const Partition& partition, unsigned share_divisor) const;
  void StoreOffsets();
  void Assign(const rd_kafka_topic_partition_list_t& partitions);
  void Revoke(const rd_kafka_topic_partition_list_t& partitions, bool lost);
  // Waits for the brokers' answer, until the deadline.
  void CommitNow(const std::vector<const Partition*>& partitions, TimePoint deadline);

  const Config& config_;
  const ReceiverContext context_;
  const Topics& topics_;
  std::array<SignalBooks, kSignalCount> books_;
  std::unique_ptr<DeadLetterFile> dead_letters_;
  std::size_t charged_bytes_ = 0;  // For librdkafka's queue, while it runs.

  weir::kafka::ClientPtr client_;
  weir::kafka::QueuePtr queue_;
  std::shared_ptr<Inbox> inbox_;

  // Consumer thread only.
  std::map<PartitionKey, PartitionPtr> partitions_;
  std::vector<PartitionPtr> moved_;  // Partitions with news for StoreOffsets; may repeat.
  PartitionPtr last_;                // Of the last message.
  Decoder decoder_;
  Headers headers_;  // Of the message at hand.
  std::shared_ptr<const RequestContext> request_context_;
  PartitionPtr open_partition_;
  Batch open_;
  std::uint64_t in_flight_ = 0;  // Messages, of revoked assignments too.
  std::uint64_t paused_ = 0;     // Partitions.
  bool closing_ = false;
  std::minstd_rand random_{std::random_device()()};

  // Release by Stop, acquire by the thread: the deadline comes with it.
  std::atomic<bool> stopping_{false};
  TimePoint stop_deadline_{};
  bool abandoned_ = false;  // Written by the thread, read after the join.

  std::thread thread_;  // Last member: joined before anything above goes away.
};

}  // namespace weir::receivers::kafka

#endif  // WEIR_RECEIVERS_KAFKA_CONSUMER_H_

// KafkaExporter produces batches as Kafka messages and answers when the brokers have confirmed each
// message of a batch.
//
// Threads: everything runs on the exporter's loop, delivery reports included: librdkafka's queue
// wakes the loop through an event file descriptor, so there is no thread of our own and nothing is
// handed over.
// Ownership: librdkafka points into the messages' bytes; a Delivery keeps them until the last
// report is in. Loss: none here. Where one message of a batch fails, the answer is for the whole
// batch, so a retry repeats those of its messages that went through: at least once, as in the
// Collector.

#ifndef WEIR_EXPORTERS_KAFKA_EXPORTER_H_
#define WEIR_EXPORTERS_KAFKA_EXPORTER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporters/kafka/config.h"
#include "exporters/kafka/message_builder.h"
#include "kafka/client.h"
#include "weir/component/exporter.h"

namespace weir::exporters::kafka {

// What an error means for the batch.
SendResult::Kind ResultKindOf(rd_kafka_resp_err_t error);

class KafkaExporter final : public Exporter, private FdHandler {
 public:
  KafkaExporter(Config config, const ExporterContext& context);
  ~KafkaExporter() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  void Send(const Batch& batch, TimePoint deadline, SendDone done) override;

 private:
  // One Send: its messages on their way.
  struct Delivery {
    SendDone done;
    TimePoint deadline;
    SendResult result;
    std::size_t pending = 0;
    std::vector<Message> messages;
    std::vector<std::pair<std::string, std::string>> headers;
  };

  absl::StatusOr<weir::kafka::ClientPtr> MakeClient();
  void OnEvents(std::uint32_t events) override;
  static void OnReport(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque);
  static std::int32_t NextPartition(const rd_kafka_topic_t* topic, const void* key,
                                    std::size_t key_bytes, std::int32_t partitions,
                                    void* topic_opaque, void* message_opaque);

  // Hands librdkafka what it can send at once; see kPartitionMessagesMax.
  void ProduceWaiting();
  std::uint64_t MessagesMax() const;
  void Produce(Delivery& delivery);
  rd_kafka_resp_err_t ProduceOne(Delivery& delivery, const Message& message);
  void Fail(Delivery& delivery, rd_kafka_resp_err_t error);
  // Serves librdkafka's reports and answers the batches that are complete.
  void Poll();
  void Finish();
  void FailWaiting(std::string_view why);
  // A producer that has met a fatal error never sends again: a new one takes its place.
  void ReplaceClient();
  void Watch();
  void Unwatch();
  // Every message still on its way is reported as failed.
  void Purge();
  void StopOnLoop(TimePoint deadline);

  const Config config_;
  const ExporterContext context_;
  int event_fd_ = -1;  // Between Start and Shutdown.
  // Picked by librdkafka's threads. Relaxed: only its being spread evenly matters.
  std::atomic<std::uint32_t> next_partition_{0};

  // Loop thread only.
  MessageBuilder builder_;
  std::unordered_map<Delivery*, std::unique_ptr<Delivery>> deliveries_;
  std::deque<Delivery*> waiting_;
  std::vector<Delivery*> complete_;
  std::set<std::pair<const rd_kafka_topic_t*, std::int32_t>> partitions_;  // Reported so far.
  bool fatal_ = false;
  std::uint64_t in_flight_ = 0;  // Messages that librdkafka has.
  weir::kafka::ClientPtr client_;
  weir::kafka::QueuePtr queue_;
};

}  // namespace weir::exporters::kafka

#endif  // WEIR_EXPORTERS_KAFKA_EXPORTER_H_

// KafkaReceiver reads OTLP from Kafka topics as a member of a consumer group. What it does with the
// messages is in consumer.h.
//
// Threads: as every component; the work is done on the consumer's own thread.
// Loss: none; see consumer.h.

#ifndef WEIR_RECEIVERS_KAFKA_RECEIVER_H_
#define WEIR_RECEIVERS_KAFKA_RECEIVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "receivers/kafka/config.h"
#include "receivers/kafka/consumer.h"
#include "receivers/kafka/topics.h"
#include "weir/component/receiver.h"

namespace weir::receivers::kafka {

class KafkaReceiver final : public Receiver {
 public:
  // Fails where two signals with a pipeline name one topic, or a pattern is none.
  static absl::StatusOr<std::unique_ptr<KafkaReceiver>> Create(Config config,
                                                               const ReceiverContext& context);
  KafkaReceiver(Config config, const ReceiverContext& context, Topics topics);

  absl::Status Start() override { return consumer_.Start(); }
  absl::Status Shutdown(TimePoint deadline) override { return consumer_.Stop(deadline); }
  bool idle() const override { return true; }  // Messages under way refer to what they share.

 private:
  const Config config_;
  const Topics topics_;
  Consumer consumer_;
};

}  // namespace weir::receivers::kafka

#endif  // WEIR_RECEIVERS_KAFKA_RECEIVER_H_

#include "receivers/kafka/receiver.h"

#include <utility>

#include "weir/base/status.h"

namespace weir::receivers::kafka {

absl::StatusOr<std::unique_ptr<KafkaReceiver>> KafkaReceiver::Create(
    Config config, const ReceiverContext& context) {
  Topics topics;
  for (const Signal signal : {Signal::kTraces, Signal::kMetrics, Signal::kLogs}) {
    if (context.sink(signal) != nullptr) {
      WEIR_RETURN_IF_ERROR(topics.Add(signal, config.TopicsOf(signal), config.ExcludedOf(signal)));
    }
  }
  return std::make_unique<KafkaReceiver>(std::move(config), context, std::move(topics));
}

KafkaReceiver::KafkaReceiver(Config config, const ReceiverContext& context, Topics topics)
    : config_(std::move(config)),
      topics_(std::move(topics)),
      consumer_(config_, context, topics_) {}

}  // namespace weir::receivers::kafka

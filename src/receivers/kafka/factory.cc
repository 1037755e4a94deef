#include "receivers/kafka/factory.h"

#include "receivers/kafka/config.h"
#include "receivers/kafka/receiver.h"

namespace weir::receivers::kafka {

ReceiverFactory Factory() {
  return MakeReceiverFactory<Config, KafkaReceiver>(
      {.type = "kafka", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::receivers::kafka

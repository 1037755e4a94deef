#include "receivers/otlp/factory.h"

#include "receivers/otlp/config.h"
#include "receivers/otlp/receiver.h"

namespace weir::receivers::otlp {

ReceiverFactory Factory() {
  return MakeReceiverFactory<Config, OtlpReceiver>(
      {.type = "otlp", .signals = kAllSignals, .stability = Stability::kBeta});
}

}  // namespace weir::receivers::otlp

#include "receivers/otlp/refusal.h"

namespace weir::receivers::otlp {
namespace {

constexpr MetricSpec kRefusedRequests = {"weir_receiver_refused_requests", MetricType::kCounter,
                                         "{requests}", "receiver,transport,reason",
                                         "Requests that were turned away, by reason."};

}  // namespace

std::string_view RefusalReasonName(RefusalReason reason) {
  constexpr std::array<std::string_view, kRefusalReasonCount> kNames = {"busy",
                                                                        "shutdown",
                                                                        "refused",
                                                                        "too_large",
                                                                        "over_budget",
                                                                        "bad_compression",
                                                                        "unknown_encoding",
                                                                        "bad_framing",
                                                                        "unauthenticated",
                                                                        "malformed"};
  return kNames[static_cast<std::size_t>(reason)];
}

RefusalCounters::RefusalCounters(MetricScope& scope, const std::string& receiver,
                                 const std::string& transport) {
  for (std::size_t i = 0; i < kRefusalReasonCount; ++i) {
    const auto reason = static_cast<RefusalReason>(i);
    counters_[i] =
        &scope.GetCounter(kRefusedRequests, {{"receiver", receiver},
                                             {"transport", transport},
                                             {"reason", std::string(RefusalReasonName(reason))}});
  }
}

}  // namespace weir::receivers::otlp

#include "receivers/otlp/refusal.h"

#include "weir/telemetry/self_metrics.h"

namespace weir::receivers::otlp {
namespace {

constexpr MetricSpec kRefusedRequests = {
    "weir_receiver_refused_requests_total", MetricType::kCounter, "{requests}",
    "receiver,transport,reason", "Requests that were turned away, by reason."};

Counter& Requests(MetricScope& scope, const std::string& receiver, const std::string& transport,
                  const std::string& outcome) {
  return scope.GetCounter(kReceiverRequests,
                          {{"receiver", receiver}, {"transport", transport}, {"outcome", outcome}});
}

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

RequestCounters::RequestCounters(MetricScope& scope, const std::string& receiver,
                                 const std::string& transport)
    : success_(Requests(scope, receiver, transport, "success")),
      refused_(Requests(scope, receiver, transport, "refused")),
      failure_(Requests(scope, receiver, transport, "failure")) {
  for (std::size_t i = 0; i < kRefusalReasonCount; ++i) {
    const auto reason = static_cast<RefusalReason>(i);
    by_reason_[i] =
        &scope.GetCounter(kRefusedRequests, {{"receiver", receiver},
                                             {"transport", transport},
                                             {"reason", std::string(RefusalReasonName(reason))}});
  }
}

void RequestCounters::Count(const Refusal& refusal) {
  by_reason_[static_cast<std::size_t>(refusal.reason)]->Add();
  (refusal.retry_after.has_value() ? refused_ : failure_).Add();
}

}  // namespace weir::receivers::otlp

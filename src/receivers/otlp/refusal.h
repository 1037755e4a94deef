// Why requests are turned away: a closed set, counted by reason for each transport.
//
// Threads: counters are thread-safe; made at start-up.

#ifndef WEIR_RECEIVERS_OTLP_REFUSAL_H_
#define WEIR_RECEIVERS_OTLP_REFUSAL_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/grpc_status.h"
#include "weir/telemetry/metrics.h"

namespace weir::receivers::otlp {

enum class RefusalReason : std::uint8_t {
  kBusy,             // The pipeline could not take it now.
  kShutdown,         // We are stopping.
  kRefused,          // The pipeline will never take it.
  kTooLarge,         // Over max_recv_msg_size_mib or max_request_body_size.
  kOverBudget,       // The memory limit is reached.
  kBadCompression,   // The body does not decompress.
  kUnknownEncoding,  // Compressed in a way that is not supported.
  kBadFraming,       // Not framed as its protocol asks.
  kUnauthenticated,  // The authenticator said no.
  kMalformed,        // Not an OTLP request.
};
inline constexpr std::size_t kRefusalReasonCount = 10;
std::string_view RefusalReasonName(RefusalReason reason);  // "too_large", ...

// Why a request was not taken, as its sender is told.
struct Refusal {
  RefusalReason reason = RefusalReason::kRefused;
  net::GrpcCode code = net::GrpcCode::kInternal;
  std::string_view message;
  // Set where the same request may succeed later; a hint of 0 asks for a second.
  std::optional<std::chrono::milliseconds> retry_after;
};

// otelcol_receiver_requests and weir_receiver_refused_requests_total, of one receiver and
// transport.
class RequestCounters {
 public:
  RequestCounters(MetricScope& scope, const std::string& receiver, const std::string& transport);
  void Success() { success_.Add(); }
  void Count(const Refusal& refusal);

 private:
  Counter& success_;
  Counter& refused_;  // The sender may try again.
  Counter& failure_;
  std::array<Counter*, kRefusalReasonCount> by_reason_{};
};

}  // namespace weir::receivers::otlp

#endif  // WEIR_RECEIVERS_OTLP_REFUSAL_H_

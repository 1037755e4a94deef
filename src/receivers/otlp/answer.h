// What the receiver says to its senders, in the words of the protocol they speak.
//
// Threads: pure functions over a request, on its loop.

#ifndef WEIR_RECEIVERS_OTLP_ANSWER_H_
#define WEIR_RECEIVERS_OTLP_ANSWER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "net/server_request.h"
#include "receivers/otlp/refusal.h"
#include "weir/component/delivery.h"
#include "weir/wire/status_codec.h"

namespace weir::receivers::otlp {

enum class Protocol : std::uint8_t { kGrpc, kHttpProtobuf, kHttpJson };

Refusal RefusalOf(const Settlement& settlement);  // REQUIRES: !settlement.ok()
Refusal RefusalOf(net::BodyFault fault);
Refusal RefusalOf(const absl::Status& authentication);

// Everything was accepted.
void AnswerSuccess(net::ServerRequest& request, Protocol protocol, RequestCounters& counters);
// As OTLP maps them: RetryInfo or Retry-After on what may be tried again, and a google.rpc.Status.
// Counted by its reason.
void AnswerRefusal(net::ServerRequest& request, Protocol protocol, const Refusal& refusal,
                   RequestCounters& counters);

// The HTTP status of a refusal, as OTLP/HTTP and the Collector have it.
int HttpStatusOf(const Refusal& refusal);

}  // namespace weir::receivers::otlp

#endif  // WEIR_RECEIVERS_OTLP_ANSWER_H_

// What an answer to Export means for the batch, by the OTLP specification (OTLP/gRPC, "Failures"):
// some codes may pass, RESOURCE_EXHAUSTED only where the server says when, the rest never will.
//
// Threads: pure functions.

#ifndef WEIR_EXPORTERS_OTLP_RESULT_H_
#define WEIR_EXPORTERS_OTLP_RESULT_H_

#include "net/grpc_response.h"
#include "weir/component/exporter.h"
#include "weir/wire/signal.h"

namespace weir::exporters::otlp {

SendResult ResultOf(Signal signal, const net::GrpcResponse& response);

}  // namespace weir::exporters::otlp

#endif  // WEIR_EXPORTERS_OTLP_RESULT_H_

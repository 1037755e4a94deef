// What an answer to an OTLP/HTTP request means for the batch, by the OTLP specification
// (OTLP/HTTP Response): 429, 502, 503 and 504 may pass, the rest never will.
//
// Threads: pure functions.

#ifndef WEIR_EXPORTERS_OTLPHTTP_RESULT_H_
#define WEIR_EXPORTERS_OTLPHTTP_RESULT_H_

#include <chrono>

#include "net/http_client.h"
#include "weir/component/exporter.h"
#include "weir/wire/signal.h"

namespace weir::exporters::otlphttp {

SendResult ResultOf(Signal signal, const net::HttpClientResponse& response,
                    std::chrono::system_clock::time_point now);

}  // namespace weir::exporters::otlphttp

#endif  // WEIR_EXPORTERS_OTLPHTTP_RESULT_H_

// OTLP/HTTP with protobuf bodies for load runs, over a client of weir/net.
//
// Threads, Ownership, Loss: as transport.h says.

#ifndef WEIR_LOAD_HTTP_TRANSPORT_H_
#define WEIR_LOAD_HTTP_TRANSPORT_H_

#include <memory>
#include <vector>

#include "load/transport.h"

namespace weir::load {

// A transport with HTTP/1.1 opens a connection for each request in flight.
absl::StatusOr<std::vector<std::unique_ptr<Transport>>> MakeHttpTransports(
    EventLoop& loop, const LoadOptions& options);

}  // namespace weir::load

#endif  // WEIR_LOAD_HTTP_TRANSPORT_H_

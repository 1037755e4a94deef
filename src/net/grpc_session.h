// Where nghttp2 and GrpcConnection meet: the session of a connection and its callbacks.
//
// Threads: the connection's.

#ifndef WEIR_NET_GRPC_SESSION_H_
#define WEIR_NET_GRPC_SESSION_H_

#include <cstdint>

#include "net/grpc_connection.h"

namespace weir::net {

// A client session with our settings submitted. The connection owns and outlives it.
nghttp2_session* NewGrpcSession(GrpcConnection& connection);

// Submits a request whose body the session takes from the connection's stream of that id. The id,
// or nghttp2's error.
std::int32_t SubmitGrpcRequest(nghttp2_session* session, const GrpcStream::Headers& headers);

}  // namespace weir::net

#endif  // WEIR_NET_GRPC_SESSION_H_

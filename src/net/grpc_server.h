// GrpcRouter says which handler answers a gRPC method.
//
// gRPC calls come over the same HTTP/2 sessions as plain requests, told apart by their content
// type. A method's handler gets the one message of a unary call as its body, decompressed, and
// answers with RespondGrpc. Unknown methods are answered UNIMPLEMENTED before a handler hears of
// them.
//
// Threads: built before the server starts, read-only from then on.

#ifndef WEIR_NET_GRPC_SERVER_H_
#define WEIR_NET_GRPC_SERVER_H_

#include <map>
#include <string>
#include <string_view>

#include "net/server_request.h"

namespace weir::net {

class GrpcRouter {
 public:
  // `path` is "/package.Service/Method". `handler` outlives the router. REQUIRES: not added before.
  void Add(std::string path, RequestHandler& handler);
  RequestHandler* Find(std::string_view path) const;  // Null when unknown.

 private:
  std::map<std::string, RequestHandler*, std::less<>> methods_;
};

}  // namespace weir::net

#endif  // WEIR_NET_GRPC_SERVER_H_

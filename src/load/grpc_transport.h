// OTLP/gRPC for load runs, over a client of weir/net with one connection.
//
// Threads, Ownership, Loss: as transport.h says.

#ifndef WEIR_LOAD_GRPC_TRANSPORT_H_
#define WEIR_LOAD_GRPC_TRANSPORT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "load/transport.h"
#include "net/grpc_client.h"

namespace weir::load {

class GrpcTransport final : public Transport {
 public:
  // REQUIRES: options.endpoint is what ParseGrpcTarget made `client.target` of.
  GrpcTransport(EventLoop& loop, net::GrpcClientOptions client, const LoadOptions& options);

  void Send(Signal signal, Slice body, TimePoint deadline, AnswerDone done) override;

 private:
  const net::Compression encoding_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  net::GrpcClient client_;
};

// What a response means for a load run.
Answer AnswerOfGrpc(Signal signal, const net::GrpcResponse& response);

absl::StatusOr<std::vector<std::unique_ptr<Transport>>> MakeGrpcTransports(
    EventLoop& loop, const LoadOptions& options);

}  // namespace weir::load

#endif  // WEIR_LOAD_GRPC_TRANSPORT_H_

// OtlpReceiver takes OTLP over gRPC and over HTTP (protobuf and JSON) and offers it as it came.
//
// A request is answered when it is secured: every exporter it goes to holds it in its queue.
// Usually that is before the handler returns, on the same thread.
//
// Threads: the life cycle runs on the service's thread, requests on the listener threads.
// Ownership: listener threads live as long as the receiver, because answers may come late.
// Loss: none. What can't be taken is refused, and the sender told whether to try again.

#ifndef WEIR_RECEIVERS_OTLP_RECEIVER_H_
#define WEIR_RECEIVERS_OTLP_RECEIVER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "net/server.h"
#include "receivers/otlp/config.h"
#include "receivers/otlp/export_handler.h"
#include "weir/component/receiver.h"

namespace weir::receivers::otlp {

class OtlpReceiver final : public Receiver {
 public:
  OtlpReceiver(Config config, const ReceiverContext& context);
  ~OtlpReceiver() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  bool idle() const override;

  // The ports that were bound; 0 where there is none.
  std::uint16_t grpc_port() const { return grpc_ == nullptr ? 0 : grpc_->port(); }
  std::uint16_t http_port() const { return http_ == nullptr ? 0 : http_->port(); }

 private:
  Door* AddDoor(Signal signal, const std::string& transport);
  absl::Status OpenGrpc();
  absl::Status OpenHttp();
  absl::StatusOr<const ServerAuthenticator*> FindAuthenticator(const ComponentId& id) const;

  const Config config_;
  const ReceiverContext context_;
  std::vector<NodeHandle> books_;
  std::vector<std::unique_ptr<Door>> doors_;

  EndpointRules grpc_rules_;
  EndpointRules http_rules_;
  std::vector<std::unique_ptr<GrpcExportHandler>> grpc_handlers_;
  net::GrpcRouter grpc_router_;
  std::unique_ptr<HttpExportHandler> http_handler_;

  // In this order: the servers go before the threads, and those before what their work touches.
  std::vector<std::unique_ptr<LoopThread>> threads_;
  std::unique_ptr<net::Server> grpc_;
  std::unique_ptr<net::Server> http_;
};

}  // namespace weir::receivers::otlp

#endif  // WEIR_RECEIVERS_OTLP_RECEIVER_H_

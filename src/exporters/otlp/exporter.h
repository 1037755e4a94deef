// OtlpExporter sends batches as OTLP/gRPC export requests: the parts of a batch, laid end to end,
// are one request, so an uncompressed one goes to the socket from where its parts lie.
//
// Threads: as every exporter (weir/component/exporter.h).
// Loss: none of its own; see result.h for what an answer means.

#ifndef WEIR_EXPORTERS_OTLP_EXPORTER_H_
#define WEIR_EXPORTERS_OTLP_EXPORTER_H_

#include <memory>

#include "exporters/otlp/config.h"
#include "net/grpc_client.h"
#include "weir/component/exporter.h"
#include "weir/component/extension.h"

namespace weir::exporters::otlp {

class OtlpExporter final : public Exporter {
 public:
  OtlpExporter(Config config, const ExporterContext& context);
  ~OtlpExporter() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  void Send(const Batch& batch, TimePoint deadline, SendDone done) override;

 private:
  const Config config_;
  MemoryBudget& budget_;
  Host& host_;
  EventLoop& loop_;
  const net::Compression encoding_;
  const ClientAuthenticator* authenticator_ = nullptr;
  HeaderList headers_;  // Of every request.

  std::unique_ptr<net::GrpcClient> client_;  // Made and destroyed on the loop.
};

}  // namespace weir::exporters::otlp

#endif  // WEIR_EXPORTERS_OTLP_EXPORTER_H_

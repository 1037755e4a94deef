#include "exporters/otlp/exporter.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "exporters/otlp/result.h"
#include "net/header_list.h"
#include "weir/base/status.h"

namespace weir::exporters::otlp {
namespace {

constexpr std::array<std::string_view, kSignalCount> kPaths = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export"};

}  // namespace

OtlpExporter::OtlpExporter(Config config, const ExporterContext& context)
    : config_(std::move(config)),
      budget_(context.budget),
      host_(context.host),
      loop_(context.loop),
      encoding_(net::GrpcCompression(config_.client.compression)) {
  for (const auto& [key, value] : config_.client.headers.entries) {
    net::SetHeader(headers_, key, value);
  }
}

OtlpExporter::~OtlpExporter() { Shutdown(TimePoint::min()).IgnoreError(); }

absl::Status OtlpExporter::Start() {
  if (config_.client.auth.has_value()) {
    WEIR_ASSIGN_OR_RETURN(authenticator_,
                          FindClientAuthenticator(host_, config_.client.auth->authenticator));
  }
  WEIR_ASSIGN_OR_RETURN(net::GrpcClientOptions options,
                        net::MakeGrpcClientOptions(config_.client, "weir"));
  loop_.RunAndWait([&] {
    client_ = std::make_unique<net::GrpcClient>(loop_, std::move(options));
    client_->Connect();
  });
  return absl::OkStatus();
}

absl::Status OtlpExporter::Shutdown(TimePoint /*deadline*/) {
  // The queue has drained or given up by now; what is open is cancelled.
  if (client_ != nullptr) {
    loop_.RunAndWait([this] { client_.reset(); });
  }
  return absl::OkStatus();
}

void OtlpExporter::Send(const Batch& batch, TimePoint deadline, SendDone done) {
  net::GrpcRequest request;
  request.path = kPaths[SignalIndex(batch.signal())];
  request.deadline = deadline;
  request.metadata = headers_;
  if (authenticator_ != nullptr) {
    const absl::Status status = authenticator_->AddHeaders(batch.context().get(), request.metadata);
    if (!status.ok()) {
      done({.kind = SendResult::Kind::kRetry, .message = std::string(status.message())});
      return;
    }
  }
  request.message.reserve(batch.parts().size());
  for (const Part& part : batch.parts()) {
    request.message.push_back(part.payload);
  }
  request.encoding = encoding_;
  if (encoding_ != net::Compression::kNone) {
    request.message = {net::Compress(encoding_, request.message, {.budget = &budget_})};
  }
  client_->Call(std::move(request),
                [signal = batch.signal(), done = std::move(done)](
                    net::GrpcResponse response) mutable { done(ResultOf(signal, response)); });
}

}  // namespace weir::exporters::otlp

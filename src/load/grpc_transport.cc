#include "load/grpc_transport.h"

#include <array>

#include "net/grpc_target.h"
#include "net/tls.h"
#include "weir/base/status.h"
#include "weir/wire/status_codec.h"

namespace weir::load {
namespace {

using net::GrpcCode;

constexpr std::array<const char*, kSignalCount> kPaths = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export"};

// As the OTLP specification lists them. A full server that gives no time to come back
// (RESOURCE_EXHAUSTED without RetryInfo) means it for good.
bool MayTryAgain(GrpcCode code, bool asked_to) {
  switch (code) {
    case GrpcCode::kCancelled:
    case GrpcCode::kDeadlineExceeded:
    case GrpcCode::kAborted:
    case GrpcCode::kOutOfRange:
    case GrpcCode::kUnavailable:
    case GrpcCode::kDataLoss:
      return true;
    case GrpcCode::kResourceExhausted:
      return asked_to;
    default:
      return false;
  }
}

}  // namespace

Answer AnswerOfGrpc(Signal signal, const net::GrpcResponse& response) {
  if (response.code == GrpcCode::kOk) {
    return AnswerOfBody(signal, response.body);
  }
  Answer answer{.code = std::string(net::GrpcCodeName(response.code)), .message = response.message};
  if (!response.status_details.empty()) {
    if (const auto status =
            wire::DecodeRpcStatus(response.status_details, wire::BodyFormat::kProtobuf)) {
      answer.retry_delay = status->retry_delay;
    }
  }
  answer.outcome = MayTryAgain(response.code, answer.retry_delay.has_value()) ? Outcome::kTryAgain
                                                                              : Outcome::kPermanent;
  return answer;
}

GrpcTransport::GrpcTransport(EventLoop& loop, net::GrpcClientOptions client,
                             const LoadOptions& options)
    : encoding_(WireCompression(options)), client_(loop, std::move(client)) {
  for (const auto& [name, value] : options.headers) {
    std::string& key = metadata_.emplace_back(name, value).first;
    for (char& letter : key) {
      letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    }
  }
  client_.Connect();
}

void GrpcTransport::Send(Signal signal, Slice body, TimePoint deadline, AnswerDone done) {
  client_.Call({.path = kPaths[SignalIndex(signal)],
                .message = {std::move(body)},
                .encoding = encoding_,
                .metadata = metadata_,
                .deadline = deadline},
               [signal, done = std::move(done)](const net::GrpcResponse& response) mutable {
                 done(AnswerOfGrpc(signal, response));
               });
}

absl::StatusOr<std::vector<std::unique_ptr<Transport>>> MakeGrpcTransports(
    EventLoop& loop, const LoadOptions& options) {
  WEIR_ASSIGN_OR_RETURN(
      const net::GrpcTarget target,
      net::ParseGrpcTarget(options.endpoint.empty() ? "127.0.0.1:4317" : options.endpoint));
  net::GrpcClientOptions client;
  client.target = target;
  if (target.tls || options.tls.UsesTls()) {
    WEIR_ASSIGN_OR_RETURN(client.tls, net::TlsContext::NewClient(options.tls, {"h2"}));
  }
  client.user_agent = "weir-load";
  // A run may outlive its server, and should find it again soon.
  client.backoff_min = std::chrono::milliseconds(100);
  client.backoff_max = std::chrono::seconds(2);
  client.balancer = net::GrpcBalancer::kPickFirst;
  std::vector<std::unique_ptr<Transport>> transports;
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    transports.push_back(std::make_unique<GrpcTransport>(loop, client, options));
  }
  return transports;
}

}  // namespace weir::load

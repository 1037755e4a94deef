#include "load/transport.h"

#include <algorithm>

#include "load/grpc_transport.h"
#include "load/http_transport.h"
#include "weir/wire/status_codec.h"

namespace weir::load {

net::Compression WireCompression(const LoadOptions& options) {
  return options.protocol == Protocol::kGrpc ? net::GrpcCompression(options.compression)
                                             : options.compression;
}

Answer AnswerOfBody(Signal signal, std::string_view body) {
  const auto response = wire::DecodeExportResponse(signal, body, wire::BodyFormat::kProtobuf);
  if (!response.has_value()) {
    return {.outcome = Outcome::kPermanent,
            .code = "malformed_response",
            .message = "the answer is no export response"};
  }
  return {
      .outcome = Outcome::kAccepted,
      .rejected = static_cast<std::uint64_t>(std::max<std::int64_t>(response->rejected_items, 0)),
      .message = response->message};
}

absl::StatusOr<std::vector<std::unique_ptr<Transport>>> MakeTransports(EventLoop& loop,
                                                                       const LoadOptions& options) {
  return options.protocol == Protocol::kHttp ? MakeHttpTransports(loop, options)
                                             : MakeGrpcTransports(loop, options);
}

}  // namespace weir::load

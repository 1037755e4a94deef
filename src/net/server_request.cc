#include "net/server_request.h"

namespace weir::net {

GrpcStatus GrpcBodyFault(BodyFault fault) {
  switch (fault) {
    case BodyFault::kTooLarge:
      return {GrpcCode::kResourceExhausted, "message is larger than max_recv_msg_size", {}};
    case BodyFault::kOverBudget:
      return WithRetryInfo({GrpcCode::kUnavailable, "memory limit reached, try again later", {}},
                           std::chrono::seconds(1));
    case BodyFault::kBadCompression:
      return {GrpcCode::kInvalidArgument, "message does not decompress", {}};
    case BodyFault::kUnknownEncoding:
      return {GrpcCode::kUnimplemented, "grpc-encoding is not supported", {}};
    case BodyFault::kMalformed:
    case BodyFault::kNone:
      break;
  }
  return {GrpcCode::kInternal, "request is not one length-prefixed message", {}};
}

HttpFault HttpBodyFault(BodyFault fault) {
  switch (fault) {
    case BodyFault::kTooLarge:
      return {413, "request body too large"};
    case BodyFault::kOverBudget:
      return {503, "memory limit reached, try again later"};
    case BodyFault::kBadCompression:
      return {400, "request body does not decompress"};
    case BodyFault::kUnknownEncoding:
      return {415, "unsupported Content-Encoding"};
    case BodyFault::kMalformed:
    case BodyFault::kNone:
      break;
  }
  return {400, "malformed request body"};
}

void RequestHandler::OnBodyFault(ServerRequest& request, BodyFault fault) {
  if (request.head().is_grpc()) {
    request.RespondGrpc(GrpcBodyFault(fault));
    return;
  }
  const HttpFault answer = HttpBodyFault(fault);
  const HeaderField retry_after{"retry-after", "1"};
  HttpResponse response{.status = answer.status,
                        .content_type = "text/plain; charset=utf-8",
                        .body = Slice::Static(answer.message),
                        .fields = {}};
  if (fault == BodyFault::kOverBudget) {
    response.fields = {&retry_after, 1};
  }
  request.Respond(response);
}

}  // namespace weir::net

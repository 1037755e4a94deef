#include "receivers/otlp/answer.h"

#include <algorithm>

namespace weir::receivers::otlp {
namespace {

using net::GrpcCode;

constexpr std::chrono::milliseconds kRetryAfterDefault{1000};

std::chrono::milliseconds Delay(const Refusal& refusal) {
  return refusal.retry_after->count() > 0 ? *refusal.retry_after : kRetryAfterDefault;
}

std::string_view ContentType(Protocol protocol) {
  return protocol == Protocol::kHttpJson ? "application/json" : "application/x-protobuf";
}

}  // namespace

Refusal RefusalOf(const Settlement& settlement) {
  switch (settlement.outcome) {
    case Outcome::kRetry:
      return {RefusalReason::kBusy, GrpcCode::kUnavailable, "the pipeline is busy, try again later",
              settlement.retry_after};
    case Outcome::kAbandoned:
      return {RefusalReason::kShutdown, GrpcCode::kUnavailable, "shutting down",
              std::chrono::milliseconds(0)};
    case Outcome::kRefused:
    case Outcome::kDelivered:
    case Outcome::kDropped:
      break;
  }
  return {RefusalReason::kRefused, GrpcCode::kInternal, "the pipeline refused the data for good",
          std::nullopt};
}

Refusal RefusalOf(net::BodyFault fault) {
  using net::BodyFault;
  switch (fault) {
    case BodyFault::kTooLarge:
      return {RefusalReason::kTooLarge, GrpcCode::kResourceExhausted,
              "request is larger than the limit", std::nullopt};
    case BodyFault::kOverBudget:
      return {RefusalReason::kOverBudget, GrpcCode::kResourceExhausted,
              "memory limit reached, try again later", std::chrono::milliseconds(0)};
    case BodyFault::kBadCompression:
      return {RefusalReason::kBadCompression, GrpcCode::kInvalidArgument,
              "request does not decompress", std::nullopt};
    case BodyFault::kUnknownEncoding:
      return {RefusalReason::kUnknownEncoding, GrpcCode::kUnimplemented,
              "compression is not supported", std::nullopt};
    case BodyFault::kMalformed:
    case BodyFault::kNone:
      break;
  }
  return {RefusalReason::kBadFraming, GrpcCode::kInvalidArgument,
          "request is not framed as its protocol asks", std::nullopt};
}

Refusal RefusalOf(const absl::Status& authentication) {
  const std::string_view message(authentication.message().data(), authentication.message().size());
  switch (authentication.code()) {
    case absl::StatusCode::kPermissionDenied:
      return {RefusalReason::kUnauthenticated, GrpcCode::kPermissionDenied, message, std::nullopt};
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
      return {RefusalReason::kUnauthenticated, GrpcCode::kUnavailable, message,
              std::chrono::milliseconds(0)};
    default:
      return {RefusalReason::kUnauthenticated, GrpcCode::kUnauthenticated, message, std::nullopt};
  }
}

int HttpStatusOf(const Refusal& refusal) {
  switch (refusal.code) {
    case GrpcCode::kInvalidArgument:
      return 400;
    case GrpcCode::kUnauthenticated:
      return 401;
    case GrpcCode::kPermissionDenied:
      return 403;
    case GrpcCode::kUnimplemented:
      return 415;
    case GrpcCode::kResourceExhausted:
      return refusal.retry_after.has_value() ? 429 : 413;
    case GrpcCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

void AnswerSuccess(net::ServerRequest& request, Protocol protocol, RequestCounters& counters) {
  counters.Success();
  if (protocol == Protocol::kGrpc) {
    request.RespondGrpcOk();
    return;
  }
  // An ExportServiceResponse without partial success: no bytes, or an empty object.
  request.Respond({.status = 200,
                   .content_type = ContentType(protocol),
                   .body = Slice::Static(protocol == Protocol::kHttpJson ? "{}" : ""),
                   .fields = {}});
}

void AnswerRefusal(net::ServerRequest& request, Protocol protocol, const Refusal& refusal,
                   RequestCounters& counters) {
  counters.Count(refusal);
  if (protocol == Protocol::kGrpc) {
    net::GrpcStatus status{refusal.code, std::string(refusal.message), {}};
    request.RespondGrpc(refusal.retry_after.has_value()
                            ? net::WithRetryInfo(std::move(status), Delay(refusal))
                            : std::move(status));
    return;
  }
  wire::RpcStatus status{.code = static_cast<std::int32_t>(refusal.code),
                         .message = std::string(refusal.message),
                         .retry_delay = std::nullopt};
  std::string seconds;
  net::HeaderField retry_after{"retry-after", {}};
  net::HttpResponse response{.status = HttpStatusOf(refusal),
                             .content_type = ContentType(protocol),
                             .body = {},
                             .fields = {}};
  if (refusal.retry_after.has_value()) {
    status.retry_delay = Delay(refusal);
    seconds = std::to_string((Delay(refusal).count() + 999) / 1000);
    retry_after.value = seconds;
    response.fields = {&retry_after, 1};
  }
  response.body = Slice::Copy(wire::EncodeRpcStatus(status, protocol == Protocol::kHttpJson
                                                                ? wire::BodyFormat::kJson
                                                                : wire::BodyFormat::kProtobuf));
  request.Respond(response);
}

}  // namespace weir::receivers::otlp

#include "exporters/otlp/result.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "fmt/format.h"
#include "weir/wire/status_codec.h"

namespace weir::exporters::otlp {
namespace {

using net::GrpcCode;
using Kind = SendResult::Kind;

// gRPC libraries answer an oversized message with RESOURCE_EXHAUSTED and a text such as "received
// message larger than max (5000000 vs. 4194304)" (Go, C++); the number behind "vs." is what they
// take. A weir names that number alone: "received message larger than max (4194304 bytes)".
bool SaysTooLarge(std::string_view message) {
  return message.find("larger than max") != std::string_view::npos ||
         message.find("exceeds maximum size") != std::string_view::npos;
}

std::size_t StatedLimit(std::string_view message) {
  std::size_t limit = 0;
  for (const std::string_view before : {"vs. ", "larger than max ("}) {
    const std::size_t place = message.find(before);
    if (place != std::string_view::npos) {
      std::from_chars(message.data() + place + before.size(), message.data() + message.size(),
                      limit);
      break;
    }
  }
  return limit;
}

Kind KindOf(const net::GrpcResponse& response, bool has_retry_info) {
  switch (response.code) {
    case GrpcCode::kOk:
      return Kind::kDelivered;
    case GrpcCode::kCancelled:
    case GrpcCode::kDeadlineExceeded:
    case GrpcCode::kAborted:
    case GrpcCode::kOutOfRange:
    case GrpcCode::kUnavailable:
    case GrpcCode::kDataLoss:
      return Kind::kRetry;
    case GrpcCode::kResourceExhausted:
      if (has_retry_info) {
        return Kind::kRetry;
      }
      return SaysTooLarge(response.message) ? Kind::kTooLarge : Kind::kRefused;
    case GrpcCode::kInvalidArgument:
    case GrpcCode::kInternal:
    case GrpcCode::kUnknown:
      return Kind::kMalformed;  // Perhaps one request of the batch is at fault.
    default:
      return Kind::kRefused;
  }
}

}  // namespace

SendResult ResultOf(Signal signal, const net::GrpcResponse& response) {
  SendResult result;
  if (response.code == GrpcCode::kOk) {
    const auto partial =
        wire::DecodeExportResponse(signal, response.body, wire::BodyFormat::kProtobuf);
    if (partial.has_value()) {
      result.items_rejected =
          static_cast<std::uint64_t>(std::max<std::int64_t>(0, partial->rejected_items));
      result.message = partial->message;
    }
    return result;
  }
  std::optional<std::chrono::nanoseconds> retry_delay;
  if (!response.status_details.empty()) {
    const auto status = wire::DecodeRpcStatus(response.status_details, wire::BodyFormat::kProtobuf);
    retry_delay = status.has_value() ? status->retry_delay : std::nullopt;
  }
  result.kind = KindOf(response, retry_delay.has_value());
  if (retry_delay.has_value()) {
    result.retry_after = std::chrono::ceil<std::chrono::milliseconds>(*retry_delay);
  }
  if (result.kind == Kind::kTooLarge) {
    result.bytes_max = StatedLimit(response.message);
  }
  result.message = fmt::format("{}: {}", net::GrpcCodeName(response.code), response.message);
  return result;
}

}  // namespace weir::exporters::otlp

#include "exporters/otlphttp/result.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "fmt/format.h"
#include "net/retry_after.h"
#include "weir/wire/status_codec.h"

namespace weir::exporters::otlphttp {
namespace {

using Kind = SendResult::Kind;

std::optional<wire::BodyFormat> FormatOf(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return type == "application/x-protobuf" ? std::optional(wire::BodyFormat::kProtobuf)
         : type == "application/json"     ? std::optional(wire::BodyFormat::kJson)
                                          : std::nullopt;
}

Kind KindOf(int status) {
  switch (status) {
    case 429:
    case 502:
    case 503:
    case 504:
      return Kind::kRetry;
    case 413:
      return Kind::kTooLarge;
    case 400:
    case 422:
    case 500:
      return Kind::kMalformed;  // Perhaps one request of the batch is at fault.
    default:
      return Kind::kRefused;
  }
}

SendResult Delivered(Signal signal, const net::HttpClientResponse& response) {
  SendResult result;
  // A body in another format, or one we cannot read, says nothing against the status.
  if (const auto format = FormatOf(response.header("content-type"))) {
    if (const auto partial = wire::DecodeExportResponse(signal, response.body, *format)) {
      result.items_rejected =
          static_cast<std::uint64_t>(std::max<std::int64_t>(0, partial->rejected_items));
      result.message = partial->message;
    }
  }
  return result;
}

}  // namespace

SendResult ResultOf(Signal signal, const net::HttpClientResponse& response,
                    std::chrono::system_clock::time_point now) {
  using Failure = net::HttpClientResponse::Failure;
  if (response.failure != Failure::kNone) {
    return {.kind = response.failure == Failure::kInvalid ? Kind::kRefused : Kind::kRetry,
            .message = response.error};
  }
  if (response.status >= 200 && response.status < 300) {
    return Delivered(signal, response);
  }
  SendResult result{.kind = KindOf(response.status)};
  if (result.kind == Kind::kRetry) {
    result.retry_after = net::ParseRetryAfter(response.header("retry-after"), now);
  }
  std::optional<wire::RpcStatus> status;
  if (const auto format = FormatOf(response.header("content-type"))) {
    status = wire::DecodeRpcStatus(response.body, *format);
  }
  result.message = status.has_value() && !status->message.empty()
                       ? fmt::format("HTTP status {}: {}", response.status, status->message)
                       : fmt::format("HTTP status {}", response.status);
  return result;
}

}  // namespace weir::exporters::otlphttp

// The bodies an OTLP server answers with, to bytes and back: Export*ServiceResponse with its
// partial success, and google.rpc.Status with the RetryInfo that asks a client to wait.
//
// Threads: pure functions.
// Invariants: what a decoder does not know (other details, unknown fields) it passes over; what is
// not legal in its format is nullopt.

#ifndef WEIR_WIRE_STATUS_CODEC_H_
#define WEIR_WIRE_STATUS_CODEC_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/wire/signal.h"

namespace weir::wire {

enum class BodyFormat : std::uint8_t { kProtobuf, kJson };

// All accepted where both are empty; a message beside zero rejected items is a warning.
struct ExportResponse {
  std::int64_t rejected_items = 0;
  std::string message;

  bool operator==(const ExportResponse&) const = default;
};

// All accepted is an empty message, as the specification demands: "" or "{}".
std::string EncodeExportResponse(Signal signal, const ExportResponse& response, BodyFormat format);
std::optional<ExportResponse> DecodeExportResponse(Signal signal, std::string_view body,
                                                   BodyFormat format);

struct RpcStatus {
  std::int32_t code = 0;  // Of google.rpc.Code, the codes of gRPC.
  std::string message;
  std::optional<std::chrono::nanoseconds> retry_delay;  // nullopt: no RetryInfo.

  bool operator==(const RpcStatus&) const = default;
};

// The protobuf form is also what goes into the trailer grpc-status-details-bin (before base64).
std::string EncodeRpcStatus(const RpcStatus& status, BodyFormat format);
std::optional<RpcStatus> DecodeRpcStatus(std::string_view body, BodyFormat format);

}  // namespace weir::wire

#endif  // WEIR_WIRE_STATUS_CODEC_H_

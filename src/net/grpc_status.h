// The answer of a gRPC call, and the text forms its parts take in trailers.
//
// Threads: pure values and functions.

#ifndef WEIR_NET_GRPC_STATUS_H_
#define WEIR_NET_GRPC_STATUS_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::net {

enum class GrpcCode : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

struct GrpcStatus {
  GrpcCode code = GrpcCode::kOk;
  std::string message;
  // A serialized google.rpc.Status, sent as grpc-status-details-bin; empty sends none.
  std::string details;
};

// `status` with a google.rpc.RetryInfo that asks to wait `delay`, which is how a server tells an
// OTLP client that the same request may succeed later.
GrpcStatus WithRetryInfo(GrpcStatus status, std::chrono::milliseconds delay);

// A message as grpc-message carries it: percent-encoded outside of printable ASCII.
std::string EncodeGrpcMessage(std::string_view message);

// Base64 without padding, as -bin fields carry bytes.
std::string EncodeBase64(std::string_view bytes);

}  // namespace weir::net

#endif  // WEIR_NET_GRPC_STATUS_H_

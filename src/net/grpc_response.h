// What a gRPC server answers to a unary call: status, message and details, read from the headers,
// data and trailers of one HTTP/2 stream.
//
// Threads: plain values; a reader belongs to its stream.
// Invariants: a reader keeps at most kHeaderBytesMax of headers and `message_bytes_max` of body.

#ifndef WEIR_NET_GRPC_RESPONSE_H_
#define WEIR_NET_GRPC_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/grpc_status.h"

namespace weir::net {

std::string_view GrpcCodeName(GrpcCode code);  // "RESOURCE_EXHAUSTED".

struct GrpcResponse {
  GrpcCode code = GrpcCode::kUnknown;
  std::string message;
  std::string body;            // The response message, decompressed; with kOk only.
  std::string status_details;  // A serialized google.rpc.Status, or empty.
  bool from_peer = false;      // The server said so; otherwise we did.
};

// "a%20b" to "a b"; a broken escape stays as it is.
std::string PercentDecode(std::string_view text);
// With or without padding, both alphabets; nullopt when it is none.
std::optional<std::string> Base64Decode(std::string_view text);
// The code that stands for an HTTP status where a server sent no gRPC status.
GrpcCode CodeFromHttpStatus(int status);
// The code that stands for an HTTP/2 error a stream was reset with.
GrpcCode CodeFromHttp2Error(std::uint32_t error);

class GrpcResponseReader {
 public:
  static constexpr std::size_t kHeaderBytesMax = 65536;

  explicit GrpcResponseReader(std::size_t message_bytes_max)
      : message_bytes_max_(message_bytes_max) {}

  // False once a limit is passed: the stream is to be reset; Finish says why.
  [[nodiscard]] bool OnHeader(std::string_view name, std::string_view value);
  [[nodiscard]] bool OnData(std::string_view bytes);

  bool has_status() const { return grpc_status_.has_value(); }
  // The answer as it stands: after the end of the stream or a failed limit.
  GrpcResponse Finish() const;
  void Reset();  // For another try.

 private:
  GrpcResponse FinishBody() const;

  const std::size_t message_bytes_max_;
  std::size_t header_bytes_ = 0;
  int http_status_ = 0;
  std::optional<std::uint32_t> grpc_status_;
  std::string content_type_;
  std::string encoding_;
  std::string message_;
  std::string details_;
  std::string body_;  // With the five bytes in front.
  std::string failure_;
};

}  // namespace weir::net

#endif  // WEIR_NET_GRPC_RESPONSE_H_

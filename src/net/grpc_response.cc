#include "net/grpc_response.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <charconv>
#include <utility>

#include "fmt/format.h"
#include "net/compression.h"

namespace weir::net {
namespace {

constexpr std::size_t kPrefixBytes = 5;

int HexDigit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

int Base64Digit(char c) {
  return c >= 'A' && c <= 'Z'   ? c - 'A'
         : c >= 'a' && c <= 'z' ? c - 'a' + 26
         : c >= '0' && c <= '9' ? c - '0' + 52
         : c == '+' || c == '-' ? 62
         : c == '/' || c == '_' ? 63
                                : -1;
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

std::size_t StatedLength(std::string_view body) {
  std::size_t length = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) {
    length = length << 8 | static_cast<unsigned char>(body[i]);
  }
  return length;
}

}  // namespace

std::string_view GrpcCodeName(GrpcCode code) {
  constexpr std::array<std::string_view, 17> kNames = {"OK",
                                                       "CANCELLED",
                                                       "UNKNOWN",
                                                       "INVALID_ARGUMENT",
                                                       "DEADLINE_EXCEEDED",
                                                       "NOT_FOUND",
                                                       "ALREADY_EXISTS",
                                                       "PERMISSION_DENIED",
                                                       "RESOURCE_EXHAUSTED",
                                                       "FAILED_PRECONDITION",
                                                       "ABORTED",
                                                       "OUT_OF_RANGE",
                                                       "UNIMPLEMENTED",
                                                       "INTERNAL",
                                                       "UNAVAILABLE",
                                                       "DATA_LOSS",
                                                       "UNAUTHENTICATED"};
  return kNames[static_cast<std::size_t>(code)];
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
        HexDigit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::optional<std::string> Base64Decode(std::string_view text) {
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  std::string decoded;
  decoded.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = Base64Digit(c);
    if (digit < 0) {
      return std::nullopt;
    }
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      decoded += static_cast<char>(bits >> count);
    }
  }
  return count < 6 ? std::optional(std::move(decoded)) : std::nullopt;
}

GrpcCode CodeFromHttpStatus(int status) {
  switch (status) {
    case 400:
      return GrpcCode::kInternal;
    case 401:
      return GrpcCode::kUnauthenticated;
    case 403:
      return GrpcCode::kPermissionDenied;
    case 404:
      return GrpcCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcCode::kUnavailable;
    default:
      return GrpcCode::kUnknown;
  }
}

GrpcCode CodeFromHttp2Error(std::uint32_t error) {
  switch (error) {
    case NGHTTP2_REFUSED_STREAM:
      return GrpcCode::kUnavailable;
    case NGHTTP2_CANCEL:
      return GrpcCode::kCancelled;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return GrpcCode::kResourceExhausted;
    case NGHTTP2_INADEQUATE_SECURITY:
      return GrpcCode::kPermissionDenied;
    default:
      return GrpcCode::kInternal;
  }
}

bool GrpcResponseReader::OnHeader(std::string_view name, std::string_view value) {
  header_bytes_ += name.size() + value.size() + 32;  // As HTTP/2 counts a header list.
  if (header_bytes_ > kHeaderBytesMax) {
    failure_ = fmt::format("response headers are larger than {} bytes", kHeaderBytesMax);
    return false;
  }
  if (name == ":status") {
    http_status_ = ParseNumber<int>(value).value_or(0);
  } else if (name == "grpc-status") {
    // An unknown code is a status all the same; Finish calls it unknown.
    grpc_status_ =
        ParseNumber<std::uint32_t>(value).value_or(static_cast<std::uint32_t>(GrpcCode::kUnknown));
  } else if (name == "grpc-message") {
    message_ = PercentDecode(value);
  } else if (name == "grpc-status-details-bin") {
    details_ = Base64Decode(value).value_or("");
  } else if (name == "grpc-encoding") {
    encoding_ = value;
  } else if (name == "content-type") {
    content_type_ = value;
  }
  return true;
}

bool GrpcResponseReader::OnData(std::string_view bytes) {
  // What isn't gRPC is an error page: its text isn't kept.
  if (http_status_ != 200 || !content_type_.starts_with("application/grpc")) {
    return true;
  }
  if (bytes.size() > message_bytes_max_ + kPrefixBytes - body_.size()) {
    failure_ = fmt::format("response is larger than {} bytes", message_bytes_max_);
    return false;
  }
  body_ += bytes;
  return true;
}

GrpcResponse GrpcResponseReader::FinishBody() const {
  GrpcResponse response{.code = GrpcCode::kOk, .from_peer = true};
  // A server that says OK and nothing else has taken the request; there is nothing to complain of.
  if (body_.empty()) {
    return response;
  }
  const auto broken = [](std::string why) {
    return GrpcResponse{.code = GrpcCode::kInternal, .message = std::move(why)};
  };
  if (body_.size() < kPrefixBytes || StatedLength(body_) != body_.size() - kPrefixBytes) {
    return broken("the response is no single gRPC message");
  }
  const std::string_view message = std::string_view(body_).substr(kPrefixBytes);
  if (body_[0] == 0) {
    response.body = message;
    return response;
  }
  const std::optional<Compression> compression = ParseCompression(encoding_);
  if (!compression.has_value() || *compression == Compression::kNone) {
    return broken(fmt::format("the response is compressed by \"{}\"", encoding_));
  }
  const Slice packed = Slice::Copy(message);
  const Decompressed unpacked = Decompress(*compression, {&packed, 1}, message_bytes_max_);
  if (!unpacked.ok()) {
    return broken(
        fmt::format("the response can't be decompressed: {}", DecompressFaultName(unpacked.fault)));
  }
  response.body = unpacked.bytes.view();
  return response;
}

GrpcResponse GrpcResponseReader::Finish() const {
  if (!failure_.empty()) {
    return {.code = GrpcCode::kResourceExhausted, .message = failure_};
  }
  if (!grpc_status_.has_value()) {
    if (http_status_ == 200 && content_type_.starts_with("application/grpc")) {
      return {.code = GrpcCode::kInternal, .message = "the server ended the call without a status"};
    }
    return {.code = CodeFromHttpStatus(http_status_),
            .message = fmt::format("the server answered with HTTP status {}, content type \"{}\"",
                                   http_status_, content_type_)};
  }
  if (*grpc_status_ == 0) {
    return FinishBody();
  }
  const bool known = *grpc_status_ <= static_cast<std::uint32_t>(GrpcCode::kUnauthenticated);
  return {.code = known ? static_cast<GrpcCode>(*grpc_status_) : GrpcCode::kUnknown,
          .message = message_,
          .body = "",
          .status_details = details_,
          .from_peer = true};
}

void GrpcResponseReader::Reset() {
  header_bytes_ = 0;
  http_status_ = 0;
  grpc_status_.reset();
  content_type_.clear();
  encoding_.clear();
  message_.clear();
  details_.clear();
  body_.clear();
  failure_.clear();
}

}  // namespace weir::net

#include "net/grpc_status.h"

namespace weir::net {
namespace {

void AppendVarint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void AppendBytesField(std::string& out, std::uint32_t number, std::string_view bytes) {
  AppendVarint(out, number << 3 | 2);
  AppendVarint(out, bytes.size());
  out.append(bytes);
}

void AppendIntegerField(std::string& out, std::uint32_t number, std::uint64_t value) {
  if (value != 0) {
    AppendVarint(out, number << 3);
    AppendVarint(out, value);
  }
}

}  // namespace

GrpcStatus WithRetryInfo(GrpcStatus status, std::chrono::milliseconds delay) {
  const auto delay_ms = static_cast<std::uint64_t>(delay.count() < 0 ? 0 : delay.count());
  std::string duration;  // google.protobuf.Duration
  AppendIntegerField(duration, 1, delay_ms / 1000);
  AppendIntegerField(duration, 2, delay_ms % 1000 * 1'000'000);
  std::string retry_info;
  AppendBytesField(retry_info, 1, duration);
  std::string any;
  AppendBytesField(any, 1, "type.googleapis.com/google.rpc.RetryInfo");
  AppendBytesField(any, 2, retry_info);

  status.details.clear();
  AppendIntegerField(status.details, 1, static_cast<std::uint64_t>(status.code));
  AppendBytesField(status.details, 2, status.message);
  AppendBytesField(status.details, 3, any);
  return status;
}

std::string EncodeGrpcMessage(std::string_view message) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(message.size());
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

std::string EncodeBase64(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k <= count; ++k) {
      out.push_back(kAlphabet[group >> (18 - 6 * k) & 63]);
    }
  }
  return out;
}

}  // namespace weir::net

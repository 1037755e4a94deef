// The fixed parts of HTTP/2's wire format (RFC 9113).
//
//   frame   := length:24 type:8 flags:8 reserved:1 stream:31 payload[length]
//   preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
//
// Threads: pure functions.

#ifndef WEIR_NET_HTTP2_FRAME_H_
#define WEIR_NET_HTTP2_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::net::http2 {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline constexpr std::size_t kFrameHeadBytes = 9;
inline constexpr std::int64_t kWindowMax = 0x7fffffff;
inline constexpr std::uint32_t kDefaultWindow = 65535;
inline constexpr std::uint32_t kDefaultFrameBytesMax = 16384;

enum FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

inline constexpr std::uint8_t kFlagEndStream = 0x1;
inline constexpr std::uint8_t kFlagAck = 0x1;
inline constexpr std::uint8_t kFlagEndHeaders = 0x4;
inline constexpr std::uint8_t kFlagPadded = 0x8;
inline constexpr std::uint8_t kFlagPriority = 0x20;

enum SettingId : std::uint16_t {
  kHeaderTableSize = 1,
  kEnablePush = 2,
  kMaxConcurrentStreams = 3,
  kInitialWindowSize = 4,
  kMaxFrameSize = 5,
  kMaxHeaderListSize = 6,
};

enum class ErrorCode : std::uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kFlowControlError = 3,
  kSettingsTimeout = 4,
  kStreamClosed = 5,
  kFrameSizeError = 6,
  kRefusedStream = 7,
  kCancel = 8,
  kCompressionError = 9,
  kEnhanceYourCalm = 11,
};

struct FrameHead {
  std::uint32_t length = 0;
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
};

inline std::uint32_t ReadU32(const char* at) {
  const auto* b = reinterpret_cast<const unsigned char*>(at);
  return static_cast<std::uint32_t>(b[0]) << 24 | static_cast<std::uint32_t>(b[1]) << 16 |
         static_cast<std::uint32_t>(b[2]) << 8 | b[3];
}

inline void WriteU32(char* at, std::uint32_t value) {
  at[0] = static_cast<char>(value >> 24);
  at[1] = static_cast<char>(value >> 16);
  at[2] = static_cast<char>(value >> 8);
  at[3] = static_cast<char>(value);
}

inline FrameHead ReadFrameHead(const char* at) {
  return {.length = ReadU32(at) >> 8,
          .type = static_cast<std::uint8_t>(at[3]),
          .flags = static_cast<std::uint8_t>(at[4]),
          .stream = ReadU32(at + 5) & 0x7fffffff};
}

inline void WriteFrameHead(char* at, const FrameHead& head) {
  WriteU32(at, head.length << 8 | head.type);
  at[4] = static_cast<char>(head.flags);
  WriteU32(at + 5, head.stream);
}

inline void AppendFrameHead(std::string& out, const FrameHead& head) {
  char bytes[kFrameHeadBytes];
  WriteFrameHead(bytes, head);
  out.append(bytes, sizeof(bytes));
}

inline void AppendU32(std::string& out, std::uint32_t value) {
  char bytes[4];
  WriteU32(bytes, value);
  out.append(bytes, sizeof(bytes));
}

}  // namespace weir::net::http2

#endif  // WEIR_NET_HTTP2_FRAME_H_

// UTF-8 validity, as protobuf demands it of string fields: shortest form, no surrogates, up to
// U+10FFFF.
//
// Nearly all telemetry is ASCII, so that case is decided in line, sixteen bytes at a time.
//
// Threads: pure functions.

#ifndef WEIR_WIRE_UTF8_H_
#define WEIR_WIRE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::wire {

namespace internal {

inline std::uint64_t Load64(const char* p) {
  std::uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
inline std::uint32_t Load32(const char* p) {
  std::uint32_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

bool IsValidUtf8Slow(std::string_view bytes);

}  // namespace internal

// The last load of each width overlaps the one before it, so no byte outside `bytes` is read.
inline bool IsAscii(const char* p, std::size_t size) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  if (size >= 16) {
    std::uint64_t seen = internal::Load64(p + size - 16) | internal::Load64(p + size - 8);
    for (; size > 16; p += 16, size -= 16) {
      seen |= internal::Load64(p) | internal::Load64(p + 8);
    }
    return (seen & kHighBits) == 0;
  }
  if (size >= 8) {
    return ((internal::Load64(p) | internal::Load64(p + size - 8)) & kHighBits) == 0;
  }
  if (size >= 4) {
    return ((internal::Load32(p) | internal::Load32(p + size - 4)) & 0x80808080) == 0;
  }
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < size; ++i) {
    seen |= static_cast<std::uint8_t>(p[i]);
  }
  return seen < 0x80;
}

inline bool IsValidUtf8(std::string_view bytes) {
  return IsAscii(bytes.data(), bytes.size()) || internal::IsValidUtf8Slow(bytes);
}

// The length of the UTF-8 sequence that `text` begins with; 0 when there is none, or no text.
std::size_t Utf8SequenceLength(std::string_view text);

}  // namespace weir::wire

#endif  // WEIR_WIRE_UTF8_H_

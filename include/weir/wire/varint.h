// The primitives of protobuf's wire format: varints, tags, lengths, and skipping a field.
//
// Every reader takes [p, end) and returns where the next byte is, or null when the bytes are cut
// short or are not legal protobuf. The limits are those of protobuf's own C++ parser, so that what
// it accepts is accepted here: a varint has up to ten bytes (overlong ones included), a tag and a
// length up to five, a length is under 2 GiB, and messages and groups nest 100 deep.
//
// Threads: pure functions.
// Invariants: no byte at or past `end` is read; a returned position never passes `end`.

#ifndef WEIR_WIRE_VARINT_H_
#define WEIR_WIRE_VARINT_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace weir::wire {

enum class WireType : std::uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kLength = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};

inline constexpr int kVarintBytesMax = 10;
inline constexpr int kTagBytesMax = 5;
inline constexpr int kLengthBytesMax = 5;
inline constexpr int kNestingMax = 100;
// protobuf keeps sixteen bytes of room under 2 GiB for its own buffering.
inline constexpr std::uint32_t kLengthMax = std::numeric_limits<std::int32_t>::max() - 16;

constexpr std::uint32_t MakeTag(std::uint32_t field, WireType type) {
  return field << 3 | static_cast<std::uint32_t>(type);
}
constexpr std::uint32_t TagField(std::uint32_t tag) { return tag >> 3; }
// May be a value no enumerator has (6, 7), which is not legal protobuf.
constexpr WireType TagType(std::uint32_t tag) { return static_cast<WireType>(tag & 7); }

// A value read and the position behind it; two registers. `next` is null on failure.
struct Varint64 {
  const char* next;
  std::uint64_t value;
};
struct Varint32 {
  const char* next;
  std::uint32_t value;
};

namespace internal {

// Bytes `first` and on of a varint whose lower bits are in `value`.
inline Varint64 ReadVarintTail(const char* p, const char* end, std::uint64_t value, int first,
                               int bytes_max) {
  for (int i = first; i < bytes_max; ++i) {
    if (p == end) {
      return {nullptr, 0};
    }
    const auto byte = static_cast<std::uint8_t>(*p++);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      return {p, value};
    }
  }
  return {nullptr, 0};
}

}  // namespace internal

inline Varint64 ReadVarint(const char* p, const char* end) {
  if (p == end) [[unlikely]] {
    return {nullptr, 0};
  }
  const auto first = static_cast<std::uint8_t>(*p);
  if (first < 0x80) [[likely]] {
    return {p + 1, first};
  }
  return internal::ReadVarintTail(p + 1, end, first & 0x7f, 1, kVarintBytesMax);
}

// Bits past the 32nd of a five-byte tag are dropped, as protobuf does. A tag of field 0 is returned
// like any other; whoever handles unknown fields refuses it (SkipField does).
inline Varint32 ReadTag(const char* p, const char* end) {
  if (p == end) [[unlikely]] {
    return {nullptr, 0};
  }
  const auto first = static_cast<std::uint8_t>(*p);
  if (first < 0x80) [[likely]] {
    return {p + 1, first};
  }
  const Varint64 tail = internal::ReadVarintTail(p + 1, end, first & 0x7f, 1, kTagBytesMax);
  return {tail.next, static_cast<std::uint32_t>(tail.value)};
}

// The length of a length-delimited field whose bytes begin at `next`. Fails when they would pass
// `end`, so [next, next + value) may be used unchecked.
inline Varint32 ReadLength(const char* p, const char* end) {
  if (p == end) [[unlikely]] {
    return {nullptr, 0};
  }
  const auto first = static_cast<std::uint8_t>(*p);
  Varint64 length{p + 1, first};
  if (first < 0x80) [[likely]] {
    // Nothing more to read.
  } else if (end - p > 1 && p[1] >= 0) {
    // Two bytes: what most spans and log records take.
    length = {p + 2, (first & 0x7fU) | static_cast<std::uint64_t>(p[1]) << 7};
  } else {
    length = internal::ReadVarintTail(p + 1, end, first & 0x7f, 1, kLengthBytesMax);
    if (length.next == nullptr || length.value > kLengthMax) {
      return {nullptr, 0};
    }
  }
  if (length.value > static_cast<std::uint64_t>(end - length.next)) [[unlikely]] {
    return {nullptr, 0};
  }
  return {length.next, static_cast<std::uint32_t>(length.value)};
}

// Skips the value of the field whose `tag` ends at `p`: unknown fields and groups alike.
// `nesting_left` is how many levels of groups may still open.
inline const char* SkipField(const char* p, const char* end, std::uint32_t tag,
                             int nesting_left = kNestingMax) {
  if (TagField(tag) == 0) {
    return nullptr;
  }
  switch (TagType(tag)) {
    case WireType::kVarint:
      return ReadVarint(p, end).next;
    case WireType::kFixed64:
      return end - p < 8 ? nullptr : p + 8;
    case WireType::kFixed32:
      return end - p < 4 ? nullptr : p + 4;
    case WireType::kLength: {
      const Varint32 length = ReadLength(p, end);
      return length.next == nullptr ? nullptr : length.next + length.value;
    }
    case WireType::kStartGroup: {
      if (nesting_left <= 0) {
        return nullptr;
      }
      while (true) {
        const Varint32 inner = ReadTag(p, end);
        if (inner.next == nullptr) {
          return nullptr;
        }
        if (TagType(inner.value) == WireType::kEndGroup) {
          return inner.value == tag + 1 ? inner.next : nullptr;
        }
        p = SkipField(inner.next, end, inner.value, nesting_left - 1);
        if (p == nullptr) {
          return nullptr;
        }
      }
    }
    case WireType::kEndGroup:
      break;
  }
  return nullptr;
}

// Reads a fixed-width little-endian value. REQUIRES: end - p is at least its width.
inline std::uint64_t LoadFixed64(const char* p) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
inline std::uint32_t LoadFixed32(const char* p) {
  std::uint32_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

// How many bytes WriteVarint writes.
constexpr std::size_t VarintSize(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Each writer returns the position behind what it wrote.
// REQUIRES: room for VarintSize(value) bytes.
inline char* WriteVarint(char* out, std::uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

// Writes exactly `width` bytes: how a length is reserved before it is known, and patched after.
// REQUIRES: VarintSize(value) <= width <= kVarintBytesMax, and room for it.
inline char* WritePaddedVarint(char* out, std::uint64_t value, int width) {
  for (int i = 1; i < width; ++i) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value & 0x7f);
  return out;
}

inline char* WriteFixed64(char* out, std::uint64_t value) {
  std::memcpy(out, &value, sizeof value);
  return out + sizeof value;
}
inline char* WriteFixed32(char* out, std::uint32_t value) {
  std::memcpy(out, &value, sizeof value);
  return out + sizeof value;
}

}  // namespace weir::wire

#endif  // WEIR_WIRE_VARINT_H_

#include "net/body_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace weir::net {
namespace {

// First allocation of a body whose length is unknown.
constexpr std::size_t kGrowingBytesMin = 16 * 1024;
constexpr std::size_t kPrefixBytes = 5;

}  // namespace

void BodyReader::StartKnown(std::uint64_t length, std::size_t bytes_max) {
  kind_ = Kind::kKnown;
  bytes_max_ = bytes_max;
  // A length past the limit stays past it, whatever std::size_t holds.
  size_ = static_cast<std::size_t>(std::min<std::uint64_t>(length, SIZE_MAX));
}

void BodyReader::StartUnknown(std::size_t bytes_max) {
  kind_ = Kind::kUnknown;
  bytes_max_ = bytes_max;
}

void BodyReader::StartGrpc(std::size_t bytes_max) {
  kind_ = Kind::kGrpc;
  bytes_max_ = bytes_max;
}

BodyFault BodyReader::Append(std::span<const char> bytes, BodyShare& share) {
  if (bytes.empty()) {
    return BodyFault::kNone;
  }
  switch (kind_) {
    case Kind::kGrpc:
      return AppendGrpc(bytes, share);
    case Kind::kUnknown:
      return AppendGrowing(bytes, share);
    case Kind::kKnown:
      if (buffer_.capacity() == 0) {
        if (const BodyFault fault = Admit(size_, bytes.size(), share); fault != BodyFault::kNone) {
          return fault;
        }
      }
      return Copy(bytes);
    case Kind::kNone:
      break;
  }
  return BodyFault::kMalformed;
}

BodyFault BodyReader::AppendGrpc(std::span<const char> bytes, BodyShare& share) {
  if (prefix_size_ < kPrefixBytes) {
    const std::size_t count = std::min(bytes.size(), kPrefixBytes - prefix_size_);
    std::memcpy(prefix_ + prefix_size_, bytes.data(), count);
    prefix_size_ = static_cast<std::uint8_t>(prefix_size_ + count);
    bytes = bytes.subspan(count);
    if (prefix_size_ < kPrefixBytes) {
      return BodyFault::kNone;
    }
    if (prefix_[0] > 1) {
      return BodyFault::kMalformed;
    }
    size_ = static_cast<std::size_t>(prefix_[1]) << 24 |
            static_cast<std::size_t>(prefix_[2]) << 16 | static_cast<std::size_t>(prefix_[3]) << 8 |
            prefix_[4];
    if (const BodyFault fault = Admit(size_, bytes.size(), share); fault != BodyFault::kNone) {
      return fault;
    }
  }
  return Copy(bytes);
}

BodyFault BodyReader::Admit(std::size_t size, std::size_t at_hand, BodyShare& share) {
  if (size > bytes_max_) {
    return BodyFault::kTooLarge;
  }
  if (size == 0) {
    return BodyFault::kNone;
  }
  // What is all at hand is incomplete for no longer than the copy takes.
  if (at_hand < size) {
    if (!share.TryReserve(size)) {
      return BodyFault::kOverBudget;
    }
    reserved_ = size;
  }
  std::optional<MutableBuffer> buffer = MutableBuffer::TryAllocate(size, share.budget());
  if (!buffer.has_value()) {
    Settle(share);
    return BodyFault::kOverBudget;
  }
  buffer_ = *std::move(buffer);
  return BodyFault::kNone;
}

BodyFault BodyReader::Copy(std::span<const char> bytes) {
  if (bytes.size() > size_ - filled_) {
    return BodyFault::kMalformed;
  }
  if (!bytes.empty()) {
    std::memcpy(buffer_.data() + filled_, bytes.data(), bytes.size());
    filled_ += bytes.size();
  }
  return BodyFault::kNone;
}

BodyFault BodyReader::AppendGrowing(std::span<const char> bytes, BodyShare& share) {
  if (bytes.size() > bytes_max_ - filled_) {
    return BodyFault::kTooLarge;
  }
  const std::size_t needed = filled_ + bytes.size();
  if (needed > buffer_.capacity()) {
    const std::size_t capacity =
        std::min(bytes_max_, std::max({needed, 2 * buffer_.capacity(), kGrowingBytesMin}));
    if (!share.TryReserve(capacity)) {
      return BodyFault::kOverBudget;
    }
    std::optional<MutableBuffer> grown = MutableBuffer::TryAllocate(capacity, share.budget());
    if (!grown.has_value()) {
      share.Release(capacity);
      return BodyFault::kOverBudget;
    }
    if (filled_ != 0) {
      std::memcpy(grown->data(), buffer_.data(), filled_);
    }
    buffer_ = *std::move(grown);
    Settle(share);
    reserved_ = capacity;
  }
  size_ = needed;
  return Copy(bytes);
}

bool BodyReader::complete() const {
  return filled_ == size_ && (kind_ != Kind::kGrpc || prefix_size_ == kPrefixBytes);
}

void BodyReader::Settle(BodyShare& share) {
  if (reserved_ != 0) {
    share.Release(std::exchange(reserved_, 0));
  }
}

Slice BodyReader::Take(BodyShare& share) {
  WEIR_DCHECK(complete());
  Slice body = std::move(buffer_).Freeze(filled_);
  Clear(share);
  return body;
}

void BodyReader::Clear(BodyShare& share) {
  Settle(share);
  buffer_ = MutableBuffer();
  size_ = 0;
  filled_ = 0;
  kind_ = Kind::kNone;
  prefix_size_ = 0;
}

}  // namespace weir::net

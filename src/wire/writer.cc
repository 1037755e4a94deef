#include "weir/wire/writer.h"

#include <algorithm>

namespace weir::wire {
namespace {

// Tag and length of a field, at their longest.
constexpr std::size_t kHeadBytesMax = kTagBytesMax + kLengthBytesMax;

char* WriteTag(char* out, std::uint32_t field, WireType type) {
  return WriteVarint(out, MakeTag(field, type));
}

char* WriteBytes(char* out, std::string_view bytes) {
  if (!bytes.empty()) {
    std::memcpy(out, bytes.data(), bytes.size());
  }
  return out + bytes.size();
}

// A field of `bytes` inside a message whose field numbers are all under 16.
char* WriteShortField(char* out, std::uint32_t field, std::string_view bytes) {
  out = WriteTag(out, field, WireType::kLength);
  out = WriteVarint(out, bytes.size());
  return WriteBytes(out, bytes);
}

std::size_t ShortFieldSize(std::size_t bytes) { return 1 + VarintSize(bytes) + bytes; }

}  // namespace

Writer::Writer(std::size_t capacity, MemoryBudget* budget, std::size_t bytes_max)
    : budget_(budget),
      bytes_max_(std::min(bytes_max, kBytesMax)),
      buffer_(MutableBuffer::Allocate(std::max<std::size_t>(capacity, 64), budget)),
      begin_(buffer_.data()),
      capacity_(buffer_.capacity()) {}

void Writer::Grow(std::size_t bytes) {
  if (failed_ || bytes > bytes_max_ - std::min(size_, bytes_max_)) {
    // What follows goes nowhere: the buffer is reused from its start, and nothing of it is kept.
    failed_ = true;
    size_ = 0;
    if (bytes <= capacity_) {
      return;
    }
  }
  const std::size_t wanted = std::max(size_ + bytes, capacity_ + capacity_ / 2);
  MutableBuffer larger = MutableBuffer::Allocate(wanted, budget_);
  if (size_ > 0) {
    std::memcpy(larger.data(), begin_, size_);
  }
  buffer_ = std::move(larger);
  begin_ = buffer_.data();
  capacity_ = buffer_.capacity();
}

void Writer::Uint(std::uint32_t field, std::uint64_t value) {
  char* out = Room(kTagBytesMax + kVarintBytesMax);
  Advance(WriteVarint(WriteTag(out, field, WireType::kVarint), value));
}

void Writer::SignedInt(std::uint32_t field, std::int64_t value) {
  Uint(field, static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

void Writer::Fixed32(std::uint32_t field, std::uint32_t value) {
  char* out = Room(kTagBytesMax + sizeof value);
  Advance(WriteFixed32(WriteTag(out, field, WireType::kFixed32), value));
}

void Writer::Fixed64(std::uint32_t field, std::uint64_t value) {
  char* out = Room(kTagBytesMax + sizeof value);
  Advance(WriteFixed64(WriteTag(out, field, WireType::kFixed64), value));
}

void Writer::Bytes(std::uint32_t field, std::string_view value) {
  char* out = Room(kHeadBytesMax + value.size());
  out = WriteVarint(WriteTag(out, field, WireType::kLength), value.size());
  Advance(WriteBytes(out, value));
}

void Writer::Raw(std::string_view fields) { Advance(WriteBytes(Room(fields.size()), fields)); }

char* Writer::BeginAttribute(std::uint32_t field, std::string_view key, std::size_t value_bytes) {
  const std::size_t size = ShortFieldSize(key.size()) + ShortFieldSize(value_bytes);
  char* out = Room(kHeadBytesMax + size);
  out = WriteVarint(WriteTag(out, field, WireType::kLength), size);
  out = WriteShortField(out, otlp::kKeyValueKey, key);
  return WriteVarint(WriteTag(out, otlp::kKeyValueValue, WireType::kLength), value_bytes);
}

void Writer::StringAttribute(std::uint32_t field, std::string_view key, std::string_view value) {
  char* out = BeginAttribute(field, key, ShortFieldSize(value.size()));
  Advance(WriteShortField(out, otlp::kAnyString, value));
}

void Writer::BytesAttribute(std::uint32_t field, std::string_view key, std::string_view value) {
  char* out = BeginAttribute(field, key, ShortFieldSize(value.size()));
  Advance(WriteShortField(out, otlp::kAnyBytes, value));
}

void Writer::BoolAttribute(std::uint32_t field, std::string_view key, bool value) {
  char* out = BeginAttribute(field, key, 2);
  Advance(WriteVarint(WriteTag(out, otlp::kAnyBool, WireType::kVarint), value ? 1 : 0));
}

void Writer::IntAttribute(std::uint32_t field, std::string_view key, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  char* out = BeginAttribute(field, key, 1 + VarintSize(bits));
  Advance(WriteVarint(WriteTag(out, otlp::kAnyInt, WireType::kVarint), bits));
}

void Writer::DoubleAttribute(std::uint32_t field, std::string_view key, double value) {
  char* out = BeginAttribute(field, key, 1 + sizeof value);
  out = WriteTag(out, otlp::kAnyDouble, WireType::kFixed64);
  Advance(WriteFixed64(out, std::bit_cast<std::uint64_t>(value)));
}

void Writer::AnyAttribute(std::uint32_t field, std::string_view key, std::string_view any_value) {
  Advance(WriteBytes(BeginAttribute(field, key, any_value.size()), any_value));
}

Writer::Message Writer::OpenAttribute(std::uint32_t field, std::string_view key) {
  Message attribute = Open(field);
  String(otlp::kKeyValueKey, key);
  return attribute;
}

void Writer::StringValue(std::uint32_t field, std::string_view value) {
  const std::size_t size = ShortFieldSize(value.size());
  char* out = Room(kHeadBytesMax + size);
  out = WriteVarint(WriteTag(out, field, WireType::kLength), size);
  Advance(WriteShortField(out, otlp::kAnyString, value));
}

void Writer::BytesValue(std::uint32_t field, std::string_view value) {
  const std::size_t size = ShortFieldSize(value.size());
  char* out = Room(kHeadBytesMax + size);
  out = WriteVarint(WriteTag(out, field, WireType::kLength), size);
  Advance(WriteShortField(out, otlp::kAnyBytes, value));
}

void Writer::BoolValue(std::uint32_t field, bool value) {
  char* out = Room(kHeadBytesMax + 2);
  out = WriteVarint(WriteTag(out, field, WireType::kLength), 2);
  Advance(WriteVarint(WriteTag(out, otlp::kAnyBool, WireType::kVarint), value ? 1 : 0));
}

void Writer::IntValue(std::uint32_t field, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  char* out = Room(kHeadBytesMax + 1 + kVarintBytesMax);
  out = WriteVarint(WriteTag(out, field, WireType::kLength), 1 + VarintSize(bits));
  Advance(WriteVarint(WriteTag(out, otlp::kAnyInt, WireType::kVarint), bits));
}

void Writer::DoubleValue(std::uint32_t field, double value) {
  char* out = Room(kHeadBytesMax + 1 + sizeof value);
  out = WriteVarint(WriteTag(out, field, WireType::kLength), 1 + sizeof value);
  out = WriteTag(out, otlp::kAnyDouble, WireType::kFixed64);
  Advance(WriteFixed64(out, std::bit_cast<std::uint64_t>(value)));
}

std::size_t Writer::OpenAt(std::uint32_t field) {
  char* out = WriteTag(Room(kTagBytesMax + kLengthBytes), field, WireType::kLength);
  Advance(out + kLengthBytes);
  ++open_;
  return size_;
}

Writer::Message Writer::OpenPair(std::uint32_t field, std::uint32_t inner_field) {
  const std::size_t outer = OpenAt(field);
  return Message(this, outer, OpenAt(inner_field));
}

void Writer::CloseAt(std::size_t outer, std::size_t inner) {
  if (inner != kNone) {
    Patch(inner);
  }
  Patch(outer);
}

void Writer::Patch(std::size_t contents) {
  WEIR_DCHECK(open_ > 0);
  --open_;
  if (failed_) [[unlikely]] {
    return;
  }
  WEIR_DCHECK(contents <= size_);
  const std::size_t length = size_ - contents;
  char* const at = begin_ + contents - kLengthBytes;
  if (length < 0x80) {
    // A short message is cheaper to move than three bytes are to send.
    *at = static_cast<char>(length);
    std::memmove(at + 1, begin_ + contents, length);
    size_ -= kLengthBytes - 1;
    return;
  }
  WritePaddedVarint(at, length, kLengthBytes);
}

void Writer::Clear() {
  WEIR_CHECK(open_ == 0);
  size_ = 0;
  failed_ = false;
}

Slice Writer::Finish() && {
  WEIR_CHECK(open_ == 0);
  const std::size_t size = failed_ ? 0 : size_;
  Slice result =
      size < capacity_ / 2 ? Slice::Copy({begin_, size}, budget_) : std::move(buffer_).Freeze(size);
  if (buffer_.capacity() == 0) {
    begin_ = nullptr;
    capacity_ = 0;
  }
  size_ = 0;
  failed_ = false;
  return result;
}

}  // namespace weir::wire

// Writer encodes OTLP straight into a growing buffer: how every receiver of another protocol makes
// its batches, and how an edit makes the attributes it adds.
//
//   Writer writer(/*capacity=*/4096, &budget);
//   auto resource = writer.Open(otlp::kRequestResources);
//   {
//     auto scope = writer.Open(otlp::kResourceScopes);
//     auto span = writer.Open(otlp::kScopeItems);
//     writer.String(otlp::kSpanName, "GET /");
//     writer.StringAttribute(otlp::kSpanAttributes, "http.method", "GET");
//   }                                 // Messages close where their handle leaves its scope.
//   resource.Close();                 // Or when told to.
//   Slice request = std::move(writer).Finish();
//
// A message's length is not known when it is opened: four bytes are reserved and patched when it
// closes, as a padded varint, or as one byte where the message is short. Attributes and values of
// known size are written with exact lengths.
//
// Threads: one at a time.
// Ownership: the writer must outlive the handles it gave out.
// Loss: a request past its limit is refused whole: failed() turns true and Finish returns nothing,
// for the caller to count. Input a receiver has bounded never gets there.
// Invariants: messages close in the reverse order of their opening.

#ifndef WEIR_WIRE_WRITER_H_
#define WEIR_WIRE_WRITER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "weir/base/check.h"
#include "weir/base/slice.h"
#include "weir/wire/otlp.h"
#include "weir/wire/varint.h"

namespace weir::wire {

class Writer {
 public:
  // The most that four bytes of padded varint can say.
  static constexpr std::size_t kBytesMax = (std::size_t{1} << 28) - 1;

  // An open message. Moved-from and closed handles do nothing.
  class [[nodiscard]] Message {
   public:
    Message(Message&& other) noexcept
        : writer_(std::exchange(other.writer_, nullptr)),
          outer_(other.outer_),
          inner_(other.inner_) {}
    Message& operator=(Message&&) = delete;
    ~Message() { Close(); }

    void Close() {
      if (writer_ != nullptr) {
        std::exchange(writer_, nullptr)->CloseAt(outer_, inner_);
      }
    }

   private:
    friend class Writer;
    Message(Writer* writer, std::size_t outer, std::size_t inner)
        : writer_(writer), outer_(outer), inner_(inner) {}

    Writer* writer_;
    std::size_t outer_;  // Where the contents of the message begin.
    std::size_t inner_;  // The same for a message opened inside with it, or kNone.
  };

  // `bytes_max` is where the writer fails.
  explicit Writer(std::size_t capacity = 1024, MemoryBudget* budget = nullptr,
                  std::size_t bytes_max = kBytesMax);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // A nested message at `field`; what is written until it closes is its contents.
  Message Open(std::uint32_t field) { return Message(this, OpenAt(field), kNone); }

  void Uint(std::uint32_t field, std::uint64_t value);
  void Int(std::uint32_t field, std::int64_t value) {
    Uint(field, static_cast<std::uint64_t>(value));
  }
  void SignedInt(std::uint32_t field, std::int64_t value);  // sint32, sint64: zigzag.
  void Bool(std::uint32_t field, bool value) { Uint(field, value ? 1 : 0); }
  void Fixed32(std::uint32_t field, std::uint32_t value);
  void Fixed64(std::uint32_t field, std::uint64_t value);
  void Double(std::uint32_t field, double value) {
    Fixed64(field, std::bit_cast<std::uint64_t>(value));
  }
  // string, bytes, or a message already encoded.
  void Bytes(std::uint32_t field, std::string_view value);
  void String(std::uint32_t field, std::string_view value) { Bytes(field, value); }
  // Whole fields already encoded.
  void Raw(std::string_view fields);

  // A KeyValue at `field`.
  void StringAttribute(std::uint32_t field, std::string_view key, std::string_view value);
  void BoolAttribute(std::uint32_t field, std::string_view key, bool value);
  void IntAttribute(std::uint32_t field, std::string_view key, std::int64_t value);
  void DoubleAttribute(std::uint32_t field, std::string_view key, double value);
  void BytesAttribute(std::uint32_t field, std::string_view key, std::string_view value);
  // `any_value` is the encoded contents of an AnyValue; empty is the empty value.
  void AnyAttribute(std::uint32_t field, std::string_view key, std::string_view any_value);
  // A KeyValue with its key, open for one value at otlp::kKeyValueValue.
  Message OpenAttribute(std::uint32_t field, std::string_view key);

  // An AnyValue at `field`: the value of an open attribute, an element of an array, a log's body.
  void StringValue(std::uint32_t field, std::string_view value);
  void BoolValue(std::uint32_t field, bool value);
  void IntValue(std::uint32_t field, std::int64_t value);
  void DoubleValue(std::uint32_t field, double value);
  void BytesValue(std::uint32_t field, std::string_view value);
  void EmptyValue(std::uint32_t field) { Bytes(field, {}); }
  // Elements are values at otlp::kArrayValues.
  Message OpenArrayValue(std::uint32_t field) { return OpenPair(field, otlp::kAnyArray); }
  // Entries are attributes at otlp::kKvlistValues.
  Message OpenKvlistValue(std::uint32_t field) { return OpenPair(field, otlp::kAnyKvlist); }

  std::size_t size() const { return size_; }
  bool failed() const { return failed_; }
  // What is written so far; valid until the next write. REQUIRES: no message is open.
  std::string_view view() const { return {begin_, size_}; }
  // Forgets what is written and keeps the buffer. REQUIRES: no message is open.
  void Clear();
  // REQUIRES: no message is open. The writer is empty afterwards and may be used again.
  Slice Finish() &&;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  static constexpr std::size_t kLengthBytes = 4;

  // At least `bytes` of room at end(), or, once failed, a place where they do no harm.
  char* Room(std::size_t bytes) {
    if (bytes > capacity_ - size_) [[unlikely]] {
      Grow(bytes);
    }
    return begin_ + size_;
  }
  void Advance(const char* end) { size_ = static_cast<std::size_t>(end - begin_); }
  void Grow(std::size_t bytes);

  std::size_t OpenAt(std::uint32_t field);
  Message OpenPair(std::uint32_t field, std::uint32_t inner_field);
  void CloseAt(std::size_t outer, std::size_t inner);
  void Patch(std::size_t contents);
  // The head of a KeyValue whose AnyValue has `value_bytes` of contents, with room for those.
  char* BeginAttribute(std::uint32_t field, std::string_view key, std::size_t value_bytes);

  MemoryBudget* budget_;
  std::size_t bytes_max_;
  MutableBuffer buffer_;
  char* begin_ = nullptr;  // buffer_.data(), kept at hand.
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::uint32_t open_ = 0;
  bool failed_ = false;
};

}  // namespace weir::wire

#endif  // WEIR_WIRE_WRITER_H_

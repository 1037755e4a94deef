// JsonBuffer is growing memory that text or wire bytes are appended to and that is used again.
//
// Writers ask for room once for several small writes (Reserve, then cursor(), then Advance); a
// std::string would fill with zeros what is written over at once.
//
// Threads: one thread at a time.
// Ownership: views of the buffer end with the next Reserve, Append or Clear.

#ifndef WEIR_WIRE_JSON_BUFFER_H_
#define WEIR_WIRE_JSON_BUFFER_H_

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "weir/base/check.h"

namespace weir::wire {

class JsonBuffer {
 public:
  JsonBuffer() = default;
  JsonBuffer(JsonBuffer&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  JsonBuffer& operator=(JsonBuffer&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~JsonBuffer();

  std::string_view view() const { return {begin_, size_}; }
  char* data() { return begin_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }

  // Keeps the memory.
  void Clear() { size_ = 0; }
  // Gives memory back when more than `bytes` are held, so that one huge request does not stay
  // resident; clears.
  void ClearAndKeepAtMost(std::size_t bytes);
  // REQUIRES: size <= size().
  void Truncate(std::size_t size) {
    WEIR_DCHECK(size <= size_);
    size_ = size;
  }

  // Makes room for `bytes` more and returns where they go; the position moves with Advance.
  char* Reserve(std::size_t bytes) {
    if (capacity_ - size_ < bytes) [[unlikely]] {
      Grow(bytes);
    }
    return begin_ + size_;
  }
  // `end` is where the last write to what Reserve returned ended.
  void Advance(const char* end) {
    size_ = static_cast<std::size_t>(end - begin_);
    WEIR_DCHECK(size_ <= capacity_);
  }

  void Append(std::string_view text) {
    if (!text.empty()) {
      std::memcpy(Reserve(text.size()), text.data(), text.size());
      size_ += text.size();
    }
  }
  void Append(char c) {
    *Reserve(1) = c;
    ++size_;
  }

 private:
  void Grow(std::size_t bytes);

  char* begin_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace weir::wire

#endif  // WEIR_WIRE_JSON_BUFFER_H_

#include "weir/wire/json_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace weir::wire {

JsonBuffer::~JsonBuffer() { std::free(begin_); }

void JsonBuffer::ClearAndKeepAtMost(std::size_t bytes) {
  size_ = 0;
  if (capacity_ > bytes) {
    std::free(std::exchange(begin_, nullptr));
    capacity_ = 0;
  }
}

void JsonBuffer::Grow(std::size_t bytes) {
  // Half again rather than double: with realloc's help the peak stays near what is needed.
  const std::size_t capacity =
      std::max({capacity_ + capacity_ / 2, size_ + bytes, std::size_t{512}});
  void* memory = std::realloc(begin_, capacity);
  if (memory == nullptr) [[unlikely]] {
    throw std::bad_alloc();
  }
  begin_ = static_cast<char*>(memory);
  capacity_ = capacity;
}

}  // namespace weir::wire

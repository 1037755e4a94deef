// Slice is an immutable run of bytes with a shared owner; MutableBuffer is how one comes to be.
//
//   std::optional<MutableBuffer> buffer = MutableBuffer::TryAllocate(length, budget);   // a door
//   MutableBuffer buffer = MutableBuffer::Allocate(length, &budget);                    // inside
//   ... write buffer.data() ...
//   Slice slice = std::move(buffer).Freeze(written);
//
// Threads: distinct Slice objects may be used from distinct threads even when they share an owner;
// one Slice object needs outside synchronization. A MutableBuffer belongs to one thread.
// Ownership: the bytes and their budget charge live until the last Slice of them is gone.
// Invariants: the bytes of a Slice never change. The charge is the allocation, not the slice.

#ifndef WEIR_BASE_SLICE_H_
#define WEIR_BASE_SLICE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "weir/base/budget.h"
#include "weir/base/check.h"

namespace weir {

namespace internal {

// Header in front of the bytes of one allocation.
struct BufferHeader {
  std::atomic<std::uint32_t> references;
  std::size_t capacity;
  MemoryBudget* budget;  // Null when not charged; outlives every buffer.

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

BufferHeader* NewBuffer(std::size_t capacity, MemoryBudget* budget);  // Charge already made.
void DeleteBuffer(BufferHeader* header);

inline void Reference(BufferHeader* header) {
  if (header != nullptr) {
    header->references.fetch_add(1, std::memory_order_relaxed);  // The caller holds one already.
  }
}

inline void Unreference(BufferHeader* header) {
  // Release publishes our reads of the bytes; the acquire in the last owner orders its free after.
  if (header != nullptr && header->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    DeleteBuffer(header);
  }
}

}  // namespace internal

class Slice {
 public:
  Slice() = default;
  Slice(const Slice& other) : owner_(other.owner_), data_(other.data_), size_(other.size_) {
    internal::Reference(owner_);
  }
  Slice(Slice&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Slice& operator=(Slice other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Slice() { internal::Unreference(owner_); }

  static Slice Copy(std::string_view bytes, MemoryBudget* budget = nullptr);
  // For string literals and other bytes that outlive the process's data path.
  static Slice Static(std::string_view bytes) { return Slice(nullptr, bytes.data(), bytes.size()); }

  const char* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_, size_}; }

  // Shares the owner. REQUIRES: offset + length <= size().
  Slice Sub(std::size_t offset, std::size_t length) const {
    WEIR_DCHECK(offset <= size_ && length <= size_ - offset);
    internal::Reference(owner_);
    return Slice(owner_, data_ + offset, length);
  }

  // Bytes of the whole allocation this slice keeps alive; 0 for static bytes. A stage that keeps a
  // slice for long copies it when size() is under half of this.
  std::size_t allocated_bytes() const { return owner_ == nullptr ? 0 : owner_->capacity; }

 private:
  friend class MutableBuffer;
  // Takes over one reference to `owner`.
  Slice(internal::BufferHeader* owner, const char* data, std::size_t size)
      : owner_(owner), data_(data), size_(size) {}

  internal::BufferHeader* owner_ = nullptr;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

class MutableBuffer {
 public:
  MutableBuffer() = default;
  MutableBuffer(MutableBuffer&& other) noexcept : header_(std::exchange(other.header_, nullptr)) {}
  MutableBuffer& operator=(MutableBuffer&& other) noexcept {
    std::swap(header_, other.header_);
    return *this;
  }
  ~MutableBuffer() { internal::Unreference(header_); }

  // nullopt when the budget refuses.
  static std::optional<MutableBuffer> TryAllocate(std::size_t capacity, MemoryBudget& budget);
  // Draws on the reserve where a budget is given; never refuses.
  static MutableBuffer Allocate(std::size_t capacity, MemoryBudget* budget = nullptr);

  char* data() { return header_ == nullptr ? nullptr : header_->bytes(); }
  std::size_t capacity() const { return header_ == nullptr ? 0 : header_->capacity; }

  // REQUIRES: size <= capacity(). The buffer is empty afterwards.
  Slice Freeze(std::size_t size) && {
    WEIR_CHECK(size <= capacity());
    internal::BufferHeader* header = std::exchange(header_, nullptr);
    return header == nullptr ? Slice() : Slice(header, header->bytes(), size);
  }

 private:
  explicit MutableBuffer(internal::BufferHeader* header) : header_(header) {}

  internal::BufferHeader* header_ = nullptr;
};

}  // namespace weir

#endif  // WEIR_BASE_SLICE_H_

#include "weir/base/slice.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace weir {
namespace internal {

BufferHeader* NewBuffer(std::size_t capacity, MemoryBudget* budget) {
  void* memory = std::malloc(sizeof(BufferHeader) + capacity);
  if (memory == nullptr) [[unlikely]] {
    throw std::bad_alloc();
  }
  return ::new (memory) BufferHeader{.references = 1, .capacity = capacity, .budget = budget};
}

void DeleteBuffer(BufferHeader* header) {
  if (header->budget != nullptr) {
    header->budget->Release(header->capacity);
  }
  header->~BufferHeader();
  std::free(header);
}

}  // namespace internal

std::optional<MutableBuffer> MutableBuffer::TryAllocate(std::size_t capacity,
                                                        MemoryBudget& budget) {
  if (!budget.TryCharge(capacity)) {
    return std::nullopt;
  }
  return MutableBuffer(internal::NewBuffer(capacity, &budget));
}

MutableBuffer MutableBuffer::Allocate(std::size_t capacity, MemoryBudget* budget) {
  if (budget != nullptr) {
    budget->Charge(capacity);
  }
  return MutableBuffer(internal::NewBuffer(capacity, budget));
}

Slice Slice::Copy(std::string_view bytes, MemoryBudget* budget) {
  MutableBuffer buffer = MutableBuffer::Allocate(bytes.size(), budget);
  if (!bytes.empty()) {
    std::memcpy(buffer.data(), bytes.data(), bytes.size());
  }
  return std::move(buffer).Freeze(bytes.size());
}

}  // namespace weir

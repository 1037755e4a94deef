// Cells are the storage under counters: a table with a row for each thread and a column for each
// count. A thread adds to its own row with a plain load and store; reading sums a column.
//
// A row of one chunk is one page, so what a thread never writes is never resident, and the counts
// that one thread writes together lie together in its cache.
//
// Threads: CellRun is thread-safe and wait-free. CellPool locks; it is for start-up and reload.
// Ownership: the pool owns the memory; a CellRun is a view of it until freed.
// Invariants: row r < kRowsExclusive is written by at most one thread at any time; a thread that
// takes it over sees all that its predecessor wrote.

#ifndef WEIR_TELEMETRY_CELLS_H_
#define WEIR_TELEMETRY_CELLS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "weir/base/check.h"

namespace weir {

inline constexpr std::size_t kRowsExclusive = 24;
inline constexpr std::size_t kRows = 32;  // The last 8 are shared by the threads that come later.
inline constexpr std::size_t kRowCells = 512;  // 4 KiB: one page.

namespace internal {
inline constexpr std::uint32_t kRowNone = ~std::uint32_t{0};
inline constinit thread_local std::uint32_t thread_row = kRowNone;
std::uint32_t TakeThreadRow();

inline std::uint32_t ThreadRow() {
  const std::uint32_t row = thread_row;
  return row == kRowNone ? TakeThreadRow() : row;
}
}  // namespace internal

// A run of neighbouring columns.
class CellRun {
 public:
  CellRun() = default;
  CellRun(std::atomic<std::uint64_t>* first, std::size_t size) : first_(first), size_(size) {}

  // REQUIRES: column < size().
  void Add(std::size_t column, std::uint64_t count) {
    WEIR_DCHECK(column < size_);
    const std::uint32_t row = internal::ThreadRow();
    std::atomic<std::uint64_t>& cell = first_[row * kRowCells + column];
    // Relaxed: counts order nothing. An exclusive row has one writer, so it needs no atomic add.
    if (row < kRowsExclusive) [[likely]] {
      cell.store(cell.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    } else {
      cell.fetch_add(count, std::memory_order_relaxed);
    }
  }

  std::uint64_t Sum(std::size_t column) const {
    WEIR_DCHECK(column < size_);
    std::uint64_t sum = 0;
    for (std::size_t row = 0; row < kRows; ++row) {
      sum += first_[row * kRowCells + column].load(std::memory_order_relaxed);
    }
    return sum;
  }

  std::size_t size() const { return size_; }

 private:
  friend class CellPool;
  std::atomic<std::uint64_t>* first_ = nullptr;
  std::size_t size_ = 0;
};

class CellPool {
 public:
  CellPool() = default;
  ~CellPool();
  CellPool(const CellPool&) = delete;
  CellPool& operator=(const CellPool&) = delete;

  // All zero. REQUIRES: 1 <= size <= kRowCells.
  CellRun Allocate(std::size_t size);
  // REQUIRES: no thread uses `run` any more.
  void Free(CellRun run);

 private:
  std::mutex mutex_;  // Guards all below.
  std::vector<std::atomic<std::uint64_t>*> chunks_;
  std::size_t used_in_last_ = kRowCells;
  std::map<std::size_t, std::vector<std::atomic<std::uint64_t>*>> free_by_size_;
};

}  // namespace weir

#endif  // WEIR_TELEMETRY_CELLS_H_

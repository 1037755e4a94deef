#include "weir/telemetry/cells.h"

#include <sys/mman.h>

#include <bit>

namespace weir {

namespace {

static_assert(kRowCells * sizeof(std::uint64_t) == 4096, "a row is a page");
static_assert(kRowsExclusive < kRows && kRowsExclusive <= 32);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

constexpr std::size_t kChunkBytes = kRows * kRowCells * sizeof(std::uint64_t);

// Bit r is set while row r is lent. Acquire on taking and release on returning order the next
// owner's plain writes after the last owner's.
constinit std::atomic<std::uint32_t> rows_lent{0};
constinit std::atomic<std::uint32_t> rows_shared_next{0};

// Returns an exclusive row at thread exit. Counts made by later thread-local destructors go to a
// shared row.
struct RowLease {
  std::uint32_t row = internal::kRowNone;
  ~RowLease() {
    internal::thread_row = static_cast<std::uint32_t>(kRowsExclusive);
    if (row < kRowsExclusive) {
      rows_lent.fetch_and(~(std::uint32_t{1} << row), std::memory_order_release);
    }
  }
};

thread_local RowLease row_lease;

std::uint32_t FindRow() {
  constexpr std::uint32_t kAll = (std::uint64_t{1} << kRowsExclusive) - 1;
  std::uint32_t lent = rows_lent.load(std::memory_order_relaxed);
  while ((lent & kAll) != kAll) {
    const auto row = static_cast<std::uint32_t>(std::countr_one(lent));
    if (rows_lent.compare_exchange_weak(lent, lent | (std::uint32_t{1} << row),
                                        std::memory_order_acquire, std::memory_order_relaxed)) {
      return row;
    }
  }
  const std::uint32_t turn = rows_shared_next.fetch_add(1, std::memory_order_relaxed);
  return static_cast<std::uint32_t>(kRowsExclusive + turn % (kRows - kRowsExclusive));
}

}  // namespace

namespace internal {

std::uint32_t TakeThreadRow() {
  row_lease.row = FindRow();
  thread_row = row_lease.row;
  return thread_row;
}

}  // namespace internal

CellPool::~CellPool() {
  for (std::atomic<std::uint64_t>* chunk : chunks_) {
    munmap(chunk, kChunkBytes);
  }
}

CellRun CellPool::Allocate(std::size_t size) {
  WEIR_CHECK(size >= 1 && size <= kRowCells);
  const std::lock_guard lock(mutex_);
  std::vector<std::atomic<std::uint64_t>*>& free_runs = free_by_size_[size];
  if (!free_runs.empty()) {
    std::atomic<std::uint64_t>* first = free_runs.back();
    free_runs.pop_back();
    return {first, size};
  }
  if (kRowCells - used_in_last_ < size) {
    // Mapped, not allocated: pages of rows that no thread writes are never resident, and a fresh
    // mapping is zero, which is an atomic's value zero.
    void* chunk =
        mmap(nullptr, kChunkBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    WEIR_CHECK(chunk != MAP_FAILED);
    chunks_.push_back(static_cast<std::atomic<std::uint64_t>*>(chunk));
    used_in_last_ = 0;
  }
  std::atomic<std::uint64_t>* first = chunks_.back() + used_in_last_;
  used_in_last_ += size;
  return {first, size};
}

void CellPool::Free(CellRun run) {
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t column = 0; column < run.size_; ++column) {
      std::atomic<std::uint64_t>& cell = run.first_[row * kRowCells + column];
      // Reading first keeps an untouched page untouched.
      if (cell.load(std::memory_order_relaxed) != 0) {
        cell.store(0, std::memory_order_relaxed);
      }
    }
  }
  const std::lock_guard lock(mutex_);
  free_by_size_[run.size_].push_back(run.first_);
}

}  // namespace weir

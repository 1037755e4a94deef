// BodyReader gathers one request's body, or the one message of a unary gRPC call, into one buffer.
//
// Where the length is known (Content-Length, gRPC's prefix) there is one allocation, made when the
// first bytes come and the budget admits all of them; otherwise the buffer grows by doubling.
//
// IncompleteBytes is the account of what bodies that are still coming hold, process-wide: at most a
// quarter of the memory budget, so that clients that stall can never take it all. BodyShare is one
// connection's part of it, at most a quarter again, so that one client can't either.
//
// Threads: IncompleteBytes is thread-safe; the others belong to their connection's loop.
// Invariants: `reserved` bytes are in both accounts while, and only while, the body is incomplete.

#ifndef WEIR_NET_BODY_READER_H_
#define WEIR_NET_BODY_READER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/base/budget.h"
#include "weir/base/slice.h"

namespace weir::net {

class IncompleteBytes {
 public:
  explicit IncompleteBytes(MemoryBudget& budget) : budget_(budget) {}

  MemoryBudget& budget() { return budget_; }
  std::size_t limit() const { return budget_.limit() / 4; }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

  [[nodiscard]] bool TryReserve(std::size_t bytes) {
    const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (before > limit() || bytes > limit() - before) [[unlikely]] {
      used_.fetch_sub(bytes, std::memory_order_relaxed);
      return false;
    }
    return true;
  }
  void Release(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  MemoryBudget& budget_;
  std::atomic<std::size_t> used_{0};  // Relaxed: a count that orders nothing.
};

class BodyShare {
 public:
  explicit BodyShare(IncompleteBytes& all) : all_(all) {}

  MemoryBudget& budget() { return all_.budget(); }
  std::size_t used() const { return used_; }

  // One body is always admitted by the share, whatever its size; the account has the last word.
  [[nodiscard]] bool TryReserve(std::size_t bytes) {
    const std::size_t limit = all_.limit() / 4;
    if (used_ != 0 && (used_ >= limit || bytes > limit - used_)) {
      return false;
    }
    if (!all_.TryReserve(bytes)) {
      return false;
    }
    used_ += bytes;
    return true;
  }
  void Release(std::size_t bytes) {
    used_ -= bytes;
    all_.Release(bytes);
  }

 private:
  IncompleteBytes& all_;
  std::size_t used_ = 0;
};

enum class BodyFault : std::uint8_t {
  kNone,
  kTooLarge,         // Past the limit, as it came or decompressed.
  kOverBudget,       // No room now; the same request may succeed later.
  kMalformed,        // Not the length it declared, or not gRPC's framing.
  kBadCompression,   // Does not decompress.
  kUnknownEncoding,  // Compressed in a way we don't speak.
};

class BodyReader {
 public:
  // The body has `length` bytes.
  void StartKnown(std::uint64_t length, std::size_t bytes_max);
  // The body ends when it ends.
  void StartUnknown(std::size_t bytes_max);
  // The body is one length-prefixed message.
  void StartGrpc(std::size_t bytes_max);

  [[nodiscard]] BodyFault Append(std::span<const char> bytes, BodyShare& share);

  // Where the next bytes of the body may be put instead of appended; empty when there is no such
  // place. `Filled` says how many were.
  std::span<char> Target() {
    return kind_ == Kind::kUnknown || buffer_.capacity() == 0
               ? std::span<char>()
               : std::span<char>(buffer_.data() + filled_, size_ - filled_);
  }
  void Filled(std::size_t bytes) { filled_ += bytes; }

  // Whether the body may end here.
  bool complete() const;
  bool compressed() const { return kind_ == Kind::kGrpc && prefix_[0] != 0; }
  // Bytes that are still to come, as far as is known; 0 before gRPC's prefix has been read.
  std::size_t missing() const { return size_ - filled_; }
  bool unknown_length() const { return kind_ == Kind::kUnknown; }
  std::size_t bytes_max() const { return bytes_max_; }
  std::uint64_t received() const { return prefix_size_ + filled_; }

  // The body; leaves the reader empty. REQUIRES: complete().
  Slice Take(BodyShare& share);
  // Gives up what was gathered.
  void Clear(BodyShare& share);

 private:
  enum class Kind : std::uint8_t { kNone, kKnown, kUnknown, kGrpc };

  BodyFault AppendGrpc(std::span<const char> bytes, BodyShare& share);
  BodyFault AppendGrowing(std::span<const char> bytes, BodyShare& share);
  BodyFault Admit(std::size_t size, std::size_t at_hand, BodyShare& share);
  BodyFault Copy(std::span<const char> bytes);
  void Settle(BodyShare& share);

  MutableBuffer buffer_;
  std::size_t size_ = 0;  // Of the whole body; what is filled, while the length is unknown.
  std::size_t filled_ = 0;
  std::size_t reserved_ = 0;
  std::size_t bytes_max_ = 0;
  Kind kind_ = Kind::kNone;
  std::uint8_t prefix_size_ = 0;
  unsigned char prefix_[5] = {};
};

}  // namespace weir::net

#endif  // WEIR_NET_BODY_READER_H_

// What waits to be written to a socket: small bytes of our own and slices that are sent in place.
//
// Threads: one thread owns it.
// Ownership: slices are held until written. Small bytes are copied in.

#ifndef WEIR_NET_OUTPUT_QUEUE_H_
#define WEIR_NET_OUTPUT_QUEUE_H_

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "weir/base/slice.h"

namespace weir::net {

class OutputQueue {
 public:
  void AppendCopy(std::string_view bytes);
  void AppendSlice(Slice slice);

  std::size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

  // Fills `vectors` with what comes next; returns how many were used.
  std::size_t Gather(std::span<iovec> vectors) const;
  // The next up to `scratch.size()` bytes in one run, in place or copied into `scratch`.
  std::string_view Front(std::span<char> scratch) const;
  // REQUIRES: count <= bytes().
  void Consume(std::size_t count);
  void Clear();

 private:
  struct Segment {
    const char* data;
    std::size_t size;
    Slice owner;  // Empty for bytes in the arena.
  };
  static constexpr std::size_t kArenaBytes = 16384;

  std::size_t bytes_ = 0;
  std::vector<Segment> segments_;
  std::size_t head_ = 0;  // The first segment that isn't written.
  // Frame headers and control frames; starts over whenever the queue runs empty.
  std::unique_ptr<std::array<char, kArenaBytes>> arena_;
  std::size_t arena_used_ = 0;
};

}  // namespace weir::net

#endif  // WEIR_NET_OUTPUT_QUEUE_H_

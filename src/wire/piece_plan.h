// PiecePlan is a piece of a request in the making: runs of the original's bytes inside containers
// whose own fields are repeated. It is written in one go, with exact lengths, once it is complete.
//
//   Container  a resource, scope, metric or kind of data that was opened up
//   steps      open(container) | run(bytes) | close
//
// Threads: one thread.
// Ownership: containers and runs point into the request, which outlives the plan.

#ifndef WEIR_WIRE_PIECE_PLAN_H_
#define WEIR_WIRE_PIECE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "weir/base/budget.h"
#include "weir/base/slice.h"

namespace weir::wire::internal {

struct Container {
  const Container* parent = nullptr;  // Null: lies in the request itself.
  int depth = 1;                      // One more than the parent's.
  std::uint32_t tag = 0;              // As a field of the parent; one byte on the wire.
  std::vector<std::string_view> own;  // Runs of fields that are repeated with it.
  std::size_t own_size = 0;

  // Bytes that opening it costs at most.
  std::size_t OpenSize() const;
};

class PiecePlan {
 public:
  // Appends `field` (tag included) to the innermost of `parent`, which is opened when it is not.
  // A container that was left before is opened anew.
  void Add(const Container* parent, std::string_view field, std::uint64_t items);

  // Bytes that opening `parent` costs at most; 0 when it is open.
  std::size_t OpenSize(const Container* parent) const;

  bool empty() const { return steps_.empty(); }
  std::uint64_t items() const { return items_; }
  // Never less than what Write writes.
  std::size_t size_max() const { return size_max_; }

  // Shares the bytes of `request` when the piece is one run of it.
  Slice Write(const Slice& request, MemoryBudget* budget);

 private:
  struct Step {
    Step(const Container* open_in, std::string_view run_in) : open(open_in), run(run_in) {}

    const Container* open;
    std::string_view run;       // Null data and no container: close.
    std::size_t body_size = 0;  // Of an opened container, once known.
  };

  void MoveTo(const Container* target);
  std::size_t ResolveSizes();
  char* WriteSteps(char* out) const;

  std::vector<Step> steps_;
  const Container* at_ = nullptr;
  std::uint64_t items_ = 0;
  std::size_t size_max_ = 0;
};

}  // namespace weir::wire::internal

#endif  // WEIR_WIRE_PIECE_PLAN_H_

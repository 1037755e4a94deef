// Cutting a request on item boundaries: into pieces of a limited size, or into one part a key.
//
// What is not an item (resource, scope, schema URL, a metric's name, unknown fields of those
// levels) is repeated in every piece that holds items of it. A piece that is one run of the request
// shares its bytes; any other is copied. Joining is not here, as laying requests end to end joins
// them.
//
// Threads: pure functions.
// Ownership: pieces own or share their bytes; copies are charged to `budget` where one is given.
// Loss: none. Every item of the request is in exactly one piece, and so is what holds no item.
// Invariants: the items of the pieces sum up to Scan's count. A request that Scan refuses in
// structure depth comes back whole. Repeating costs at most kRepeatFactorMax times the request and
// kRepeatFreeBytes; past that the rest stays together, whatever the limits ask for, so a huge
// resource with many tiny items can't exhaust memory.

#ifndef WEIR_WIRE_SPLIT_H_
#define WEIR_WIRE_SPLIT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/budget.h"
#include "weir/base/slice.h"
#include "weir/wire/signal.h"

namespace weir::wire {

inline constexpr std::size_t kRepeatFactorMax = 64;
inline constexpr std::size_t kRepeatFreeBytes = std::size_t{1} << 20;

struct Piece {
  Slice bytes;
  std::uint64_t items = 0;
};

// Pieces of at most `items_max` items and `bytes_max` bytes, in the order of the request; 0 is no
// limit. A single item over `bytes_max` stays alone in its piece, and items whose repeated part
// alone takes over half of `bytes_max` stay together, because cutting would not help.
std::vector<Piece> SplitRequest(Signal signal, const Slice& request, std::uint64_t items_max,
                                std::size_t bytes_max, MemoryBudget* budget);

enum class PartitionKey : std::uint8_t {
  kTraceId,   // Of each span or log record; without one, and for metrics, the key is empty.
  kResource,  // AttributeHash of the resource's attributes.
};

struct Partition {
  std::string key;
  Slice bytes;
  std::uint64_t items = 0;
};

// One part for each key, in the order in which the keys appear first.
std::vector<Partition> PartitionRequest(Signal signal, const Slice& request, PartitionKey key,
                                        MemoryBudget* budget);

}  // namespace weir::wire

#endif  // WEIR_WIRE_SPLIT_H_

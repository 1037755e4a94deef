#include "load/statistics.h"

#include <algorithm>
#include <iterator>

#include "weir/base/check.h"

namespace weir::load {

void NumberRanges::Add(std::uint64_t first, std::uint64_t count) {
  WEIR_CHECK(count > 0);
  std::uint64_t last = first + count - 1;
  auto next = ranges_.upper_bound(first);
  if (next != ranges_.begin()) {
    const auto before = std::prev(next);
    if (before->second + 1 >= first) {
      first = before->first;
      last = std::max(last, before->second);
      ranges_.erase(before);
    }
  }
  while (next != ranges_.end() && next->first <= last + 1) {
    last = std::max(last, next->second);
    next = ranges_.erase(next);
  }
  if (ranges_.size() >= kRangesMax) {
    complete_ = false;
    return;
  }
  ranges_.emplace(first, last);
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> NumberRanges::List() const {
  return {ranges_.begin(), ranges_.end()};
}

std::uint64_t Statistics::failed_items() const {
  std::uint64_t items = 0;
  for (const auto& [code, count] : failed) {
    items += count;
  }
  return items;
}

}  // namespace weir::load

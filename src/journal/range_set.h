// RangeSet is a set of sequences kept as ranges: a long prefix and what is scattered above it.
//
// Threads: outside synchronization.
// Invariants: ranges are not empty, do not touch, and are in order.

#ifndef WEIR_JOURNAL_RANGE_SET_H_
#define WEIR_JOURNAL_RANGE_SET_H_

#include <cstdint>
#include <iterator>
#include <map>

namespace weir::journal {

class RangeSet {
 public:
  bool Contains(std::uint64_t value) const {
    const auto after = ranges_.upper_bound(value);
    return after != ranges_.begin() && std::prev(after)->second > value;
  }

  // Adds [begin, end).
  void Add(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) {
      return;
    }
    auto at = ranges_.upper_bound(begin);
    if (at != ranges_.begin() && std::prev(at)->second >= begin) {
      --at;
      if (at->second >= end) {
        return;
      }
    } else {
      at = ranges_.emplace_hint(at, begin, end);
    }
    auto next = std::next(at);
    while (next != ranges_.end() && next->first <= end) {
      end = end > next->second ? end : next->second;
      next = ranges_.erase(next);
    }
    at->second = end;
  }
  void Add(std::uint64_t value) { Add(value, value + 1); }

  void Remove(std::uint64_t value) {
    const auto after = ranges_.upper_bound(value);
    if (after == ranges_.begin() || std::prev(after)->second <= value) {
      return;
    }
    const auto at = std::prev(after);
    const std::uint64_t end = at->second;
    at->second = value;
    if (value + 1 < end) {
      ranges_.emplace_hint(after, value + 1, end);
    }
    if (at->first == value) {
      ranges_.erase(at);
    }
  }

  // The lowest value from `from` on that is not in the set.
  std::uint64_t FirstMissing(std::uint64_t from) const {
    const auto after = ranges_.upper_bound(from);
    if (after == ranges_.begin() || std::prev(after)->second <= from) {
      return from;
    }
    return std::prev(after)->second;
  }

  // One past the highest value; 0 when empty.
  std::uint64_t End() const { return ranges_.empty() ? 0 : ranges_.rbegin()->second; }

  const std::map<std::uint64_t, std::uint64_t>& ranges() const { return ranges_; }
  bool operator==(const RangeSet&) const = default;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // Begin to end.
};

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_RANGE_SET_H_

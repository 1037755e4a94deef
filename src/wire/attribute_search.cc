#include "weir/wire/attribute_search.h"

#include <algorithm>

#include "weir/base/check.h"

namespace weir::wire {

KeyMatcher::KeyMatcher(const std::vector<std::string>& keys) {
  WEIR_CHECK(keys.size() < 65536);
  entries_.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    entries_.push_back({.head = Head(keys[i].data(), keys[i].size()), .key = keys[i], .index = i});
  }
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return Bucket(a.key.size()) < Bucket(b.key.size());
  });
  for (const Entry& entry : entries_) {
    const std::size_t bucket = Bucket(entry.key.size());
    lengths_ |= std::uint64_t{1} << bucket;
    ++bucket_begin_[bucket + 1];
  }
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    bucket_begin_[bucket + 1] =
        static_cast<std::uint16_t>(bucket_begin_[bucket + 1] + bucket_begin_[bucket]);
  }
}

}  // namespace weir::wire

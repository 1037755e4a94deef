#include "load/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "weir/base/check.h"

namespace weir::load {

// Values under 64 have a bucket each. From there on a value's leading bit chooses a group of 64
// buckets, and the six bits below it the bucket.
std::size_t LatencyHistogram::BucketOf(std::uint64_t value) {
  const int shift = std::max(static_cast<int>(std::bit_width(value)) - 1 - kStepBits, 0);
  const std::uint64_t step = value >> shift;  // Under 64 only in the first group.
  return (static_cast<std::size_t>(shift) << kStepBits) + step;
}

std::uint64_t LatencyHistogram::LastOf(std::size_t bucket) {
  const std::size_t steps = std::size_t{1} << kStepBits;
  if (bucket < 2 * steps) {
    return bucket;
  }
  const std::size_t shift = (bucket >> kStepBits) - 1;
  const std::uint64_t step = (bucket & (steps - 1)) + steps;
  return ((step + 1) << shift) - 1;
}

void LatencyHistogram::Record(std::chrono::nanoseconds latency) {
  const std::int64_t value = std::max<std::int64_t>(latency.count(), 0);
  ++buckets_[BucketOf(static_cast<std::uint64_t>(value))];
  ++count_;
  max_ = std::max(max_, value);
}

LatencyHistogram LatencyHistogram::Since(const LatencyHistogram& earlier) const {
  LatencyHistogram since = *this;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    since.buckets_[i] -= earlier.buckets_[i];
  }
  since.count_ -= earlier.count_;
  return since;
}

std::chrono::nanoseconds LatencyHistogram::Quantile(double share) const {
  WEIR_CHECK(share >= 0 && share <= 1);
  if (count_ == 0) {
    return std::chrono::nanoseconds(0);
  }
  const auto wanted = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))), 1, count_);
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  for (; bucket + 1 < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) {
      break;
    }
  }
  return std::min(max(), std::chrono::nanoseconds(static_cast<std::int64_t>(LastOf(bucket))));
}

}  // namespace weir::load

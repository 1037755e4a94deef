// LatencyHistogram counts durations in buckets of equal relative width (1.6 %), so its quantiles
// are good from a microsecond to an hour in 30 kB, however many are recorded.
//
// Threads: one at a time.

#ifndef WEIR_LOAD_LATENCY_HISTOGRAM_H_
#define WEIR_LOAD_LATENCY_HISTOGRAM_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir::load {

class LatencyHistogram {
 public:
  void Record(std::chrono::nanoseconds latency);
  // What was recorded since this was as `earlier`, but for max, which stays.
  LatencyHistogram Since(const LatencyHistogram& earlier) const;

  // The duration that a `share` of those recorded do not exceed, from above and at most by the
  // width of a bucket; 0 when there are none. REQUIRES: 0 <= share <= 1.
  std::chrono::nanoseconds Quantile(double share) const;
  std::chrono::nanoseconds max() const { return std::chrono::nanoseconds(max_); }
  std::uint64_t count() const { return count_; }

 private:
  static constexpr int kStepBits = 6;  // 64 buckets from one power of two to the next.
  static constexpr std::size_t kBuckets = std::size_t{65 - kStepBits} << kStepBits;

  static std::size_t BucketOf(std::uint64_t value);
  static std::uint64_t LastOf(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace weir::load

#endif  // WEIR_LOAD_LATENCY_HISTOGRAM_H_

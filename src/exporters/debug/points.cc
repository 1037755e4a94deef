#include "exporters/debug/points.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weir::exporters::debug {

namespace otlp = wire::otlp;

namespace {

std::vector<Bucket> ReadSide(const std::string& buckets, double factor) {
  std::vector<Bucket> side;
  double index = ZigZag(buckets, otlp::kBucketsOffset);
  for (const std::uint64_t count :
       Numbers(buckets, otlp::kBucketsCounts, wire::WireType::kVarint)) {
    side.push_back({std::exp(index * factor), std::exp((index + 1) * factor), count});
    ++index;
  }
  return side;
}

}  // namespace

ExponentialBuckets ReadBuckets(std::string_view point) {
  const double factor = std::ldexp(std::numbers::ln2, -ZigZag(point, otlp::kExponentialScale));
  ExponentialBuckets buckets{ReadSide(Merged(point, otlp::kExponentialNegative), factor),
                             ReadSide(Merged(point, otlp::kExponentialPositive), factor)};
  std::ranges::reverse(buckets.negative);
  for (Bucket& bucket : buckets.negative) {
    bucket = {-bucket.upper, -bucket.lower, bucket.count};
  }
  return buckets;
}

FieldNumber PointExemplars(FieldNumber metric_data) {
  switch (metric_data) {
    case otlp::kMetricHistogram:
      return otlp::kHistogramExemplars;
    case otlp::kMetricExponentialHistogram:
      return otlp::kExponentialExemplars;
    default:
      return otlp::kNumberExemplars;
  }
}

}  // namespace weir::exporters::debug

// Metrics taken apart the way both texts need them: each data point with its attributes, times and
// the numbers of its kind.
//
// Threads: pure functions.

#ifndef WEIR_EXPORTERS_DEBUG_POINTS_H_
#define WEIR_EXPORTERS_DEBUG_POINTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/debug/fields.h"

namespace weir::exporters::debug {

// One bucket of an exponential histogram. Its bounds grow by a factor of 2^(2^-scale).
struct Bucket {
  double lower;
  double upper;
  std::uint64_t count;
};

struct ExponentialBuckets {
  std::vector<Bucket> negative;  // From the one farthest from zero; bounds below zero.
  std::vector<Bucket> positive;  // From the one nearest to zero.
};

ExponentialBuckets ReadBuckets(std::string_view exponential_point);

// Field numbers of an Exemplar.
inline constexpr FieldNumber kExemplarTime = 2;
inline constexpr FieldNumber kExemplarAsDouble = 3;
inline constexpr FieldNumber kExemplarSpanId = 4;
inline constexpr FieldNumber kExemplarTraceId = 5;
inline constexpr FieldNumber kExemplarAsInt = 6;
inline constexpr FieldNumber kExemplarAttributes = 7;

// `metric_data` is the Metric's field that holds its data.
FieldNumber PointExemplars(FieldNumber metric_data);

}  // namespace weir::exporters::debug

#endif  // WEIR_EXPORTERS_DEBUG_POINTS_H_

// Requests of believable telemetry, written once and stamped many times (request_template.h): a
// shop's services, their spans in trees, the log lines they write, their counters, gauges and
// histograms.
//
// What differs from one sending to the next is written as a stand-in:
//   a time is its age in nanoseconds at the moment of sending
//   a trace id is all zero, a span id is its place in its trace: SpanPlace below
//   a counter is its value at the first sending, a gauge the middle of its range
//   a sequence number is a varint of kSequenceBytes
//
// Threads: pure functions.

#ifndef WEIR_LOAD_SAMPLE_ITEMS_H_
#define WEIR_LOAD_SAMPLE_ITEMS_H_

#include <cstddef>
#include <cstdint>

#include "load/random.h"
#include "weir/base/slice.h"
#include "weir/wire/signal.h"

namespace weir::load {

inline constexpr std::size_t kTraceIdBytes = 16;
inline constexpr std::size_t kSpanIdBytes = 8;
// A trace's spans form a tree in which span i hangs below span (i - 1) / 2.
inline constexpr std::uint32_t kSpansPerTrace = 8;
// Of a padded varint: numbers up to 2^49, which last three years at five million a second.
inline constexpr int kSequenceBytes = 7;

struct SampleShape {
  Signal signal = Signal::kTraces;
  std::uint32_t items = 100;
  std::uint32_t item_bytes = 200;
  bool numbered = false;
  std::uint32_t service = 0;  // Which of the shop's services; any number.
};

// A whole Export*ServiceRequest. REQUIRES: items >= 1, items * item_bytes <= 64 MiB.
Slice WriteSample(const SampleShape& shape, Random& random);

}  // namespace weir::load

#endif  // WEIR_LOAD_SAMPLE_ITEMS_H_

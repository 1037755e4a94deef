// The scanner is the guard at the door: one forward pass that says whether a request is legal OTLP
// and how many items it holds, without building anything.
//
//   const ScanResult scan = Scan(Signal::kTraces, request, ScanDepth::kStructure);
//   if (!scan.ok()) { refuse with ScanErrorName(scan.error); }
//
// Whatever protobuf's C++ parser accepts is accepted: fields in any order, repeated singular
// messages, overlong varints, packed and unpacked numbers, unknown fields and groups, and a known
// field of another wire type, which counts as unknown. In full depth whatever that parser refuses
// is refused, too; tests/fuzz/scanner_fuzz.cc holds the two against each other.
//
// Threads: pure functions.
// Invariants: no byte outside the request is read; the stack is bounded by protobuf's nesting
// limit.

#ifndef WEIR_WIRE_SCANNER_H_
#define WEIR_WIRE_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/wire/signal.h"

namespace weir::wire {

enum class ScanDepth : std::uint8_t {
  // The levels the pipeline itself relies on: request, resource, scope, item boundaries (for
  // metrics: metric, kind, data point). What lies inside an item, a resource or a scope is not
  // looked at. A few nanoseconds an item.
  kStructure,
  // Every known field, nesting, and UTF-8.
  kFull,
};

// Why a request was refused: a closed set, usable as a metric label by ScanErrorName.
enum class ScanError : std::uint8_t {
  kNone,
  kTruncated,  // The bytes end inside a field, or a field passes the end of its message.
  kBadVarint,  // A varint, tag or length that never ends, or a length past 2 GiB.
  kBadTag,     // Field number 0, or a wire type that does not exist.
  kBadGroup,   // A group that is cut, mismatched, malformed inside, or nested too deep.
  kTooDeep,    // Messages nest deeper than protobuf allows.
  kBadUtf8,    // A string field that is not UTF-8.
  kBadPacked,  // A packed field whose length does not fit its elements.
  kTooLarge,   // A request of 2 GiB or more.
};
inline constexpr std::size_t kScanErrorCount = 9;

// "none", "truncated", "bad_varint", ...
std::string_view ScanErrorName(ScanError error);

struct ScanResult {
  ScanError error = ScanError::kNone;
  // Spans, log records, or data points, as a decoder would count them; where the request is
  // refused, those seen before the error.
  std::uint64_t items = 0;
  // Where the offending field or value starts. 0 when there is none.
  std::size_t error_offset = 0;

  bool ok() const { return error == ScanError::kNone; }
};

ScanResult Scan(Signal signal, std::string_view request, ScanDepth depth);

}  // namespace weir::wire

#endif  // WEIR_WIRE_SCANNER_H_

// Counts the items of an OTLP request for the benchmark's sink. Independent of the daemon's scanner
// on purpose: what checks it must not share its defects.

#ifndef WEIR_BENCH_OTLP_COUNT_H_
#define WEIR_BENCH_OTLP_COUNT_H_

#include <cstdint>
#include <string>
#include <string_view>

// Spans, log records or (with `metrics`) data points. False when the bytes are no protobuf.
bool CountItems(std::string_view message, bool metrics, std::uint64_t& items);

// All members of a gzip file. False when it is malformed or larger than 256 MiB.
bool Gunzip(std::string_view data, std::string& out);

#endif  // WEIR_BENCH_OTLP_COUNT_H_

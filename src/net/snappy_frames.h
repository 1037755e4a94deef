// Snappy's framed format: a stream of chunks of at most 64 KiB, each with its checksum.
//
// Threads: pure functions.
//
//   stream     = identifier { chunk }
//   identifier = 0xff  length(3, little-endian) = 6  "sNaPpY"        may repeat between chunks
//   chunk      = type(1)  length(3)  body
//   body       = crc32c(4, masked)  block | bytes                    for types 0 and 1
//              | anything                                            for types 0x80 to 0xfe:
//              skipped

#ifndef WEIR_NET_SNAPPY_FRAMES_H_
#define WEIR_NET_SNAPPY_FRAMES_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "net/compression.h"
#include "weir/base/slice.h"

namespace weir::net {

bool IsSnappyFramed(std::string_view stream);
Slice CompressSnappyFrames(std::span<const Slice> input, MemoryBudget* budget);
Decompressed DecompressSnappyFrames(std::string_view stream, std::size_t limit_bytes,
                                    MemoryBudget* budget);

}  // namespace weir::net

#endif  // WEIR_NET_SNAPPY_FRAMES_H_

// One-shot compression and decompression of request bodies: gzip, zlib, deflate, zstd, snappy, lz4.
//
// Compress takes the pieces of a batch as they lie and returns one slice; Decompress takes a body
// in pieces and never allocates more than the limit it was given, so a compression bomb meets a
// clear answer: where the stream states its size, before anything is allocated, and otherwise as
// soon as the limit is full.
//
// Threads: all functions are thread-safe; codec contexts are kept for each thread and reused.
// Ownership: results are charged to the given budget (growth inside, so never refused).
// Invariants: Decompress(f, Compress(f, x), limit) == x for every x of at most `limit` bytes.

#ifndef WEIR_NET_COMPRESSION_H_
#define WEIR_NET_COMPRESSION_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "weir/base/budget.h"
#include "weir/base/slice.h"

namespace weir::net {

enum class Compression {
  kNone,
  kGzip,
  kZlib,
  kDeflate,  // As HTTP means it: zlib's format. Decompress also reads the bare stream.
  kSnappy,   // The block format. Decompress also reads the framed one.
  kSnappyFramed,
  kZstd,
  kLz4,  // The frame format.
};

// The codec's own choice of speed over size; what "-1" means in compression_params.
inline constexpr int kDefaultCompressionLevel = -1;

// Names as configuration and Content-Encoding spell them; "" and "none" (and "identity", which
// only the wire says) are kNone. nullopt for anything else.
std::optional<Compression> ParseCompression(std::string_view name);
std::string_view CompressionName(Compression compression);  // kNone is "none".

// gRPC peers that say "snappy" mean the framed format; this is what to compress with for a
// grpc-encoding. All others are themselves.
Compression GrpcCompression(Compression configured);

// As the Collector accepts levels: -2 to 9 for gzip, zlib and deflate, anything for zstd, none for
// the rest (where 0 and the default are accepted).
absl::Status ValidateCompressionLevel(Compression compression, int level);

struct CompressOptions {
  int level = kDefaultCompressionLevel;
  MemoryBudget* budget = nullptr;
};

// kNone joins the pieces. REQUIRES: the level is valid for the compression.
Slice Compress(Compression compression, std::span<const Slice> input,
               const CompressOptions& options = {});

enum class DecompressFault {
  kNone,
  kMalformed,  // Not this format, truncated, a wrong checksum, or bytes after the end.
  kTooLarge,   // Would pass the limit.
};
std::string_view DecompressFaultName(DecompressFault fault);

struct Decompressed {
  Slice bytes;
  DecompressFault fault = DecompressFault::kNone;

  bool ok() const { return fault == DecompressFault::kNone; }
};

// `limit_bytes` bounds the result. kNone joins the pieces under the same limit.
Decompressed Decompress(Compression compression, std::span<const Slice> input,
                        std::size_t limit_bytes, MemoryBudget* budget = nullptr);

// One slice with all the bytes; copies only when there is more than one piece.
Slice JoinSlices(std::span<const Slice> pieces, MemoryBudget* budget = nullptr);
std::size_t TotalBytes(std::span<const Slice> pieces);

}  // namespace weir::net

#endif  // WEIR_NET_COMPRESSION_H_

#include <libdeflate.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "net/compression.h"
#include "net/snappy_frames.h"

namespace weir::net {
namespace {

Decompressed Malformed() { return {.bytes = {}, .fault = DecompressFault::kMalformed}; }
Decompressed TooLarge() { return {.bytes = {}, .fault = DecompressFault::kTooLarge}; }

enum class Attempt { kDone, kNoRoom, kMalformed };

// Calls attempt(out, capacity, size) with ever larger buffers, starting at `first` and never past
// `limit`. The codecs below are one-shot: starting over in twice the room costs at most as much
// again, and never holds two buffers.
template <typename Function>
Decompressed DecompressGrowing(std::size_t first, std::size_t limit, MemoryBudget* budget,
                               Function attempt) {
  for (std::size_t capacity = std::min(first, limit);;) {
    MutableBuffer buffer = MutableBuffer::Allocate(capacity, budget);
    std::size_t size = 0;
    switch (attempt(buffer.data(), capacity, size)) {
      case Attempt::kDone:
        if (size >= capacity / 2) {
          return {.bytes = std::move(buffer).Freeze(size)};
        }
        return {.bytes = Slice::Copy({buffer.data(), size}, budget)};
      case Attempt::kMalformed:
        return Malformed();
      case Attempt::kNoRoom:
        if (capacity == limit) {
          return TooLarge();
        }
    }
    capacity = capacity > limit / 2 ? limit : std::max<std::size_t>(capacity * 2, 1024);
  }
}

libdeflate_decompressor* Inflater() {
  thread_local const std::unique_ptr<libdeflate_decompressor,
                                     decltype(&libdeflate_free_decompressor)>
      decompressor(libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  WEIR_CHECK(decompressor != nullptr);
  return decompressor.get();
}

Attempt FromLibdeflate(libdeflate_result result) {
  return result == LIBDEFLATE_SUCCESS              ? Attempt::kDone
         : result == LIBDEFLATE_INSUFFICIENT_SPACE ? Attempt::kNoRoom
                                                   : Attempt::kMalformed;
}

// Every byte of input makes at most 1032 of output: what claims more is a lie.
constexpr std::size_t kDeflateExpansionMax = 1032;
constexpr std::size_t kGzipMemberBytesMin = 18;

// The last four bytes state the last member's size (modulo 2^32, which no limit of ours reaches).
// That is the exact size of the usual body; where there are several members it is a first guess.
Decompressed DecompressGzip(std::string_view input, std::size_t limit, MemoryBudget* budget) {
  if (input.size() < kGzipMemberBytesMin) {
    return Malformed();
  }
  std::uint32_t stated = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    stated |= static_cast<std::uint32_t>(static_cast<unsigned char>(input[input.size() - 4 + i]))
              << (8 * i);
  }
  if (stated / kDeflateExpansionMax > input.size()) {
    return Malformed();
  }
  if (stated > limit) {
    return TooLarge();
  }
  // A deflate stream never grows its input by half, so a smaller statement means several members.
  const std::size_t first = stated >= input.size() / 2 ? stated : input.size() * 4;
  return DecompressGrowing(
      first, limit, budget, [input](char* out, std::size_t capacity, std::size_t& size) {
        for (std::string_view rest = input; !rest.empty();) {
          std::size_t consumed = 0;
          std::size_t produced = 0;
          const libdeflate_result result =
              libdeflate_gzip_decompress_ex(Inflater(), rest.data(), rest.size(), out + size,
                                            capacity - size, &consumed, &produced);
          if (result != LIBDEFLATE_SUCCESS) {
            return FromLibdeflate(result);
          }
          size += produced;
          rest.remove_prefix(consumed);
        }
        return Attempt::kDone;
      });
}

bool HasZlibHeader(std::string_view input) {
  if (input.size() < 2) {
    return false;
  }
  const auto first = static_cast<unsigned char>(input[0]);
  const auto second = static_cast<unsigned char>(input[1]);
  return (first & 0x0f) == 8 && (first * 256 + second) % 31 == 0;
}

Decompressed DecompressZlib(std::string_view input, bool bare_allowed, std::size_t limit,
                            MemoryBudget* budget) {
  const bool zlib = HasZlibHeader(input);
  if (input.empty() || (!zlib && !bare_allowed)) {
    return Malformed();
  }
  const auto decompress = zlib ? libdeflate_zlib_decompress_ex : libdeflate_deflate_decompress_ex;
  return DecompressGrowing(
      input.size() * 8, limit, budget, [=](char* out, std::size_t capacity, std::size_t& size) {
        std::size_t consumed = 0;
        const libdeflate_result result =
            decompress(Inflater(), input.data(), input.size(), out, capacity, &consumed, &size);
        if (result == LIBDEFLATE_SUCCESS && consumed != input.size()) {
          return Attempt::kMalformed;
        }
        return FromLibdeflate(result);
      });
}

Decompressed DecompressZstd(std::string_view input, std::size_t limit, MemoryBudget* budget) {
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                                  ZSTD_freeDCtx);
  const unsigned long long stated = ZSTD_getFrameContentSize(input.data(), input.size());
  if (stated == ZSTD_CONTENTSIZE_ERROR) {
    return Malformed();
  }
  std::size_t first = input.size() * 8;
  if (stated != ZSTD_CONTENTSIZE_UNKNOWN) {
    if (stated > limit) {
      return TooLarge();
    }
    // A block makes at most 128 KiB of no less than four bytes.
    if (stated / (std::size_t{32} << 10) > input.size()) {
      return Malformed();
    }
    first = static_cast<std::size_t>(stated);
  }
  return DecompressGrowing(
      first, limit, budget, [input](char* out, std::size_t capacity, std::size_t& size) {
        const std::size_t result =
            ZSTD_decompressDCtx(context.get(), out, capacity, input.data(), input.size());
        if (!ZSTD_isError(result)) {
          size = result;
          return Attempt::kDone;
        }
        return ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall ? Attempt::kNoRoom
                                                                        : Attempt::kMalformed;
      });
}

Decompressed DecompressSnappy(std::string_view input, std::size_t limit, MemoryBudget* budget) {
  if (IsSnappyFramed(input)) {
    return DecompressSnappyFrames(input, limit, budget);
  }
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(input.data(), input.size(), &size)) {
    return Malformed();
  }
  if (size > limit) {
    return TooLarge();
  }
  // A three-byte copy makes at most 64 bytes.
  if (size / 22 > input.size()) {
    return Malformed();
  }
  MutableBuffer buffer = MutableBuffer::Allocate(size, budget);
  if (!snappy::RawUncompress(input.data(), input.size(), buffer.data())) {
    return Malformed();
  }
  return {.bytes = std::move(buffer).Freeze(size)};
}

Attempt AttemptLz4(LZ4F_dctx* context, std::string_view input, char* out, std::size_t capacity,
                   std::size_t& size) {
  LZ4F_resetDecompressionContext(context);
  std::size_t wanted = 1;
  while (!input.empty() || wanted != 0) {
    std::size_t produced = capacity - size;
    std::size_t consumed = input.size();
    wanted = LZ4F_decompress(context, out + size, &produced, input.data(), &consumed, nullptr);
    if (LZ4F_isError(wanted)) {
      return Attempt::kMalformed;
    }
    size += produced;
    input.remove_prefix(consumed);
    if (produced == 0 && consumed == 0) {
      return size == capacity && wanted != 0 ? Attempt::kNoRoom : Attempt::kMalformed;
    }
  }
  return Attempt::kDone;
}

Decompressed DecompressLz4(std::string_view input, std::size_t limit, MemoryBudget* budget) {
  LZ4F_dctx* context = nullptr;
  WEIR_CHECK(!LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)));
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> owner(
      context, LZ4F_freeDecompressionContext);
  if (input.empty()) {
    return Malformed();
  }
  return DecompressGrowing(input.size() * 8, limit, budget,
                           [=](char* out, std::size_t capacity, std::size_t& size) {
                             return AttemptLz4(context, input, out, capacity, size);
                           });
}

}  // namespace

std::string_view DecompressFaultName(DecompressFault fault) {
  switch (fault) {
    case DecompressFault::kNone:
      return "none";
    case DecompressFault::kMalformed:
      return "malformed";
    case DecompressFault::kTooLarge:
      return "too_large";
  }
  WEIR_CHECK(false);
}

Decompressed Decompress(Compression compression, std::span<const Slice> input,
                        std::size_t limit_bytes, MemoryBudget* budget) {
  if (compression == Compression::kNone && TotalBytes(input) > limit_bytes) {
    return TooLarge();
  }
  const Slice whole = JoinSlices(input, budget);
  switch (compression) {
    case Compression::kNone:
      return {.bytes = whole};
    case Compression::kGzip:
      return DecompressGzip(whole.view(), limit_bytes, budget);
    case Compression::kZlib:
      return DecompressZlib(whole.view(), false, limit_bytes, budget);
    case Compression::kDeflate:
      return DecompressZlib(whole.view(), true, limit_bytes, budget);
    case Compression::kSnappy:
      return DecompressSnappy(whole.view(), limit_bytes, budget);
    case Compression::kSnappyFramed:
      return DecompressSnappyFrames(whole.view(), limit_bytes, budget);
    case Compression::kZstd:
      return DecompressZstd(whole.view(), limit_bytes, budget);
    case Compression::kLz4:
      return DecompressLz4(whole.view(), limit_bytes, budget);
  }
  WEIR_CHECK(false);
}

}  // namespace weir::net

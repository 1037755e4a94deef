#include "net/compression.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <lz4frame.h>
#include <snappy-sinksource.h>
#include <snappy.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "net/snappy_frames.h"
#include "weir/base/status.h"

namespace weir::net {
namespace {

constexpr int kHuffmanOnly = -2;
constexpr int kIsalLevelMax =
    3;  // From here up libdeflate packs tighter, at a quarter of the speed.

struct Name {
  std::string_view text;
  Compression compression;
};
constexpr std::array<Name, 10> kNames = {{{"none", Compression::kNone},
                                          {"", Compression::kNone},
                                          {"identity", Compression::kNone},
                                          {"gzip", Compression::kGzip},
                                          {"zlib", Compression::kZlib},
                                          {"deflate", Compression::kDeflate},
                                          {"snappy", Compression::kSnappy},
                                          {"x-snappy-framed", Compression::kSnappyFramed},
                                          {"zstd", Compression::kZstd},
                                          {"lz4", Compression::kLz4}}};

// Output of a codec that tells its size only at the end: grows, and gives back what it didn't use.
class GrowingOutput {
 public:
  GrowingOutput(std::size_t first_capacity, MemoryBudget* budget)
      : budget_(budget), buffer_(MutableBuffer::Allocate(first_capacity, budget)) {}

  char* end() { return buffer_.data() + size_; }
  std::size_t room() const { return buffer_.capacity() - size_; }
  void Advance(std::size_t bytes) { size_ += bytes; }

  void Reserve(std::size_t bytes) {
    if (room() >= bytes) {
      return;
    }
    MutableBuffer larger =
        MutableBuffer::Allocate(std::max(buffer_.capacity() * 2, size_ + bytes), budget_);
    std::memcpy(larger.data(), buffer_.data(), size_);
    buffer_ = std::move(larger);
  }

  Slice Finish() && {
    // The charge is the allocation: what is kept for long should not hold twice its size.
    if (size_ >= buffer_.capacity() / 2) {
      return std::move(buffer_).Freeze(size_);
    }
    return Slice::Copy({buffer_.data(), size_}, budget_);
  }

 private:
  MemoryBudget* budget_;
  MutableBuffer buffer_;
  std::size_t size_ = 0;
};

// Telemetry shrinks five to eight times; a quarter is rarely grown and rarely copied at the end.
std::size_t FirstCapacity(std::size_t total) { return total / 4 + 512; }

// ISA-L at its second level compresses spans at 0.8 to 1.1 GB/s to within 4 % of zlib's level 6,
// libdeflate's fastest at 0.35 to 0.45 GB/s (docs/decisions/006-compression-codecs.md).
Slice CompressIsal(bool gzip, std::span<const Slice> input, int level, MemoryBudget* budget) {
  struct Context {
    isal_zstream stream;
    std::array<unsigned char, ISAL_DEF_LVL2_DEFAULT> level_buffer;
  };
  static_assert(ISAL_DEF_LVL2_DEFAULT >= ISAL_DEF_LVL1_DEFAULT);
  thread_local const auto context = std::make_unique<Context>();

  GrowingOutput output(FirstCapacity(TotalBytes(input)), budget);
  isal_zstream& stream = context->stream;
  isal_deflate_init(&stream);
  stream.level = level == kHuffmanOnly ? 0 : level == 1 ? 1 : 2;
  stream.level_buf = stream.level == 0 ? nullptr : context->level_buffer.data();
  stream.level_buf_size = stream.level == 0 ? 0 : ISAL_DEF_LVL2_DEFAULT;
  stream.gzip_flag = gzip ? IGZIP_GZIP : IGZIP_ZLIB;
  stream.flush = NO_FLUSH;
  std::size_t next = 0;
  do {
    if (stream.avail_in == 0 && next < input.size()) {
      stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(input[next].data()));
      stream.avail_in = static_cast<std::uint32_t>(input[next].size());
      ++next;
    }
    stream.end_of_stream = next == input.size() ? 1 : 0;
    output.Reserve(64);
    const auto room =
        static_cast<std::uint32_t>(std::min<std::size_t>(output.room(), std::size_t{1} << 30));
    stream.next_out = reinterpret_cast<unsigned char*>(output.end());
    stream.avail_out = room;
    WEIR_CHECK(isal_deflate(&stream) == COMP_OK);
    output.Advance(room - stream.avail_out);
  } while (stream.internal_state.state != ZSTATE_END);
  return std::move(output).Finish();
}

Slice CompressLibdeflate(bool gzip, std::span<const Slice> input, int level, MemoryBudget* budget) {
  using Pointer = std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)>;
  thread_local Pointer compressor(nullptr, libdeflate_free_compressor);
  thread_local int compressor_level = -1;
  if (compressor == nullptr || compressor_level != level) {
    compressor.reset(libdeflate_alloc_compressor(level));
    WEIR_CHECK(compressor != nullptr);
    compressor_level = level;
  }
  const Slice whole = JoinSlices(input, budget);
  GrowingOutput output(gzip ? libdeflate_gzip_compress_bound(compressor.get(), whole.size())
                            : libdeflate_zlib_compress_bound(compressor.get(), whole.size()),
                       budget);
  const auto compress = gzip ? libdeflate_gzip_compress : libdeflate_zlib_compress;
  const std::size_t size =
      compress(compressor.get(), whole.data(), whole.size(), output.end(), output.room());
  WEIR_CHECK(size > 0);
  output.Advance(size);
  return std::move(output).Finish();
}

Slice CompressDeflate(bool gzip, std::span<const Slice> input, int level, MemoryBudget* budget) {
  return level <= kIsalLevelMax && level != 0 ? CompressIsal(gzip, input, level, budget)
                                              : CompressLibdeflate(gzip, input, level, budget);
}

Slice CompressZstd(std::span<const Slice> input, int level, MemoryBudget* budget) {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                                  ZSTD_freeCCtx);
  const std::size_t total = TotalBytes(input);
  GrowingOutput output(FirstCapacity(total), budget);
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  // The default is zstd's fastest positive level, as the Collector's encoder takes -1.
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level < 1 ? 1 : level);
  ZSTD_CCtx_setPledgedSrcSize(context.get(), total);
  std::size_t next = 0;
  ZSTD_inBuffer in{nullptr, 0, 0};
  for (bool done = false; !done;) {
    if (in.pos == in.size && next < input.size()) {
      in = {input[next].data(), input[next].size(), 0};
      ++next;
    }
    const bool last = next == input.size();
    output.Reserve(512);
    ZSTD_outBuffer out{output.end(), output.room(), 0};
    const std::size_t left =
        ZSTD_compressStream2(context.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    WEIR_CHECK(!ZSTD_isError(left));
    output.Advance(out.pos);
    done = last && left == 0 && in.pos == in.size;
  }
  return std::move(output).Finish();
}

// Lets snappy read a list of slices without joining them first.
class SliceSource final : public snappy::Source {
 public:
  explicit SliceSource(std::span<const Slice> input) : input_(input), left_(TotalBytes(input)) {}

  std::size_t Available() const override { return left_; }

  const char* Peek(std::size_t* length) override {
    while (at_ < input_.size() && offset_ == input_[at_].size()) {
      ++at_;
      offset_ = 0;
    }
    *length = at_ == input_.size() ? 0 : input_[at_].size() - offset_;
    return *length == 0 ? "" : input_[at_].data() + offset_;
  }

  void Skip(std::size_t bytes) override {
    left_ -= bytes;
    while (bytes > 0) {
      std::size_t run = 0;
      Peek(&run);
      const std::size_t taken = std::min(run, bytes);
      offset_ += taken;
      bytes -= taken;
    }
  }

 private:
  std::span<const Slice> input_;
  std::size_t at_ = 0;
  std::size_t offset_ = 0;
  std::size_t left_;
};

Slice CompressSnappy(std::span<const Slice> input, MemoryBudget* budget) {
  SliceSource source(input);
  GrowingOutput output(snappy::MaxCompressedLength(source.Available()), budget);
  snappy::UncheckedByteArraySink sink(output.end());
  output.Advance(snappy::Compress(&source, &sink));
  return std::move(output).Finish();
}

Slice CompressLz4(std::span<const Slice> input, MemoryBudget* budget) {
  LZ4F_cctx* context = nullptr;
  WEIR_CHECK(!LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION)));
  const std::unique_ptr<LZ4F_cctx, decltype(&LZ4F_freeCompressionContext)> owner(
      context, LZ4F_freeCompressionContext);
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.contentSize = TotalBytes(input);
  GrowingOutput output(FirstCapacity(TotalBytes(input)), budget);
  output.Reserve(LZ4F_HEADER_SIZE_MAX);
  const auto advance = [&output](std::size_t written) {
    WEIR_CHECK(!LZ4F_isError(written));
    output.Advance(written);
  };
  advance(LZ4F_compressBegin(context, output.end(), output.room(), &preferences));
  for (const Slice& piece : input) {
    output.Reserve(LZ4F_compressBound(piece.size(), &preferences));
    advance(LZ4F_compressUpdate(context, output.end(), output.room(), piece.data(), piece.size(),
                                nullptr));
  }
  output.Reserve(LZ4F_compressBound(0, &preferences));
  advance(LZ4F_compressEnd(context, output.end(), output.room(), nullptr));
  return std::move(output).Finish();
}

}  // namespace

std::optional<Compression> ParseCompression(std::string_view name) {
  const auto found = std::find_if(kNames.begin(), kNames.end(),
                                  [&](const Name& known) { return known.text == name; });
  return found == kNames.end() ? std::nullopt : std::optional(found->compression);
}

std::string_view CompressionName(Compression compression) {
  return std::find_if(kNames.begin(), kNames.end(),
                      [&](const Name& known) { return known.compression == compression; })
      ->text;
}

Compression GrpcCompression(Compression configured) {
  return configured == Compression::kSnappy ? Compression::kSnappyFramed : configured;
}

absl::Status ValidateCompressionLevel(Compression compression, int level) {
  switch (compression) {
    case Compression::kGzip:
    case Compression::kZlib:
    case Compression::kDeflate:
      return level >= kHuffmanOnly && level <= 9
                 ? absl::OkStatus()
                 : InvalidArgument("level {} of {} is not from -2 to 9", level,
                                   CompressionName(compression));
    case Compression::kZstd:
      return absl::OkStatus();
    default:
      return level == 0 || level == kDefaultCompressionLevel
                 ? absl::OkStatus()
                 : InvalidArgument("{} takes no level, {} was given", CompressionName(compression),
                                   level);
  }
}

Slice Compress(Compression compression, std::span<const Slice> input,
               const CompressOptions& options) {
  switch (compression) {
    case Compression::kNone:
      return JoinSlices(input, options.budget);
    case Compression::kGzip:
      return CompressDeflate(true, input, options.level, options.budget);
    case Compression::kZlib:
    case Compression::kDeflate:
      return CompressDeflate(false, input, options.level, options.budget);
    case Compression::kSnappy:
      return CompressSnappy(input, options.budget);
    case Compression::kSnappyFramed:
      return CompressSnappyFrames(input, options.budget);
    case Compression::kZstd:
      return CompressZstd(input, std::min(options.level, ZSTD_maxCLevel()), options.budget);
    case Compression::kLz4:
      return CompressLz4(input, options.budget);
  }
  WEIR_CHECK(false);
}

std::size_t TotalBytes(std::span<const Slice> pieces) {
  std::size_t total = 0;
  for (const Slice& piece : pieces) {
    total += piece.size();
  }
  return total;
}

Slice JoinSlices(std::span<const Slice> pieces, MemoryBudget* budget) {
  if (pieces.size() == 1) {
    return pieces.front();
  }
  MutableBuffer buffer = MutableBuffer::Allocate(TotalBytes(pieces), budget);
  std::size_t filled = 0;
  for (const Slice& piece : pieces) {
    if (!piece.empty()) {
      std::memcpy(buffer.data() + filled, piece.data(), piece.size());
      filled += piece.size();
    }
  }
  return std::move(buffer).Freeze(filled);
}

}  // namespace weir::net

#include "net/snappy_frames.h"

#include <isa-l/crc.h>
#include <snappy.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace weir::net {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kIdentifier = "\xff\x06\x00\x00sNaPpY"sv;
constexpr std::size_t kChunkHeaderBytes = 4;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kChunkDataMax = 65536;
constexpr unsigned char kCompressed = 0x00;
constexpr unsigned char kUncompressed = 0x01;
constexpr unsigned char kIdentifierType = 0xff;
constexpr unsigned char kFirstSkippable = 0x80;

// The format stores a rotated checksum, so that data which holds checksums of itself stays sound.
std::uint32_t MaskedChecksum(const char* data, std::size_t size) {
  // ISA-L reads only, in spite of the pointer's type.
  auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(data));
  const std::uint32_t sum = ~crc32_iscsi(bytes, static_cast<int>(size), 0xffffffffU);
  return ((sum >> 15) | (sum << 17)) + 0xa282ead8U;
}

void StoreLittleEndian(char* out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out[i] = static_cast<char>(value >> (8 * i));
  }
}

std::uint32_t LoadLittleEndian(const char* in, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(in[i])) << (8 * i);
  }
  return value;
}

// Hands out the input in runs of up to kChunkDataMax bytes; copies only those that cross a border.
class ChunkReader {
 public:
  explicit ChunkReader(std::span<const Slice> input) : input_(input) {}

  std::string_view Next() {
    SkipEmpty();
    if (at_ == input_.size()) {
      return {};
    }
    const std::string_view rest = input_[at_].view().substr(offset_);
    if (rest.size() >= kChunkDataMax || at_ + 1 == input_.size()) {
      const std::string_view run = rest.substr(0, kChunkDataMax);
      offset_ += run.size();
      return run;
    }
    std::size_t filled = 0;
    while (at_ < input_.size() && filled < kChunkDataMax) {
      const std::string_view piece = input_[at_].view().substr(offset_);
      const std::size_t taken = std::min(piece.size(), kChunkDataMax - filled);
      std::memcpy(scratch_.data() + filled, piece.data(), taken);
      filled += taken;
      offset_ += taken;
      SkipEmpty();
    }
    return {scratch_.data(), filled};
  }

 private:
  void SkipEmpty() {
    while (at_ < input_.size() && offset_ == input_[at_].size()) {
      ++at_;
      offset_ = 0;
    }
  }

  std::span<const Slice> input_;
  std::size_t at_ = 0;
  std::size_t offset_ = 0;
  std::array<char, kChunkDataMax> scratch_;
};

struct Chunk {
  unsigned char type;
  std::string_view body;
};

// Takes the first chunk off `stream`. False when it is cut short.
bool TakeChunk(std::string_view& stream, Chunk& chunk) {
  if (stream.size() < kChunkHeaderBytes) {
    return false;
  }
  const std::size_t length = LoadLittleEndian(stream.data() + 1, 3);
  if (length > stream.size() - kChunkHeaderBytes) {
    return false;
  }
  chunk = {static_cast<unsigned char>(stream[0]), stream.substr(kChunkHeaderBytes, length)};
  stream.remove_prefix(kChunkHeaderBytes + length);
  return true;
}

// Bytes the chunk's data decompresses to, or nullopt when the chunk can't be right.
std::optional<std::size_t> DataBytes(const Chunk& chunk) {
  if (chunk.type == kIdentifierType) {
    return chunk.body == kIdentifier.substr(kChunkHeaderBytes) ? std::optional<std::size_t>(0)
                                                               : std::nullopt;
  }
  if (chunk.type >= kFirstSkippable) {
    return 0;
  }
  if (chunk.type > kUncompressed || chunk.body.size() < kChecksumBytes) {
    return std::nullopt;
  }
  std::size_t bytes = chunk.body.size() - kChecksumBytes;
  if (chunk.type == kCompressed &&
      !snappy::GetUncompressedLength(chunk.body.data() + kChecksumBytes, bytes, &bytes)) {
    return std::nullopt;
  }
  return bytes <= kChunkDataMax ? std::optional(bytes) : std::nullopt;
}

bool DecodeChunk(const Chunk& chunk, char* out, std::size_t bytes) {
  const std::string_view data = chunk.body.substr(kChecksumBytes);
  if (chunk.type == kUncompressed) {
    std::memcpy(out, data.data(), bytes);
  } else if (!snappy::RawUncompress(data.data(), data.size(), out)) {
    return false;
  }
  return LoadLittleEndian(chunk.body.data(), 4) == MaskedChecksum(out, bytes);
}

}  // namespace

bool IsSnappyFramed(std::string_view stream) {
  return stream.substr(0, kIdentifier.size()) == kIdentifier;
}

Slice CompressSnappyFrames(std::span<const Slice> input, MemoryBudget* budget) {
  const std::size_t total = TotalBytes(input);
  const std::size_t chunks = total / kChunkDataMax + 1;
  // The block bound of a chunk is 32 bytes and a sixth more than its data.
  const std::size_t capacity =
      kIdentifier.size() + total + total / 6 + chunks * (kChunkHeaderBytes + kChecksumBytes + 32);
  MutableBuffer buffer = MutableBuffer::Allocate(capacity, budget);
  char* out = buffer.data();
  std::memcpy(out, kIdentifier.data(), kIdentifier.size());
  out += kIdentifier.size();
  ChunkReader reader(input);
  for (std::string_view run = reader.Next(); !run.empty(); run = reader.Next()) {
    char* const body = out + kChunkHeaderBytes + kChecksumBytes;
    std::size_t size = 0;
    snappy::RawCompress(run.data(), run.size(), body, &size);
    const bool shrank = size < run.size() - run.size() / 8;
    if (!shrank) {
      size = run.size();
      std::memcpy(body, run.data(), size);
    }
    out[0] = static_cast<char>(shrank ? kCompressed : kUncompressed);
    StoreLittleEndian(out + 1, static_cast<std::uint32_t>(size + kChecksumBytes), 3);
    StoreLittleEndian(out + kChunkHeaderBytes, MaskedChecksum(run.data(), run.size()), 4);
    out = body + size;
  }
  const auto used = static_cast<std::size_t>(out - buffer.data());
  if (used >= buffer.capacity() / 2) {
    return std::move(buffer).Freeze(used);
  }
  return Slice::Copy({buffer.data(), used}, budget);
}

Decompressed DecompressSnappyFrames(std::string_view stream, std::size_t limit_bytes,
                                    MemoryBudget* budget) {
  if (!IsSnappyFramed(stream)) {
    return {.bytes = {}, .fault = DecompressFault::kMalformed};
  }
  // A first pass over the chunk headers finds the size, so that one allocation suffices.
  std::size_t total = 0;
  Chunk chunk;
  for (std::string_view rest = stream; !rest.empty();) {
    std::optional<std::size_t> bytes;
    if (!TakeChunk(rest, chunk) || !(bytes = DataBytes(chunk)).has_value()) {
      return {.bytes = {}, .fault = DecompressFault::kMalformed};
    }
    total += *bytes;
    if (total > limit_bytes) {
      return {.bytes = {}, .fault = DecompressFault::kTooLarge};
    }
  }
  MutableBuffer buffer = MutableBuffer::Allocate(total, budget);
  char* out = buffer.data();
  for (std::string_view rest = stream; TakeChunk(rest, chunk);) {
    const std::size_t bytes = *DataBytes(chunk);
    if (chunk.type <= kUncompressed) {
      if (!DecodeChunk(chunk, out, bytes)) {
        return {.bytes = {}, .fault = DecompressFault::kMalformed};
      }
      out += bytes;
    }
  }
  return {.bytes = std::move(buffer).Freeze(total)};
}

}  // namespace weir::net

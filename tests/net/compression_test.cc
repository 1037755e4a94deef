#include "net/compression.h"

#include <libdeflate.h>
#include <snappy.h>
#include <zstd.h>

#include <cstring>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir::net {
namespace {

constexpr std::size_t kLimit = std::size_t{64} << 20;

std::vector<Slice> Pieces(std::string_view bytes, std::size_t piece_bytes) {
  std::vector<Slice> pieces;
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    pieces.push_back(Slice::Copy(bytes.substr(at, piece_bytes)));
  }
  return pieces;
}

std::string Telemetry(std::size_t size) {
  std::mt19937_64 random(7);
  std::string text;
  while (text.size() < size) {
    text += "http.request.method\x12\x05GET url.path /api/v1/cart/" + std::to_string(random());
  }
  text.resize(size);
  return text;
}

std::string Noise(std::size_t size) {
  std::mt19937_64 random(11);
  std::string bytes(size, 0);
  for (char& byte : bytes) {
    byte = static_cast<char>(random());
  }
  return bytes;
}

std::string Compressed(Compression compression, std::string_view bytes) {
  return std::string(Compress(compression, Pieces(bytes, bytes.size() + 1)).view());
}

Decompressed DecompressString(Compression compression, std::string_view bytes,
                              std::size_t limit = kLimit, MemoryBudget* budget = nullptr) {
  const Slice slice = Slice::Copy(bytes);
  return Decompress(compression, {&slice, 1}, limit, budget);
}

class RoundTrip : public testing::TestWithParam<std::tuple<Compression, int>> {};

// Scenario: bodies of many sizes and kinds, in pieces of many sizes, there and back.
// Guarantees: the same bytes, all charges returned, no result over twice its size.
TEST_P(RoundTrip, GivesTheSameBytes) {
  const auto [compression, level] = GetParam();
  ASSERT_TRUE(ValidateCompressionLevel(compression, level).ok());
  MemoryBudget budget;
  for (const std::size_t size : {0, 1, 17, 4096, 65535, 65536, 65537, 700000}) {
    for (const std::string& text : {Telemetry(size), Noise(size)}) {
      for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}, size + 1}) {
        const Slice packed =
            Compress(compression, Pieces(text, piece), {.level = level, .budget = &budget});
        const Decompressed result =
            Decompress(compression, Pieces(packed.view(), piece), text.size(), &budget);
        ASSERT_EQ(result.fault, DecompressFault::kNone) << size << " by " << piece;
        ASSERT_TRUE(result.bytes.view() == text) << size << " by " << piece;
        if (compression != Compression::kNone) {
          EXPECT_LE(packed.allocated_bytes(), packed.size() * 2 + 1) << size;
        }
      }
    }
  }
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_GT(budget.peak(), 700000u);
}

INSTANTIATE_TEST_SUITE_P(
    All, RoundTrip,
    testing::Values(std::tuple(Compression::kNone, -1), std::tuple(Compression::kGzip, -2),
                    std::tuple(Compression::kGzip, -1), std::tuple(Compression::kGzip, 0),
                    std::tuple(Compression::kGzip, 1), std::tuple(Compression::kGzip, 9),
                    std::tuple(Compression::kZlib, -1), std::tuple(Compression::kZlib, 6),
                    std::tuple(Compression::kDeflate, -1), std::tuple(Compression::kSnappy, -1),
                    std::tuple(Compression::kSnappyFramed, 0), std::tuple(Compression::kZstd, -1),
                    std::tuple(Compression::kZstd, 3), std::tuple(Compression::kZstd, 1000),
                    std::tuple(Compression::kLz4, -1)),
    [](const auto& tested) {
      const int level = std::get<1>(tested.param);
      std::string name(CompressionName(std::get<0>(tested.param)));
      std::erase(name, '-');
      return name + (level < 0 ? "_minus" : "_") + std::to_string(std::abs(level));
    });

class Hostile : public testing::TestWithParam<Compression> {};

// Scenario: a body cut at every length, and one with each byte damaged.
// Guarantees: no crash and never wrong bytes of a format with a checksum; a cut is always
// malformed.
TEST_P(Hostile, CutAndDamaged) {
  const Compression compression = GetParam();
  const std::string text = Telemetry(3000);
  const std::string good = Compressed(compression, text);
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    const Decompressed result = DecompressString(compression, good.substr(0, cut), 1 << 16);
    // A framed stream may end after its identifier, and says nothing of how many chunks it has.
    if (compression != Compression::kSnappyFramed) {
      ASSERT_FALSE(result.ok()) << cut;
    }
  }
  const bool checked = compression == Compression::kGzip || compression == Compression::kZlib;
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    const Decompressed result = DecompressString(compression, bad, 1 << 16);
    if (checked && result.ok()) {
      ASSERT_TRUE(result.bytes.view() == text) << at;
    }
  }
  EXPECT_EQ(DecompressString(compression, good + "trailing bytes").fault,
            DecompressFault::kMalformed);
  EXPECT_EQ(DecompressString(compression, Noise(5000)).fault, DecompressFault::kMalformed);
}

// Scenario: 32 MiB of zeros, which every format packs hundreds of times, against a 1 MiB limit.
// Guarantees: kTooLarge, and at no moment more than the limit was allocated.
TEST_P(Hostile, Bomb) {
  const Compression compression = GetParam();
  const std::string bomb = Compressed(compression, std::string(std::size_t{32} << 20, '\0'));
  MemoryBudget budget;
  const std::size_t limit = std::size_t{1} << 20;
  EXPECT_EQ(DecompressString(compression, bomb, limit, &budget).fault, DecompressFault::kTooLarge);
  EXPECT_LE(budget.peak(), limit);
  EXPECT_EQ(budget.used(), 0u);
}

// Scenario: a body of exactly the limit, and one byte less of limit.
TEST_P(Hostile, LimitIsExact) {
  const std::string text = Telemetry(100000);
  const std::string packed = Compressed(GetParam(), text);
  EXPECT_TRUE(DecompressString(GetParam(), packed, text.size()).ok());
  EXPECT_EQ(DecompressString(GetParam(), packed, text.size() - 1).fault,
            DecompressFault::kTooLarge);
}

INSTANTIATE_TEST_SUITE_P(All, Hostile,
                         testing::Values(Compression::kGzip, Compression::kZlib,
                                         Compression::kSnappy, Compression::kSnappyFramed,
                                         Compression::kZstd, Compression::kLz4),
                         [](const auto& tested) {
                           std::string name(CompressionName(tested.param));
                           std::erase(name, '-');
                           return name;
                         });

TEST(Decompress, ReadsSeveralGzipMembers) {
  const std::string text = Telemetry(50000);
  std::string members;
  for (std::size_t at = 0; at < text.size(); at += 1000) {
    members += Compressed(Compression::kGzip, text.substr(at, 1000));
  }
  members += Compressed(Compression::kGzip, "");
  const Decompressed result = DecompressString(Compression::kGzip, members);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.bytes.view() == text);
  EXPECT_EQ(DecompressString(Compression::kGzip, members, text.size() - 1).fault,
            DecompressFault::kTooLarge);
}

// Scenario: the size a gzip body states is not the size it has.
// Guarantees: malformed, with nothing larger than the limit (here: than what it states) allocated.
TEST(Decompress, GzipThatLiesAboutItsSize) {
  const std::string good = Compressed(Compression::kGzip, Telemetry(5000));
  for (const std::string& size : {std::string("\xff\xff\xff\xff"), std::string("\x01\0\0\0", 4),
                                  std::string("\0\0\x0f\0", 4)}) {
    MemoryBudget budget;
    const std::string lie = good.substr(0, good.size() - 4) + size;
    EXPECT_EQ(DecompressString(Compression::kGzip, lie, kLimit, &budget).fault,
              DecompressFault::kMalformed);
    EXPECT_LE(budget.peak(), std::size_t{1} << 20);
  }
}

TEST(Decompress, DeflateMeansZlibOrBare) {
  const std::string text = Telemetry(5000);
  std::string bare(10000, 0);
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(6);
  bare.resize(
      libdeflate_deflate_compress(compressor, text.data(), text.size(), bare.data(), bare.size()));
  libdeflate_free_compressor(compressor);
  EXPECT_TRUE(DecompressString(Compression::kDeflate, bare).bytes.view() == text);
  EXPECT_TRUE(
      DecompressString(Compression::kDeflate, Compressed(Compression::kZlib, text)).bytes.view() ==
      text);
  EXPECT_EQ(DecompressString(Compression::kZlib, bare).fault, DecompressFault::kMalformed);
}

TEST(Decompress, ReadsZstdFramesOneAfterAnother) {
  const std::string text = Telemetry(300000);
  // The first states its size, so that the guess is too small for both.
  const std::string frames = Compressed(Compression::kZstd, text.substr(0, 1000)) +
                             Compressed(Compression::kZstd, text.substr(1000));
  EXPECT_TRUE(DecompressString(Compression::kZstd, frames).bytes.view() == text);
}

TEST(Decompress, ReadsZstdWithoutAStatedSize) {
  const std::string text(1 << 20, 'x');
  std::string packed(ZSTD_compressBound(text.size()), 0);
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  EXPECT_TRUE(DecompressString(Compression::kZstd, packed, text.size()).bytes.view() == text);
  EXPECT_EQ(DecompressString(Compression::kZstd, packed, 1000).fault, DecompressFault::kTooLarge);
}

TEST(Decompress, SnappyTellsItsTwoFormatsApart) {
  const std::string text = Telemetry(200000);
  const std::string framed = Compressed(Compression::kSnappyFramed, text);
  EXPECT_TRUE(DecompressString(Compression::kSnappy, framed).bytes.view() == text);
  const std::string block = Compressed(Compression::kSnappy, text);
  std::string plain;
  ASSERT_TRUE(snappy::Uncompress(block.data(), block.size(), &plain));
  EXPECT_EQ(plain, text);
  EXPECT_EQ(DecompressString(Compression::kSnappyFramed, block).fault, DecompressFault::kMalformed);
}

// Scenario: the example of the format's text: "123456789" has the checksum 0xe3069283.
TEST(Decompress, SnappyFramesCarryTheMaskedChecksum) {
  const std::string framed = Compressed(Compression::kSnappyFramed, "123456789");
  ASSERT_EQ(framed.size(), 10 + 4 + 4 + 9u);
  std::uint32_t stored = 0;
  std::memcpy(&stored, framed.data() + 14, 4);
  EXPECT_EQ(stored, ((0xe3069283u >> 15) | (0xe3069283u << 17)) + 0xa282ead8u);

  std::string damaged = framed;
  damaged.back() = 'X';
  EXPECT_EQ(DecompressString(Compression::kSnappyFramed, damaged).fault,
            DecompressFault::kMalformed);
  const std::string padded = framed + std::string("\xfe\x02\x00\x00zz", 6) + framed;
  EXPECT_EQ(DecompressString(Compression::kSnappyFramed, padded).bytes.view(),
            "123456789123456789");
  const std::string unknown = framed + std::string("\x02\x02\x00\x00zz", 6);
  EXPECT_EQ(DecompressString(Compression::kSnappyFramed, unknown).fault,
            DecompressFault::kMalformed);
}

TEST(Compression, NamesAreTheCollectors) {
  for (const char* name :
       {"none", "gzip", "zlib", "deflate", "snappy", "x-snappy-framed", "zstd", "lz4"}) {
    const auto parsed = ParseCompression(name);
    ASSERT_TRUE(parsed.has_value()) << name;
    EXPECT_EQ(CompressionName(*parsed), name);
  }
  EXPECT_EQ(ParseCompression(""), Compression::kNone);
  EXPECT_EQ(ParseCompression("identity"), Compression::kNone);
  EXPECT_EQ(ParseCompression("GZIP"), std::nullopt);
  EXPECT_EQ(ParseCompression("br"), std::nullopt);
  EXPECT_EQ(GrpcCompression(Compression::kSnappy), Compression::kSnappyFramed);
  EXPECT_EQ(GrpcCompression(Compression::kGzip), Compression::kGzip);
}

TEST(Compression, LevelsAreTheCollectors) {
  EXPECT_FALSE(ValidateCompressionLevel(Compression::kGzip, 10).ok());
  EXPECT_FALSE(ValidateCompressionLevel(Compression::kZlib, -3).ok());
  EXPECT_FALSE(ValidateCompressionLevel(Compression::kSnappy, 3).ok());
  EXPECT_FALSE(ValidateCompressionLevel(Compression::kNone, 3).ok());
  EXPECT_TRUE(ValidateCompressionLevel(Compression::kSnappy, 0).ok());
  EXPECT_TRUE(ValidateCompressionLevel(Compression::kZstd, 11).ok());
}

TEST(Compression, HigherLevelsPackTighter) {
  const std::vector<Slice> input = Pieces(Telemetry(500000), 50000);
  const auto size = [&](Compression compression, int level) {
    return Compress(compression, input, {.level = level}).size();
  };
  EXPECT_LT(size(Compression::kGzip, 9), size(Compression::kGzip, -1));
  EXPECT_LT(size(Compression::kGzip, -1), size(Compression::kGzip, 0));
}

}  // namespace
}  // namespace weir::net

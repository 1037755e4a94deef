// The bytes of a segment, version 1. docs/journal_format.md is the reference.
//
//   segment := header record* [footer]
//   record  := head payload padding       footer := entry* trailer
//
// Everything is little-endian and starts at a multiple of 8.
//
// Threads: pure functions.
// Invariants: a decoder accepts what its checksum covers and nothing else; every length it returns
// lies within the bytes it was given, or within the limits below.

#ifndef WEIR_JOURNAL_FORMAT_H_
#define WEIR_JOURNAL_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "journal/record.h"

namespace weir::journal {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kReadersMax = 64;
// A length beyond these is damage, so a reader never allocates more for a corrupt one.
inline constexpr std::uint64_t kRecordBytesMax = std::uint64_t{1} << 30;
inline constexpr std::uint32_t kHeadBytesMax = 16 << 20;

inline constexpr std::size_t kSegmentHeaderBytes = 48;     // The fixed part.
inline constexpr std::size_t kSegmentHeaderMax = 1 << 16;  // With names.
inline constexpr std::size_t kRecordHeadBytes = 72;        // The fixed part.
inline constexpr std::uint32_t kRecordMagic = 0x43455257;  // "WREC"
inline constexpr std::size_t kEntryBytes = 32;
inline constexpr std::size_t kTrailerBytes = 48;

constexpr std::uint64_t AlignedUp(std::uint64_t bytes) { return (bytes + 7) & ~std::uint64_t{7}; }

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t seed = 0);

// "0000000000000001.segment"; nullopt for any other name.
std::string SegmentName(std::uint64_t number);
std::optional<std::uint64_t> SegmentNumber(std::string_view name);

struct SegmentHeader {
  std::uint64_t number = 0;
  Sequence first_sequence = 0;
  std::int64_t created_unix_ns = 0;
  std::vector<std::string> readers;  // Bit i of its records' destinations is readers[i].
  std::uint32_t header_bytes = 0;    // Where the records begin.
};

enum class HeaderState : std::uint8_t { kGood, kDamaged, kUnknownVersion };

std::string EncodeSegmentHeader(const SegmentHeader& header);
// kUnknownVersion is sure of the magic only.
HeaderState DecodeSegmentHeader(std::string_view bytes, SegmentHeader& header);

// What is in front of a record's payload.
struct RecordHead {
  std::uint32_t head_bytes = 0;  // With parts, context and padding.
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_crc = 0;
  Sequence sequence = 0;
  // Everything up to here was known to be on the disk when this was written: damage above it is the
  // end that a crash tore off, damage below it is damage.
  Sequence synced = 0;
  std::uint32_t slot = 0;
  std::int64_t received_unix_ns = 0;
  ReaderMask destinations = 0;
  Signal signal = Signal::kTraces;
  std::uint32_t context_bytes = 0;
  std::uint32_t part_count = 0;

  std::uint64_t record_bytes() const {
    return AlignedUp(std::uint64_t{head_bytes} + payload_bytes);
  }
};

// Bytes of `record`'s head, and of all of it. InvalidArgument where it is larger than may be.
absl::Status CheckRecordSize(const Record& record);
std::uint64_t RecordBytes(const Record& record);
// Appends the head of `record` to `out`.
void EncodeRecordHead(const Record& record, Sequence sequence, Sequence synced,
                      std::uint32_t payload_crc, std::string& out);

// The fixed part only, which says how long the head is; its checksum is not looked at.
// nullopt when it cannot be one.
std::optional<RecordHead> PeekRecordHead(std::string_view bytes);
// REQUIRES: bytes.size() == head.head_bytes, and PeekRecordHead gave `head`. False when damaged.
bool CheckRecordHead(std::string_view bytes, const RecordHead& head);
// A whole record into slices of `bytes`. nullopt when damaged.
std::optional<StoredRecord> DecodeRecord(const Slice& bytes);

// Where a record is in its segment, and what the books need of it. One of a hole is all zero.
struct Entry {
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
  std::uint32_t items = 0;
  std::uint32_t received_seconds = 0;
  ReaderMask destinations = 0;
  Signal signal = Signal::kTraces;

  bool hole() const { return bytes == 0; }
  bool operator==(const Entry&) const = default;
};
Entry MakeEntry(const Record& record, std::uint32_t offset);

// Entries of consecutive sequences from `first` on, with the trailer behind them.
std::string EncodeFooter(std::uint64_t number, Sequence first, std::uint64_t footer_offset,
                         std::span<const Entry> entries);

struct Trailer {
  std::uint64_t footer_offset = 0;
  std::uint32_t entry_count = 0;
  std::uint32_t entries_crc = 0;
  std::uint64_t number = 0;
  Sequence first_sequence = 0;
};
std::optional<Trailer> DecodeTrailer(std::string_view bytes);
std::optional<std::vector<Entry>> DecodeEntries(std::string_view bytes, const Trailer& trailer);

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_FORMAT_H_

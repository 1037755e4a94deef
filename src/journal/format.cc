#include "journal/format.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "journal/bytes.h"
#include "weir/base/check.h"
#include "weir/base/status.h"

namespace weir::journal {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSegmentMagic = "WEIRSEG\n"sv;
constexpr std::string_view kTrailerMagic = "WEIREND\n"sv;
constexpr std::string_view kSuffix = ".segment"sv;
constexpr std::size_t kNumberDigits = 16;
constexpr std::size_t kHeaderCrcAt = 44;
constexpr std::size_t kPartBytes = 8;

std::uint64_t HeadBytes(const Record& record) {
  return AlignedUp(kRecordHeadBytes + (record.parts.size() * kPartBytes) + record.context.size());
}

}  // namespace

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t seed) {
  // ISA-L reads only, in spite of the pointer's type, and counts in int.
  constexpr std::size_t kPieceMax = std::size_t{1} << 30;
  std::uint32_t state = ~seed;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPieceMax);
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(piece.data()));
    state = crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes.remove_prefix(piece.size());
  }
  return ~state;
}

std::string SegmentName(std::uint64_t number) { return fmt::format("{:016}{}", number, kSuffix); }

std::optional<std::uint64_t> SegmentNumber(std::string_view name) {
  if (name.size() != kNumberDigits + kSuffix.size() || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  const char* const end = name.data() + kNumberDigits;
  const auto [stop, error] = std::from_chars(name.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string out(kSegmentMagic);
  Put<std::uint32_t>(out, kFormatVersion);
  Put<std::uint32_t>(out, 0);  // header_bytes, below.
  Put<std::uint64_t>(out, header.number);
  Put<std::uint64_t>(out, header.first_sequence);
  Put<std::int64_t>(out, header.created_unix_ns);
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(header.readers.size()));
  Put<std::uint32_t>(out, 0);  // The checksum, below.
  for (const std::string& name : header.readers) {
    PutName(out, name);
  }
  out.resize(AlignedUp(out.size()));
  PutAt<std::uint32_t>(out, 12, static_cast<std::uint32_t>(out.size()));
  PutAt<std::uint32_t>(out, kHeaderCrcAt, Crc32c(out));
  return out;
}

HeaderState DecodeSegmentHeader(std::string_view bytes, SegmentHeader& header) {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kSegmentMagic)) {
    return HeaderState::kDamaged;
  }
  const auto header_bytes = GetAt<std::uint32_t>(bytes, 12);
  const bool version_known = GetAt<std::uint32_t>(bytes, 8) == kFormatVersion;
  if (header_bytes < kSegmentHeaderBytes || header_bytes > kSegmentHeaderMax ||
      header_bytes > bytes.size() || header_bytes % 8 != 0) {
    return version_known ? HeaderState::kDamaged : HeaderState::kUnknownVersion;
  }
  std::string covered(bytes.substr(0, header_bytes));
  PutAt<std::uint32_t>(covered, kHeaderCrcAt, 0);
  // A flipped bit in the version must not make a whole segment invisible, so where the checksum
  // holds with our version it is ours.
  PutAt<std::uint32_t>(covered, 8, kFormatVersion);
  if (Crc32c(covered) != GetAt<std::uint32_t>(bytes, kHeaderCrcAt)) {
    return version_known ? HeaderState::kDamaged : HeaderState::kUnknownVersion;
  }
  ByteCursor cursor(std::string_view(covered).substr(16));
  header.header_bytes = header_bytes;
  header.number = cursor.Take<std::uint64_t>();
  header.first_sequence = cursor.Take<std::uint64_t>();
  header.created_unix_ns = cursor.Take<std::int64_t>();
  const auto readers = cursor.Take<std::uint32_t>();
  cursor.Take<std::uint32_t>();
  header.readers.clear();
  for (std::uint32_t i = 0; i < readers && cursor.ok() && i < kReadersMax; ++i) {
    header.readers.push_back(cursor.TakeName());
  }
  return cursor.ok() && readers <= kReadersMax ? HeaderState::kGood : HeaderState::kDamaged;
}

absl::Status CheckRecordSize(const Record& record) {
  const std::uint64_t head = HeadBytes(record);
  if (head > kHeadBytesMax) {
    return InvalidArgument("a record with {} parts and {} bytes of context is too large",
                           record.parts.size(), record.context.size());
  }
  if (head + record.payload_bytes() > kRecordBytesMax) {
    return InvalidArgument("a record of {} bytes is too large", record.payload_bytes());
  }
  if (record.items() > std::numeric_limits<std::uint32_t>::max()) {
    return InvalidArgument("a record of {} items is too large", record.items());
  }
  return absl::OkStatus();
}

std::uint64_t RecordBytes(const Record& record) {
  return AlignedUp(HeadBytes(record) + record.payload_bytes());
}

void EncodeRecordHead(const Record& record, Sequence sequence, Sequence synced,
                      std::uint32_t payload_crc, std::string& out) {
  const std::size_t start = out.size();
  const std::uint64_t head_bytes = HeadBytes(record);
  Put<std::uint32_t>(out, kRecordMagic);
  Put<std::uint32_t>(out, 0);  // The head's checksum, below.
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(head_bytes));
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(record.payload_bytes()));
  Put<std::uint32_t>(out, payload_crc);
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(record.context.size()));
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(record.parts.size()));
  Put<std::uint32_t>(out, record.slot);
  Put<std::uint64_t>(out, sequence);
  Put<std::uint64_t>(out, synced);
  Put<std::int64_t>(out, record.received_unix_ns);
  Put<std::uint64_t>(out, record.destinations);
  Put<std::uint64_t>(out, SignalIndex(record.signal));
  for (const Part& part : record.parts) {
    Put<std::uint32_t>(out, static_cast<std::uint32_t>(part.bytes.size()));
    Put<std::uint32_t>(out, static_cast<std::uint32_t>(part.items));
  }
  out.append(record.context.view());
  out.resize(start + head_bytes);
  PutAt<std::uint32_t>(out, start + 4, Crc32c(std::string_view(out).substr(start + 8)));
}

std::optional<RecordHead> PeekRecordHead(std::string_view bytes) {
  if (bytes.size() < kRecordHeadBytes || GetAt<std::uint32_t>(bytes, 0) != kRecordMagic) {
    return std::nullopt;
  }
  const auto signal = GetAt<std::uint64_t>(bytes, 64);
  RecordHead head;
  head.head_bytes = GetAt<std::uint32_t>(bytes, 8);
  head.payload_bytes = GetAt<std::uint32_t>(bytes, 12);
  head.payload_crc = GetAt<std::uint32_t>(bytes, 16);
  head.context_bytes = GetAt<std::uint32_t>(bytes, 20);
  head.part_count = GetAt<std::uint32_t>(bytes, 24);
  head.slot = GetAt<std::uint32_t>(bytes, 28);
  head.sequence = GetAt<std::uint64_t>(bytes, 32);
  head.synced = GetAt<std::uint64_t>(bytes, 40);
  head.received_unix_ns = GetAt<std::int64_t>(bytes, 48);
  head.destinations = GetAt<std::uint64_t>(bytes, 56);
  head.signal = static_cast<Signal>(signal);
  const std::uint64_t expected = AlignedUp(
      kRecordHeadBytes + (std::uint64_t{head.part_count} * kPartBytes) + head.context_bytes);
  if (signal >= kSignalCount || head.head_bytes != expected || expected > kHeadBytesMax ||
      expected + head.payload_bytes > kRecordBytesMax || head.sequence == 0) {
    return std::nullopt;
  }
  return head;
}

bool CheckRecordHead(std::string_view bytes, const RecordHead& head) {
  WEIR_CHECK(bytes.size() == head.head_bytes);
  if (Crc32c(bytes.substr(8)) != GetAt<std::uint32_t>(bytes, 4)) {
    return false;
  }
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < head.part_count; ++i) {
    sum += GetAt<std::uint32_t>(bytes, kRecordHeadBytes + (i * kPartBytes));
  }
  return sum == head.payload_bytes;
}

std::optional<StoredRecord> DecodeRecord(const Slice& bytes) {
  const std::optional<RecordHead> head = PeekRecordHead(bytes.view());
  if (!head.has_value() || head->record_bytes() != bytes.size() ||
      !CheckRecordHead(bytes.view().substr(0, head->head_bytes), *head) ||
      Crc32c(bytes.view().substr(head->head_bytes, head->payload_bytes)) != head->payload_crc) {
    return std::nullopt;
  }
  StoredRecord stored{.sequence = head->sequence};
  stored.record.signal = head->signal;
  stored.record.slot = head->slot;
  stored.record.received_unix_ns = head->received_unix_ns;
  stored.record.destinations = head->destinations;
  stored.record.context = bytes.Sub(kRecordHeadBytes + (std::size_t{head->part_count} * kPartBytes),
                                    head->context_bytes);
  stored.record.parts.reserve(head->part_count);
  std::size_t at = head->head_bytes;
  for (std::uint32_t i = 0; i < head->part_count; ++i) {
    const std::size_t part_at = kRecordHeadBytes + (i * kPartBytes);
    const auto size = GetAt<std::uint32_t>(bytes.view(), part_at);
    stored.record.parts.push_back(
        {.bytes = bytes.Sub(at, size), .items = GetAt<std::uint32_t>(bytes.view(), part_at + 4)});
    at += size;
  }
  return stored;
}

Entry MakeEntry(const Record& record, std::uint32_t offset) {
  constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
  const std::int64_t seconds = record.received_unix_ns / kNanosecondsPerSecond;
  return {.offset = offset,
          .bytes = static_cast<std::uint32_t>(RecordBytes(record)),
          .items = static_cast<std::uint32_t>(record.items()),
          .received_seconds = static_cast<std::uint32_t>(
              std::clamp<std::int64_t>(seconds, 0, std::numeric_limits<std::uint32_t>::max())),
          .destinations = record.destinations,
          .signal = record.signal};
}

std::string EncodeFooter(std::uint64_t number, Sequence first, std::uint64_t footer_offset,
                         std::span<const Entry> entries) {
  std::string out;
  out.reserve((entries.size() * kEntryBytes) + kTrailerBytes);
  for (const Entry& entry : entries) {
    Put<std::uint32_t>(out, entry.offset);
    Put<std::uint32_t>(out, entry.bytes);
    Put<std::uint32_t>(out, entry.items);
    Put<std::uint32_t>(out, entry.received_seconds);
    Put<std::uint64_t>(out, entry.destinations);
    Put<std::uint64_t>(out, SignalIndex(entry.signal));
  }
  const std::uint32_t entries_crc = Crc32c(out);
  const std::size_t start = out.size();
  Put<std::uint64_t>(out, footer_offset);
  Put<std::uint64_t>(out, number);
  Put<std::uint64_t>(out, first);
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(entries.size()));
  Put<std::uint32_t>(out, entries_crc);
  Put<std::uint32_t>(out, kFormatVersion);
  Put<std::uint32_t>(out, Crc32c(std::string_view(out).substr(start)));
  out.append(kTrailerMagic);
  return out;
}

std::optional<Trailer> DecodeTrailer(std::string_view bytes) {
  if (bytes.size() != kTrailerBytes || !bytes.ends_with(kTrailerMagic) ||
      Crc32c(bytes.substr(0, 36)) != GetAt<std::uint32_t>(bytes, 36) ||
      GetAt<std::uint32_t>(bytes, 32) != kFormatVersion) {
    return std::nullopt;
  }
  return Trailer{.footer_offset = GetAt<std::uint64_t>(bytes, 0),
                 .entry_count = GetAt<std::uint32_t>(bytes, 24),
                 .entries_crc = GetAt<std::uint32_t>(bytes, 28),
                 .number = GetAt<std::uint64_t>(bytes, 8),
                 .first_sequence = GetAt<std::uint64_t>(bytes, 16)};
}

std::optional<std::vector<Entry>> DecodeEntries(std::string_view bytes, const Trailer& trailer) {
  if (bytes.size() != std::size_t{trailer.entry_count} * kEntryBytes ||
      Crc32c(bytes) != trailer.entries_crc) {
    return std::nullopt;
  }
  std::vector<Entry> entries;
  entries.reserve(trailer.entry_count);
  for (ByteCursor cursor(bytes); cursor.left() > 0;) {
    Entry& entry = entries.emplace_back();
    entry.offset = cursor.Take<std::uint32_t>();
    entry.bytes = cursor.Take<std::uint32_t>();
    entry.items = cursor.Take<std::uint32_t>();
    entry.received_seconds = cursor.Take<std::uint32_t>();
    entry.destinations = cursor.Take<std::uint64_t>();
    const auto signal = cursor.Take<std::uint64_t>();
    if (signal >= kSignalCount ||
        std::uint64_t{entry.offset} + entry.bytes > trailer.footer_offset) {
      return std::nullopt;
    }
    entry.signal = static_cast<Signal>(signal);
  }
  return entries;
}

}  // namespace weir::journal

#include "journal/segment_scan.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "journal/bytes.h"
#include "journal/file_io.h"
#include "weir/base/status.h"

namespace weir::journal {
namespace {

// Reads ahead, so that small records do not cost a call each.
class Window {
 public:
  static constexpr std::size_t kBytes = 1 << 20;

  Window(const File& file, std::uint64_t file_bytes) : file_(file), file_bytes_(file_bytes) {}

  // Up to `size` bytes from `offset` on, fewer at the end of the file. Valid until the next call.
  absl::StatusOr<std::string_view> Peek(std::uint64_t offset, std::size_t size) {
    const std::uint64_t left = offset < file_bytes_ ? file_bytes_ - offset : 0;
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, left));
    if (offset < start_ || offset + size > start_ + buffer_.size()) {
      const std::uint64_t wanted = std::min<std::uint64_t>(std::max(size, kBytes), left);
      buffer_.resize(static_cast<std::size_t>(wanted));
      start_ = offset;
      WEIR_ASSIGN_OR_RETURN(const std::size_t got, file_.ReadAt(buffer_, offset));
      buffer_.resize(got);
      size = std::min(size, got);
    }
    return std::string_view(buffer_).substr(static_cast<std::size_t>(offset - start_), size);
  }

 private:
  const File& file_;
  const std::uint64_t file_bytes_;
  std::uint64_t start_ = 0;
  std::string buffer_;
};

class Scanner {
 public:
  Scanner(const File& file, SegmentScan& scan)
      : window_(file, scan.file_bytes), scan_(scan), limit_(scan.file_bytes) {}

  absl::Status Header() {
    WEIR_ASSIGN_OR_RETURN(const std::string_view bytes, window_.Peek(0, kSegmentHeaderMax));
    scan_.header_state = DecodeSegmentHeader(bytes, scan_.header);
    if (scan_.header_state != HeaderState::kGood) {
      scan_.header = {};
    }
    return absl::OkStatus();
  }

  // The footer's entries, where it is whole.
  absl::StatusOr<std::optional<std::vector<Entry>>> Footer() {
    std::optional<std::vector<Entry>> none;
    if (scan_.file_bytes < kTrailerBytes) {
      return none;
    }
    const std::uint64_t trailer_at = scan_.file_bytes - kTrailerBytes;
    WEIR_ASSIGN_OR_RETURN(const std::string_view tail, window_.Peek(trailer_at, kTrailerBytes));
    const std::optional<Trailer> trailer = DecodeTrailer(tail);
    if (!trailer.has_value() || trailer->footer_offset > trailer_at ||
        trailer_at - trailer->footer_offset != std::uint64_t{trailer->entry_count} * kEntryBytes) {
      return none;
    }
    limit_ = trailer->footer_offset;
    WEIR_ASSIGN_OR_RETURN(
        const std::string_view bytes,
        window_.Peek(limit_, static_cast<std::size_t>(trailer_at - trailer->footer_offset)));
    std::optional<std::vector<Entry>> entries = DecodeEntries(bytes, *trailer);
    if (entries.has_value()) {
      scan_.first = trailer->first_sequence;
    }
    return entries;
  }

  absl::Status Records() {
    std::uint64_t at = scan_.header_state == HeaderState::kGood ? scan_.header.header_bytes : 0;
    scan_.end_offset = at;
    while (at + kRecordHeadBytes <= limit_) {
      WEIR_ASSIGN_OR_RETURN(const std::optional<RecordHead> head, HeadAt(at));
      if (!head.has_value()) {
        WEIR_ASSIGN_OR_RETURN(at, NextMagic(at + 8));
        continue;
      }
      if (at + head->record_bytes() > limit_) {
        // Torn, or a head that lies in some payload: whatever is behind it has a magic of its own.
        WEIR_ASSIGN_OR_RETURN(at, NextMagic(at + 8));
        continue;
      }
      WEIR_ASSIGN_OR_RETURN(const bool whole, PayloadIsWhole(at, *head));
      if (whole) {
        Take(at, *head);
      }
      at += head->record_bytes();
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::optional<RecordHead>> HeadAt(std::uint64_t at) {
    WEIR_ASSIGN_OR_RETURN(std::string_view bytes, window_.Peek(at, kRecordHeadBytes));
    std::optional<RecordHead> head = PeekRecordHead(bytes);
    if (!head.has_value() || at + head->head_bytes > limit_) {
      return std::optional<RecordHead>();
    }
    WEIR_ASSIGN_OR_RETURN(bytes, window_.Peek(at, head->head_bytes));
    if (bytes.size() != head->head_bytes || !CheckRecordHead(bytes, *head)) {
      head.reset();
    }
    items_ = 0;
    for (std::uint32_t i = 0; head.has_value() && i < head->part_count; ++i) {
      items_ += GetAt<std::uint32_t>(bytes, kRecordHeadBytes + (std::size_t{i} * 8) + 4);
    }
    return head;
  }

  absl::StatusOr<std::uint64_t> NextMagic(std::uint64_t at) {
    while (at + kRecordHeadBytes <= limit_) {
      WEIR_ASSIGN_OR_RETURN(const std::string_view bytes, window_.Peek(at, Window::kBytes));
      for (std::size_t i = 0; i + sizeof(kRecordMagic) <= bytes.size(); i += 8) {
        if (GetAt<std::uint32_t>(bytes, i) == kRecordMagic) {
          return at + i;
        }
      }
      if (bytes.size() < 8) {
        break;
      }
      at += bytes.size() & ~std::size_t{7};
    }
    return limit_;
  }

  absl::StatusOr<bool> PayloadIsWhole(std::uint64_t at, const RecordHead& head) {
    std::uint64_t offset = at + head.head_bytes;
    std::uint64_t left = head.payload_bytes;
    std::uint32_t crc = 0;
    while (left > 0) {
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(left, Window::kBytes));
      WEIR_ASSIGN_OR_RETURN(const std::string_view bytes, window_.Peek(offset, piece));
      if (bytes.empty()) {
        return false;
      }
      crc = Crc32c(bytes, crc);
      offset += bytes.size();
      left -= bytes.size();
    }
    return crc == head.payload_crc;
  }

  void Take(std::uint64_t at, const RecordHead& head) {
    if (scan_.entries.empty()) {
      scan_.first =
          scan_.header_state == HeaderState::kGood ? scan_.header.first_sequence : head.sequence;
    }
    // Each sequence took at least a head of this file, so one that lies further ahead, or not
    // behind the last one, is none of ours.
    if (head.sequence < scan_.end() || head.sequence - scan_.first > at / kRecordHeadBytes) {
      return;
    }
    scan_.entries.resize(static_cast<std::size_t>(head.sequence - scan_.first));
    Record summary;
    summary.received_unix_ns = head.received_unix_ns;
    Entry entry = MakeEntry(summary, static_cast<std::uint32_t>(at));
    entry.bytes = static_cast<std::uint32_t>(head.record_bytes());
    entry.items = static_cast<std::uint32_t>(std::min<std::uint64_t>(items_, UINT32_MAX));
    entry.destinations = head.destinations;
    entry.signal = head.signal;
    scan_.entries.push_back(entry);
    scan_.synced = std::max(scan_.synced, head.synced);
    scan_.end_offset = at + head.record_bytes();
  }

  Window window_;
  SegmentScan& scan_;
  std::uint64_t limit_;      // Where the footer begins, or the end of the file.
  std::uint64_t items_ = 0;  // Of the head that HeadAt looked at.
};

}  // namespace

absl::StatusOr<SegmentScan> ScanSegment(const File& file, ScanDepth depth) {
  SegmentScan scan;
  WEIR_ASSIGN_OR_RETURN(scan.file_bytes, file.Size());
  Scanner scanner(file, scan);
  WEIR_RETURN_IF_ERROR(scanner.Header());
  if (scan.header_state == HeaderState::kUnknownVersion) {
    return scan;
  }
  WEIR_ASSIGN_OR_RETURN(std::optional<std::vector<Entry>> footer, scanner.Footer());
  scan.sealed = footer.has_value();
  if (scan.sealed && depth == ScanDepth::kFooter) {
    scan.entries = *std::move(footer);
    scan.end_offset = scan.file_bytes;
    // A segment is sealed once all of it is on the disk.
    scan.synced = scan.entries.empty() ? 0 : scan.end() - 1;
    return scan;
  }
  const Sequence first = scan.first;
  WEIR_RETURN_IF_ERROR(scanner.Records());
  if (scan.sealed) {
    // What the footer tells of and is not there is damage, at the end too.
    SegmentScan told = scan;
    told.first = first;
    told.entries = *std::move(footer);
    for (std::size_t i = 0; i < told.entries.size(); ++i) {
      const Sequence sequence = told.first + i;
      const bool there = sequence >= scan.first && sequence < scan.end() &&
                         !scan.entries[static_cast<std::size_t>(sequence - scan.first)].hole();
      told.entries[i] = there ? told.entries[i] : Entry{};
    }
    told.end_offset = told.file_bytes;
    told.synced = told.entries.empty() ? 0 : told.end() - 1;
    return told;
  }
  return scan;
}

}  // namespace weir::journal

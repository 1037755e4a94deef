#include "journal/directory.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "journal/file_io.h"
#include "weir/base/status.h"

namespace weir::journal {

Sequence DirectoryImage::synced() const {
  Sequence synced = positions.positions.has_value() ? positions.positions->synced : 0;
  for (const SegmentImage& segment : segments) {
    synced = std::max(synced, segment.scan.synced);
  }
  return synced;
}

bool DirectoryImage::positions_lost() const {
  return !positions.positions.has_value() && (positions.exists || !segments.empty());
}

absl::StatusOr<DirectoryImage> LoadDirectory(Disk& disk, const std::string& directory,
                                             ScanDepth depth) {
  DirectoryImage image;
  WEIR_ASSIGN_OR_RETURN(std::vector<std::string> names, disk.List(directory));
  image.positions = PositionFile::Load(disk, directory);
  std::ranges::sort(names);
  for (const std::string& name : names) {
    const std::optional<std::uint64_t> number = SegmentNumber(name);
    if (!number.has_value()) {
      continue;
    }
    image.number_max = std::max(image.number_max, *number);
    const auto file = disk.Open(JoinPath(directory, name), OpenMode::kRead);
    absl::StatusOr<SegmentScan> scan =
        file.ok() ? ScanSegment(**file, depth) : absl::StatusOr<SegmentScan>(file.status());
    if (!scan.ok() || scan->header_state == HeaderState::kUnknownVersion) {
      image.ignored_files.push_back(name);
      continue;
    }
    image.segments.push_back({.number = *number, .scan = *std::move(scan)});
  }
  return image;
}

absl::StatusOr<StoredRecord> ReadRecord(const File& file, const Entry& entry, Sequence sequence,
                                        MemoryBudget* budget) {
  std::optional<MutableBuffer> buffer;
  if (budget == nullptr) {
    buffer = MutableBuffer::Allocate(entry.bytes);
  } else {
    buffer = MutableBuffer::TryAllocate(entry.bytes, *budget);
    if (!buffer.has_value()) {
      return absl::ResourceExhaustedError("no memory to read a record into");
    }
  }
  const absl::Status read = ReadExactly(file, {buffer->data(), entry.bytes}, entry.offset);
  if (read.code() == absl::StatusCode::kOutOfRange) {
    return absl::DataLossError(std::string(read.message()));
  }
  WEIR_RETURN_IF_ERROR(read);
  std::optional<StoredRecord> stored = DecodeRecord(std::move(*buffer).Freeze(entry.bytes));
  if (!stored.has_value() || stored->sequence != sequence) {
    return absl::DataLossError(fmt::format("record {} is damaged", sequence));
  }
  return *std::move(stored);
}

}  // namespace weir::journal

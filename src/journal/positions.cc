#include "journal/positions.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "journal/bytes.h"
#include "journal/file_io.h"
#include "journal/format.h"
#include "weir/base/status.h"

namespace weir::journal {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "WEIRPOS\n"sv;
constexpr std::size_t kSlotHeaderBytes = 40;
constexpr std::size_t kCrcAt = 32;
constexpr std::uint64_t kSlotBytesMin = 64 << 10;
// A file beyond this is damage: a million scattered ranges need 16 MiB.
constexpr std::uint64_t kSlotBytesMax = std::uint64_t{256} << 20;

//   slot := magic[8] version:u32 payload_bytes:u32 generation:u64 payload_crc:u32 zero:u32
//           header_crc:u32 zero:u32 payload
std::string EncodeSlot(std::uint64_t generation, const std::string& payload) {
  std::string out(kMagic);
  Put<std::uint32_t>(out, kFormatVersion);
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(payload.size()));
  Put<std::uint64_t>(out, generation);
  Put<std::uint32_t>(out, Crc32c(payload));
  Put<std::uint32_t>(out, 0);
  Put<std::uint32_t>(out, Crc32c(out));
  Put<std::uint32_t>(out, 0);
  return out + payload;
}

struct Slot {
  std::uint64_t generation = 0;
  Positions positions;
};

std::optional<Slot> ReadSlot(const File& file, std::uint64_t offset, std::uint64_t slot_bytes) {
  std::string header(kSlotHeaderBytes, '\0');
  if (!ReadExactly(file, header, offset).ok() || !header.starts_with(kMagic) ||
      Crc32c(std::string_view(header).substr(0, kCrcAt)) != GetAt<std::uint32_t>(header, kCrcAt) ||
      GetAt<std::uint32_t>(header, 8) != kFormatVersion) {
    return std::nullopt;
  }
  const auto payload_bytes = GetAt<std::uint32_t>(header, 12);
  if (payload_bytes > slot_bytes - kSlotHeaderBytes) {
    return std::nullopt;
  }
  std::string payload(payload_bytes, '\0');
  if (!ReadExactly(file, payload, offset + kSlotHeaderBytes).ok() ||
      Crc32c(payload) != GetAt<std::uint32_t>(header, 24)) {
    return std::nullopt;
  }
  std::optional<Positions> positions = DecodePositions(payload);
  if (!positions.has_value()) {
    return std::nullopt;
  }
  return Slot{.generation = GetAt<std::uint64_t>(header, 16), .positions = *std::move(positions)};
}

}  // namespace

std::string EncodePositions(const Positions& positions) {
  std::string out;
  Put<std::uint64_t>(out, positions.synced);
  Put<std::uint64_t>(out, positions.next);
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(positions.readers.size()));
  for (const auto& [name, acknowledged] : positions.readers) {
    PutName(out, name);
    Put<std::uint32_t>(out, static_cast<std::uint32_t>(acknowledged.ranges().size()));
    for (const auto& [begin, end] : acknowledged.ranges()) {
      Put<std::uint64_t>(out, begin);
      Put<std::uint64_t>(out, end);
    }
  }
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(positions.totals.size()));
  for (const auto& [name, value] : positions.totals) {
    PutName(out, name);
    Put<std::uint64_t>(out, value);
  }
  return out;
}

std::optional<Positions> DecodePositions(std::string_view payload) {
  Positions positions;
  ByteCursor cursor(payload);
  positions.synced = cursor.Take<std::uint64_t>();
  positions.next = cursor.Take<std::uint64_t>();
  const auto readers = cursor.Take<std::uint32_t>();
  for (std::uint32_t i = 0; i < readers && cursor.ok(); ++i) {
    RangeSet& acknowledged = positions.readers[cursor.TakeName()];
    const auto ranges = cursor.Take<std::uint32_t>();
    for (std::uint32_t j = 0; j < ranges && cursor.ok(); ++j) {
      const auto begin = cursor.Take<std::uint64_t>();
      acknowledged.Add(begin, cursor.Take<std::uint64_t>());
    }
  }
  const auto totals = cursor.Take<std::uint32_t>();
  for (std::uint32_t i = 0; i < totals && cursor.ok(); ++i) {
    std::string name = cursor.TakeName();
    positions.totals[std::move(name)] = cursor.Take<std::uint64_t>();
  }
  if (!cursor.ok() || cursor.left() != 0) {
    return std::nullopt;
  }
  return positions;
}

PositionFile::Loaded PositionFile::Load(Disk& disk, const std::string& directory) {
  Loaded loaded;
  const auto file = disk.Open(JoinPath(directory, kPositionsName), OpenMode::kRead);
  if (!file.ok()) {
    loaded.exists = file.status().code() != absl::StatusCode::kNotFound;
    return loaded;
  }
  loaded.exists = true;
  const std::uint64_t slot_bytes = (*file)->Size().value_or(0) / 2;
  if (slot_bytes < kSlotHeaderBytes || slot_bytes > kSlotBytesMax) {
    return loaded;
  }
  for (const std::size_t slot : {0, 1}) {
    std::optional<Slot> found = ReadSlot(**file, slot * slot_bytes, slot_bytes);
    if (found.has_value() && found->generation > loaded.generation) {
      loaded.positions = std::move(found->positions);
      loaded.generation = found->generation;
      loaded.slot = slot;
    }
  }
  return loaded;
}

PositionFile::PositionFile(Disk& disk, std::string directory, const Loaded& loaded)
    : disk_(disk), directory_(std::move(directory)), generation_(loaded.generation) {
  if (!loaded.positions.has_value()) {
    return;
  }
  auto file = disk.Open(JoinPath(directory_, kPositionsName), OpenMode::kReadWrite);
  // The slot that was found may never have been synced, and the other one is overwritten next.
  if (!file.ok() || !(*file)->SyncData().ok()) {
    return;
  }
  const absl::StatusOr<std::uint64_t> size = (*file)->Size();
  if (size.ok()) {
    file_ = *std::move(file);
    slot_bytes_ = *size / 2;
    synced_slot_ = loaded.slot;
  }
}

absl::Status PositionFile::Write(const Positions& positions) {
  const std::string payload = EncodePositions(positions);
  if (payload.size() + kSlotHeaderBytes > slot_bytes_) {
    return Replace(payload);
  }
  const std::size_t slot = 1 - synced_slot_;
  dirty_ = true;
  return WriteExactly(*file_, EncodeSlot(++generation_, payload), slot * slot_bytes_);
}

absl::Status PositionFile::Sync() {
  if (!dirty_) {
    return absl::OkStatus();
  }
  const absl::Status synced = file_->SyncData();
  if (!synced.ok()) {
    // Which slot is whole is not known any more, so both are given up.
    slot_bytes_ = 0;
    return synced;
  }
  synced_slot_ = 1 - synced_slot_;
  dirty_ = false;
  return synced;
}

absl::Status PositionFile::Replace(const std::string& payload) {
  const std::string path = JoinPath(directory_, kPositionsName);
  const std::string fresh = path + ".new";
  slot_bytes_ = 0;  // Should this fail half way, the file that is open may have no name any more.
  const std::uint64_t slot_bytes =
      std::max<std::uint64_t>(kSlotBytesMin, AlignedUp(2 * (payload.size() + kSlotHeaderBytes)));
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<File> file, disk_.Open(fresh, OpenMode::kReadWrite));
  std::string content = EncodeSlot(++generation_, payload);
  content.resize(2 * slot_bytes);
  WEIR_RETURN_IF_ERROR(file->Truncate(0));
  WEIR_RETURN_IF_ERROR(WriteExactly(*file, content, 0));
  WEIR_RETURN_IF_ERROR(file->SyncData());
  WEIR_RETURN_IF_ERROR(disk_.Rename(fresh, path));
  WEIR_RETURN_IF_ERROR(disk_.SyncDirectory(directory_));
  file_ = std::move(file);
  slot_bytes_ = slot_bytes;
  synced_slot_ = 0;
  dirty_ = false;
  return absl::OkStatus();
}

}  // namespace weir::journal

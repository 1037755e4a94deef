// JournalImpl's first act: find out what is in the directory, and repair what a crash left.

#include <algorithm>
#include <utility>

#include "journal/file_io.h"
#include "journal/journal_impl.h"
#include "weir/base/status.h"

namespace weir::journal {

absl::Status JournalImpl::Recover() {
  WEIR_ASSIGN_OR_RETURN(lock_, disk_.Lock(JoinPath(options_.directory, kLockName)));
  WEIR_ASSIGN_OR_RETURN(const DirectoryImage image, LoadDirectory(disk_, options_.directory));
  Catalog::Losses losses;
  WEIR_RETURN_IF_ERROR(catalog_.Load(image, names_, losses));
  damage_ = losses.damage;
  KeepDamaged(image, losses);
  Describe(image);
  LogRecovered();

  committer_ = std::make_unique<Committer>(
      options_, disk_, catalog_, names_,
      Committer::Start{
          .positions = std::make_unique<PositionFile>(disk_, options_.directory, image.positions),
          .segment_number_max = image.number_max,
          .synced = image.synced(),
          .totals = recovered_.totals});
  // From here on a reader that is new is known, before any record can be destined for it, and so is
  // what was found to be missing, before a footer says that all the rest was on the disk.
  if (const absl::Status written = committer_->Checkpoint(); written.ok()) {
    std::ranges::for_each(image.segments, [this](const SegmentImage& segment) { Repair(segment); });
  } else if (image.positions.exists) {
    options_.logger.Warn("The positions of the journal cannot be written yet",
                         {{"error", std::string(written.message())}});
  } else {
    return written;
  }
  if (options_.own_thread) {
    thread_ = std::thread([this] { Run(); });
  }
  return absl::OkStatus();
}

void JournalImpl::KeepDamaged(const DirectoryImage& image, const Catalog::Losses& losses) {
  damage_.segments_damaged = 0;  // KeepAside counts them.
  std::ranges::for_each(losses.damaged_segments,
                        [this](std::uint64_t number) { KeepAside(number); });
  for (const SegmentImage& segment : image.segments) {
    // Nothing in it is known; where something is missing it may be this.
    if (segment.scan.header_state == HeaderState::kDamaged && damage_ != Damage{} &&
        catalog_.EntriesOf(segment.number).empty()) {
      KeepAside(segment.number);
    }
  }
}

void JournalImpl::Describe(const DirectoryImage& image) {
  for (const SegmentImage& segment : image.segments) {
    const std::vector<Entry> entries = catalog_.EntriesOf(segment.number);
    recovered_.segments += entries.empty() ? 0 : 1;
    recovered_.records += static_cast<std::uint64_t>(
        std::ranges::count_if(entries, [](const Entry& entry) { return !entry.hole(); }));
    if (!segment.scan.sealed && !kept_aside_.contains(segment.number)) {
      recovered_.torn_bytes += segment.scan.file_bytes - segment.scan.end_offset;
    }
  }
  recovered_.next_sequence = catalog_.next_sequence();
  recovered_.ignored_files = image.ignored_files;
  recovered_.positions_lost = image.positions_lost();
  if (image.positions.positions.has_value()) {
    recovered_.totals = image.positions.positions->totals;
  }
  for (const auto& [name, backlog] : catalog_.AbsentBacklogs()) {
    recovered_.absent_readers.push_back(name);
  }
}

void JournalImpl::Repair(const SegmentImage& segment) {
  const std::vector<Entry> entries = catalog_.EntriesOf(segment.number);
  if (entries.empty()) {
    // Nothing in it was ever answered, or everything is in the next one as well, or the checkpoint
    // has deleted it already.
    disk_.Unlink(PathOf(segment.number)).IgnoreError();
    return;
  }
  // Kept aside, it is another name of the same file: it stays as it was found.
  if (segment.scan.sealed || segment.scan.header_state != HeaderState::kGood ||
      kept_aside_.contains(segment.number)) {
    return;
  }
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    end = std::max(end, std::uint64_t{entry.offset} + entry.bytes);
  }
  CloseTornSegment(segment, std::span(segment.scan.entries).first(entries.size()), end);
}

void JournalImpl::CloseTornSegment(const SegmentImage& segment, std::span<const Entry> entries,
                                   std::uint64_t end) {
  auto file = disk_.Open(PathOf(segment.number), OpenMode::kReadWrite);
  absl::Status status = file.status();
  if (status.ok()) {
    status = (*file)->Truncate(end);
  }
  // The footer says that all of it is on the disk.
  if (status.ok() && options_.fsync != Fsync::kNever) {
    status = (*file)->SyncData();
    status.Update(disk_.SyncDirectory(options_.directory));
  }
  if (status.ok()) {
    const std::string footer = EncodeFooter(segment.number, segment.scan.first, end, entries);
    status = WriteExactly(**file, footer, end);
    if (status.ok()) {
      catalog_.Seal(segment.number, end + footer.size());
    } else {
      (*file)->Truncate(end).IgnoreError();
    }
  }
  if (!status.ok()) {
    options_.logger.Warn("A journal segment could not be closed; it is read as it is",
                         {{"segment", segment.number}, {"error", std::string(status.message())}});
  }
}

void JournalImpl::LogRecovered() const {
  const Logger& logger = options_.logger;
  for (const std::string& name : recovered_.ignored_files) {
    logger.Error("A journal segment has a format that this version does not know; it is left alone",
                 {{"directory", options_.directory}, {"file", name}});
  }
  if (recovered_.positions_lost) {
    logger.Error("The positions of the journal are lost: everything it has is delivered again",
                 {{"directory", options_.directory}});
  }
  if (damage_ != Damage{}) {
    logger.Error("The journal is damaged; what is whole is delivered",
                 {{"directory", options_.directory},
                  {"records_lost", damage_.records},
                  {"segments_damaged", damage_.segments_damaged},
                  {"segments_missing", damage_.segments_missing}});
  }
  for (const std::string& name : recovered_.absent_readers) {
    logger.Warn(
        "The journal holds data for an exporter that is not configured any more; "
        "`weir journal forget` releases it",
        {{"directory", options_.directory}, {"reader", name}});
  }
  if (recovered_.segments > 0) {
    logger.Info("Journal opened", {{"directory", options_.directory},
                                   {"segments", recovered_.segments},
                                   {"records", recovered_.records},
                                   {"torn_bytes", recovered_.torn_bytes}});
  }
}

}  // namespace weir::journal

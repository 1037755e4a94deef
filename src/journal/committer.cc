#include "journal/committer.h"

#include <algorithm>
#include <utility>

#include "journal/file_io.h"
#include "weir/base/check.h"
#include "weir/base/status.h"

namespace weir::journal {
namespace {

constexpr std::uint64_t kSegmentBytesMin = 64 << 10;
constexpr std::uint64_t kSegmentBytesMax = std::uint64_t{1} << 30;
// Segments that a size limit is made of, at least: space comes back in such pieces.
constexpr std::uint64_t kSegmentsPerLimit = 8;
constexpr std::uint64_t kUnsyncedBytesMax = 16 << 20;
// A sync that fails on a fresh file as well is not the file's fault.
constexpr int kWriteTries = 2;

std::uint64_t SegmentBytes(const Options& options) {
  std::uint64_t bytes = options.segment_bytes;
  if (options.max_size_bytes > 0) {
    bytes = std::min(bytes, options.max_size_bytes / kSegmentsPerLimit);
  }
  return std::clamp(bytes, kSegmentBytesMin, kSegmentBytesMax);
}

// The code that AppendDone promises.
absl::Status AppendError(const absl::Status& status) {
  const absl::StatusCode code = status.code() == absl::StatusCode::kResourceExhausted
                                    ? absl::StatusCode::kResourceExhausted
                                    : absl::StatusCode::kUnavailable;
  return {code, status.message()};
}

std::int64_t UnixNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Committer::Committer(const Options& options, Disk& disk, Catalog& catalog,
                     std::vector<std::string> readers, Start start)
    : options_(options),
      disk_(disk),
      catalog_(catalog),
      readers_(std::move(readers)),
      segment_bytes_(SegmentBytes(options)),
      positions_(std::move(start.positions)),
      segment_number_max_(start.segment_number_max),
      synced_(start.synced),
      totals_(std::move(start.totals)) {}

void Committer::Commit(std::vector<Pending>& records) {
  std::span<Pending> left(records);
  while (!left.empty()) {
    const std::uint64_t first = left.front().bytes;
    if (writer_ != nullptr && writer_->size() > writer_->header_bytes() &&
        writer_->size() + first > segment_bytes_) {
      EndSegment();
    }
    if (const absl::Status room = MakeRoom(first); !room.ok()) {
      left.front().done(room, 0);
      left = left.subspan(1);
      continue;
    }
    const std::size_t count = GroupEnd(left);
    CommitGroup(left.first(count));
    left = left.subspan(count);
  }
  records.clear();
}

std::size_t Committer::GroupEnd(std::span<const Pending> records) const {
  std::uint64_t room = segment_bytes_;
  if (writer_ != nullptr) {
    room -= std::min(room, writer_->size());
  }
  if (options_.max_size_bytes > 0) {
    room = std::min(
        room, options_.max_size_bytes - std::min(options_.max_size_bytes, catalog_.FileBytes()));
  }
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  while (count < records.size() && (count == 0 || bytes + records[count].bytes <= room)) {
    bytes += records[count].bytes;
    ++count;
  }
  return count;
}

absl::Status Committer::MakeRoom(std::uint64_t bytes) {
  const std::uint64_t limit = options_.max_size_bytes;
  if (limit == 0 || catalog_.FileBytes() + bytes <= limit) {
    return absl::OkStatus();
  }
  if (writer_ != nullptr && catalog_.DrainedWithoutSeal(writer_->number())) {
    EndSegment();
  }
  if (!catalog_.Drained().empty()) {
    WEIR_RETURN_IF_ERROR(Checkpoint());
  }
  if (catalog_.FileBytes() + bytes <= limit) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(fmt::format("{} holds {} bytes, of at most {}",
                                                  options_.directory, catalog_.FileBytes(), limit));
}

void Committer::CommitGroup(std::span<Pending> group) {
  absl::Status status = WriteGroup(group);
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    // The segment at hand may hold all of the disk, and nothing that anybody waits for.
    if (writer_ != nullptr && catalog_.DrainedWithoutSeal(writer_->number())) {
      EndSegment();
    }
    if (!catalog_.Drained().empty() && Checkpoint().ok()) {
      status = WriteGroup(group);
    }
  }
  Reported(status);
  if (!status.ok()) {
    const absl::Status error = AppendError(status);
    for (Pending& pending : group) {
      pending.done(error, 0);
    }
    return;
  }
  std::uint64_t offset = writer_->size();
  for (const Pending& pending : group) {
    offset -= pending.bytes;
  }
  for (const Pending& pending : group) {
    catalog_.Publish(MakeEntry(pending.record, static_cast<std::uint32_t>(offset)), pending.live);
    offset += pending.bytes;
  }
  positions_changed_since_ = positions_changed_ ? positions_changed_since_ : options_.clock();
  positions_changed_ = true;
  for (Pending& pending : group) {
    pending.done(absl::OkStatus(), pending.sequence);
    pending.done = nullptr;  // What it holds is not needed until the sync.
  }
  if (options_.fsync == Fsync::kInterval) {
    unsynced_since_ = unsynced_.empty() ? options_.clock() : unsynced_since_;
    for (Pending& pending : group) {
      unsynced_bytes_ += pending.bytes;
      unsynced_.push_back(std::move(pending));
    }
    if (unsynced_bytes_ >= kUnsyncedBytesMax) {
      Reported(SyncUnsynced());
    }
  }
}

absl::Status Committer::WriteGroup(std::span<Pending> group) {
  absl::Status status;
  for (int i = 0; i < kWriteTries; ++i) {
    // Not synced, on a segment that can't be synced: it comes first.
    if (!unsynced_.empty() && writer_ == nullptr) {
      WEIR_RETURN_IF_ERROR(Rewrite());
    }
    if (writer_ == nullptr) {
      WEIR_RETURN_IF_ERROR(OpenSegment(catalog_.next_sequence()));
    }
    Sequence sequence = catalog_.next_sequence();
    for (Pending& pending : group) {
      pending.sequence = sequence++;
    }
    const std::uint64_t before = writer_->size();
    status = writer_->Write(group, synced_);
    if (!status.ok()) {
      if (!writer_->usable()) {
        AbandonSegment(before);
      }
      return status;
    }
    if (options_.fsync != Fsync::kAlways) {
      return status;
    }
    status = SyncSegment();
    if (status.ok()) {
      synced_ = sequence - 1;
      return status;
    }
    AbandonSegment(before);
  }
  return status;
}

absl::Status Committer::OpenSegment(Sequence first) {
  const SegmentHeader header{.number = segment_number_max_ + 1,
                             .first_sequence = first,
                             .created_unix_ns = UnixNanoseconds(),
                             .readers = readers_};
  // The number is used up even where it fails: its file may be left.
  ++segment_number_max_;
  WEIR_ASSIGN_OR_RETURN(writer_, SegmentWriter::Create(disk_, options_.directory, header));
  catalog_.AddSegment(header.number, first, writer_->size());
  return absl::OkStatus();
}

bool Committer::NoteAcknowledged() {
  // Relaxed: the catalog's mutex orders it. Where the flag is still set, the snapshot that clears
  // it first is yet to be taken, and will have what was acknowledged before this.
  return !acknowledged_.load(std::memory_order_relaxed) &&
         !acknowledged_.exchange(true, std::memory_order_relaxed);
}

void Committer::EndSegment() {
  if (!unsynced_.empty()) {
    const std::uint64_t number = writer_->number();
    Reported(SyncUnsynced());
    if (writer_ == nullptr || writer_->number() != number) {
      return;  // What was to be synced is in a new segment, or waits for one.
    }
  }
  const std::vector<Entry> entries = catalog_.EntriesOf(writer_->number());
  if (entries.empty()) {
    AbandonSegment(writer_->size());
    return;
  }
  // A segment without a footer is read more slowly the next time, and that is all.
  writer_->Seal(entries).IgnoreError();
  catalog_.Seal(writer_->number(), writer_->size());
  writer_.reset();
}

void Committer::AbandonSegment(std::uint64_t end) {
  const std::uint64_t number = writer_->number();
  if (catalog_.EntriesOf(number).empty()) {
    writer_.reset();
    catalog_.RemoveSegment(number);
    disk_.Unlink(JoinPath(options_.directory, SegmentName(number))).IgnoreError();
    return;
  }
  // Where this fails, what is left behind the end is superseded by the next segment.
  writer_->Cut(end).IgnoreError();
  catalog_.Seal(number, end);
  writer_.reset();
}

absl::Status Committer::SyncSegment() {
  syncs_.fetch_add(1, std::memory_order_relaxed);
  return writer_->Sync();
}

absl::Status Committer::SyncUnsynced() {
  if (unsynced_.empty()) {
    return absl::OkStatus();
  }
  if (writer_ == nullptr || !SyncSegment().ok()) {
    // What was published stays readable where it is, until it is moved.
    if (writer_ != nullptr) {
      catalog_.Seal(writer_->number(), writer_->size());
      writer_.reset();
    }
    return Rewrite();
  }
  Synced();
  return absl::OkStatus();
}

void Committer::Synced() {
  synced_ = unsynced_.back().sequence;
  unsynced_.clear();
  unsynced_bytes_ = 0;
}

absl::Status Committer::Rewrite() {
  unsynced_since_ = options_.clock();  // Not before another interval, should it fail.
  const Sequence first = unsynced_.front().sequence;
  if (!catalog_.Contains(first)) {
    Synced();  // All of it is acknowledged and deleted meanwhile.
    return absl::OkStatus();
  }
  const SegmentHeader header{.number = ++segment_number_max_,
                             .first_sequence = first,
                             .created_unix_ns = UnixNanoseconds(),
                             .readers = readers_};
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<SegmentWriter> writer,
                        SegmentWriter::Create(disk_, options_.directory, header));
  std::vector<Entry> entries;
  std::uint64_t offset = writer->size();
  for (const Pending& pending : unsynced_) {
    entries.push_back(MakeEntry(pending.record, static_cast<std::uint32_t>(offset)));
    offset += pending.bytes;
  }
  absl::Status status = writer->Write(unsynced_, synced_);
  if (status.ok()) {
    syncs_.fetch_add(1, std::memory_order_relaxed);
    status = writer->Sync();
  }
  if (!status.ok()) {
    disk_.Unlink(JoinPath(options_.directory, SegmentName(header.number))).IgnoreError();
    return status;
  }
  const std::uint64_t emptied = catalog_.Move(first, header.number, entries);
  if (emptied != 0) {
    disk_.Unlink(JoinPath(options_.directory, SegmentName(emptied))).IgnoreError();
  }
  writer_ = std::move(writer);
  Synced();
  return absl::OkStatus();
}

std::optional<Committer::Time> Committer::Tick(Time now) {
  if (acknowledged_.load(std::memory_order_relaxed) && !positions_changed_) {
    positions_changed_ = true;
    positions_changed_since_ = now;
  }
  if (!unsynced_.empty() && now - unsynced_since_ >= options_.fsync_interval) {
    Reported(SyncUnsynced());
  }
  if (positions_changed_ && now - positions_changed_since_ >= options_.position_write_interval) {
    const absl::Status written = WritePositions();
    Reported(written);
    positions_changed_since_ = now;
  }
  if (positions_unsynced_ && now - positions_unsynced_since_ >= options_.position_sync_interval) {
    Reported(Checkpoint());
    positions_unsynced_since_ = now;
  }
  std::optional<Time> next;
  const auto consider = [&next](bool wanted, Time at) {
    if (wanted && (!next.has_value() || at < *next)) {
      next = at;
    }
  };
  consider(!unsynced_.empty(), unsynced_since_ + options_.fsync_interval);
  consider(positions_changed_, positions_changed_since_ + options_.position_write_interval);
  consider(positions_unsynced_, positions_unsynced_since_ + options_.position_sync_interval);
  return next;
}

absl::Status Committer::WritePositions() {
  acknowledged_.store(false, std::memory_order_relaxed);  // See NoteAcknowledged.
  Positions positions = catalog_.Snapshot();
  positions.synced = synced_;
  positions.totals = options_.totals ? options_.totals() : totals_;
  WEIR_RETURN_IF_ERROR(positions_->Write(positions));
  positions_changed_ = false;
  if (!positions_unsynced_) {
    positions_unsynced_ = true;
    positions_unsynced_since_ = options_.clock();
  }
  return absl::OkStatus();
}

absl::Status Committer::Checkpoint() {
  // Only what the positions on disk allow is deleted, so that a gap never looks like a loss.
  const std::vector<std::uint64_t> drained = catalog_.Drained();
  WEIR_RETURN_IF_ERROR(WritePositions());
  // With Fsync::kNever too: it is what makes the other slot the next one to be written.
  WEIR_RETURN_IF_ERROR(positions_->Sync());
  positions_unsynced_ = false;
  Reclaim(drained);
  return absl::OkStatus();
}

void Committer::Reclaim(const std::vector<std::uint64_t>& segments) {
  for (const std::uint64_t number : segments) {
    const absl::Status unlinked = disk_.Unlink(JoinPath(options_.directory, SegmentName(number)));
    if (!unlinked.ok() && unlinked.code() != absl::StatusCode::kNotFound) {
      options_.logger.Warn("A journal segment could not be deleted",
                           {{"segment", number}, {"error", std::string(unlinked.message())}});
      continue;  // It is tried again.
    }
    catalog_.RemoveSegment(number);
  }
}

absl::Status Committer::Close() {
  absl::Status status = SyncUnsynced();
  if (writer_ != nullptr) {
    EndSegment();
  }
  const absl::Status checkpoint = Checkpoint();
  status.Update(checkpoint);
  return status;
}

void Committer::Reported(const absl::Status& status) {
  if (status.ok() == !failing_) {
    return;
  }
  failing_ = !status.ok();
  if (failing_) {
    options_.logger.Error(
        "The journal cannot write; what is offered is refused until it can",
        {{"directory", options_.directory}, {"error", std::string(status.message())}});
  } else {
    options_.logger.Info("The journal writes again", {{"directory", options_.directory}});
  }
}

}  // namespace weir::journal

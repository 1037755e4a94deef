#include "journal/segment_writer.h"

#include <utility>

#include "journal/file_io.h"
#include "weir/base/status.h"

namespace weir::journal {
namespace {

constexpr char kPadding[8] = {};

iovec Piece(const char* data, std::size_t size) { return {const_cast<char*>(data), size}; }

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(Disk& disk,
                                                                     std::string directory,
                                                                     const SegmentHeader& header) {
  // tidy-allow(new): the constructor is private.
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(disk, std::move(directory), header));
  const std::string path = JoinPath(writer->directory_, SegmentName(header.number));
  WEIR_ASSIGN_OR_RETURN(writer->file_, disk.Open(path, OpenMode::kCreate));
  const std::string bytes = EncodeSegmentHeader(header);
  const absl::Status written = WriteExactly(*writer->file_, bytes, 0);
  if (!written.ok()) {
    // Where this fails too, an empty segment is left, which the next Open deletes.
    disk.Unlink(path).IgnoreError();
    return written;
  }
  writer->header_bytes_ = static_cast<std::uint32_t>(bytes.size());
  writer->end_ = bytes.size();
  return writer;
}

absl::Status SegmentWriter::Write(std::span<Pending> records, Sequence synced) {
  heads_.clear();
  pieces_.clear();
  std::vector<std::size_t> ends;  // Of the heads: they move while heads_ grows.
  ends.reserve(records.size());
  for (const Pending& pending : records) {
    EncodeRecordHead(pending.record, pending.sequence, synced, pending.payload_crc, heads_);
    ends.push_back(heads_.size());
  }
  std::size_t begin = 0;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    pieces_.push_back(Piece(heads_.data() + begin, ends[i] - begin));
    std::uint64_t bytes = ends[i] - begin;
    begin = ends[i];
    for (const Part& part : records[i].record.parts) {
      pieces_.push_back(Piece(part.bytes.data(), part.bytes.size()));
      bytes += part.bytes.size();
    }
    pieces_.push_back(Piece(kPadding, static_cast<std::size_t>(AlignedUp(bytes) - bytes)));
    total += AlignedUp(bytes);
  }
  const absl::Status written = WriteExactly(*file_, pieces_, end_);
  if (!written.ok()) {
    usable_ = file_->Truncate(end_).ok();
    return written;
  }
  end_ += total;
  return written;
}

absl::Status SegmentWriter::Sync() {
  absl::Status synced = file_->SyncData();
  if (synced.ok() && !name_synced_) {
    synced = disk_.SyncDirectory(directory_);
    name_synced_ = synced.ok();
  }
  usable_ = usable_ && synced.ok();
  return synced;
}

absl::Status SegmentWriter::Cut(std::uint64_t offset) {
  WEIR_RETURN_IF_ERROR(file_->Truncate(offset));
  end_ = offset;
  return absl::OkStatus();
}

absl::Status SegmentWriter::Seal(std::span<const Entry> entries) {
  const std::string footer = EncodeFooter(header_.number, header_.first_sequence, end_, entries);
  const absl::Status written = WriteExactly(*file_, footer, end_);
  if (!written.ok()) {
    // Without a footer the segment is scanned when it is opened again.
    file_->Truncate(end_).IgnoreError();
    return written;
  }
  end_ += footer.size();
  return written;
}

}  // namespace weir::journal

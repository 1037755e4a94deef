#include <utility>

#include "journal/file_io.h"
#include "journal/journal_impl.h"

namespace weir::journal {

absl::StatusOr<StoredRecord> ReaderImpl::ReadAt(const Place& place, MemoryBudget* budget) {
  if (segment_ != place.segment || file_ == nullptr) {
    file_.reset();
    auto file = journal_.disk_.Open(journal_.PathOf(place.segment), OpenMode::kRead);
    if (!file.ok()) {
      return file.status();
    }
    file_ = *std::move(file);
    segment_ = place.segment;
  }
  return ReadRecord(*file_, place.entry, place.sequence, budget);
}

ReadResult ReaderImpl::Read(std::size_t bytes_max, MemoryBudget* budget) {
  ReadResult result;
  const auto stopped = [&result] { return result.refused_by_budget || result.disk_failed; };
  while (result.records.empty() && !stopped()) {
    const std::vector<Place> places = journal_.catalog_.Claim(index_, bytes_max);
    if (places.empty()) {
      break;
    }
    for (const Place& place : places) {
      if (stopped()) {
        journal_.catalog_.Unclaim(index_, place.sequence);
        continue;
      }
      absl::StatusOr<StoredRecord> stored = ReadAt(place, budget);
      if (!stored.ok()) {
        Failed(place, stored.status(), result);
        continue;
      }
      // Who else it is for, by the bits of this run; those who are not opened have none.
      const std::size_t readers = journal_.readers_.size();
      stored->record.destinations =
          place.entry.destinations &
          (readers == kReadersMax ? ~ReaderMask{0} : (ReaderMask{1} << readers) - 1);
      result.records.push_back(*std::move(stored));
    }
  }
  return result;
}

void ReaderImpl::Failed(const Place& place, const absl::Status& status, ReadResult& result) {
  constexpr int kTries = 3;
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      result.refused_by_budget = true;
      break;
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kNotFound:  // Somebody deleted the segment.
      if (journal_.Lost(place, status)) {
        return;
      }
      break;
    default:
      result.disk_failed = true;
      file_.reset();
      failures_ = failed_ == place.sequence ? failures_ + 1 : 1;
      failed_ = place.sequence;
      if (failures_ >= kTries) {
        journal_.options_.logger.Error(
            "A record of the journal cannot be read; it is left for the next start",
            {{"segment", place.segment},
             {"sequence", place.sequence},
             {"error", std::string(status.message())}});
        return;  // It stays claimed, and not acknowledged.
      }
  }
  journal_.catalog_.Unclaim(index_, place.sequence);
}

void ReaderImpl::Skip(Sequence sequence) { journal_.catalog_.ClaimOne(index_, sequence); }

void ReaderImpl::Return(Sequence sequence) { journal_.catalog_.Unclaim(index_, sequence); }

void ReaderImpl::Acknowledge(Sequence sequence) {
  if (journal_.catalog_.Acknowledge(index_, sequence)) {
    journal_.NoteAcknowledged();
  }
}

Dropped ReaderImpl::DropOldest(std::uint64_t bytes) {
  const Dropped dropped = journal_.catalog_.DropOldest(index_, bytes);
  if (dropped.records > 0) {
    journal_.NoteAcknowledged();
  }
  return dropped;
}

Backlog ReaderImpl::backlog() const { return journal_.catalog_.BacklogOf(index_); }

std::uint64_t ReaderImpl::unread_records() const { return journal_.catalog_.Unread(index_); }

}  // namespace weir::journal

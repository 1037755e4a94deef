#include "journal/catalog.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "weir/base/check.h"
#include "weir/base/status.h"

namespace weir::journal {
namespace {

constexpr ReaderMask Bit(std::size_t index) { return ReaderMask{1} << index; }

}  // namespace

Catalog::Segment* Catalog::Find(Sequence sequence) {
  return const_cast<Segment*>(std::as_const(*this).Find(sequence));
}

const Catalog::Segment* Catalog::Find(Sequence sequence) const {
  const auto after = segments_.upper_bound(sequence);
  if (after == segments_.begin()) {
    return nullptr;
  }
  const Segment& segment = std::prev(after)->second;
  return sequence < segment.end() ? &segment : nullptr;
}

Catalog::Segment* Catalog::Numbered(std::uint64_t number) {
  return const_cast<Segment*>(std::as_const(*this).Numbered(number));
}

const Catalog::Segment* Catalog::Numbered(std::uint64_t number) const {
  const auto found = std::ranges::find_if(
      segments_, [number](const auto& item) { return item.second.number == number; });
  return found == segments_.end() ? nullptr : &found->second;
}

void Catalog::AddSegment(std::uint64_t number, Sequence first, std::uint64_t file_bytes) {
  const std::lock_guard lock(mutex_);
  const bool added =
      segments_.emplace(first, Segment{.number = number, .first = first, .file_bytes = file_bytes})
          .second;
  WEIR_CHECK(added);
}

void Catalog::RemoveSegment(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  std::erase_if(segments_, [number](const auto& item) { return item.second.number == number; });
}

void Catalog::Publish(const Entry& entry, ReaderMask live) {
  const std::lock_guard lock(mutex_);
  WEIR_CHECK(!segments_.empty());
  Segment& segment = segments_.rbegin()->second;
  const Sequence sequence = segment.end();
  segment.entries.push_back(entry);
  segment.file_bytes = std::uint64_t{entry.offset} + entry.bytes;
  next_ = sequence + 1;
  for (std::size_t r = 0; r < readers_.size(); ++r) {
    ReaderState& reader = readers_[r];
    if ((entry.destinations & Bit(r)) == 0) {
      reader.acknowledged.Add(sequence);
      reader.claimed.Add(sequence);
      continue;
    }
    ++segment.pending;
    ++reader.records;
    reader.items += entry.items;
    reader.bytes += entry.bytes;
    if ((live & Bit(r)) != 0) {
      reader.claimed.Add(sequence);
    } else {
      ++reader.unread;
    }
  }
}

std::uint64_t Catalog::Move(Sequence from, std::uint64_t number, std::span<const Entry> entries) {
  const std::lock_guard lock(mutex_);
  Segment* const before = Find(from);
  WEIR_CHECK(before != nullptr && before->end() == from + entries.size());
  Segment moved{.number = number, .first = from};
  const auto kept = static_cast<std::size_t>(from - before->first);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Entry entry = entries[i];
    if (before->entries[kept + i].hole()) {
      entry = {};  // Lost meanwhile, and acknowledged as that.
    }
    moved.entries.push_back(entry);
    moved.file_bytes = std::max(moved.file_bytes, std::uint64_t{entry.offset} + entry.bytes);
    for (std::size_t r = 0; r < readers_.size(); ++r) {
      if ((entry.destinations & Bit(r)) != 0 && !readers_[r].acknowledged.Contains(from + i)) {
        --before->pending;
        ++moved.pending;
      }
    }
  }
  before->entries.resize(kept);
  std::uint64_t emptied = 0;
  if (kept == 0) {
    emptied = before->number;
    segments_.erase(before->first);
  }
  segments_.emplace(from, std::move(moved));
  return emptied;
}

void Catalog::Seal(std::uint64_t number, std::uint64_t file_bytes) {
  const std::lock_guard lock(mutex_);
  if (Segment* const segment = Numbered(number); segment != nullptr) {
    segment->sealed = true;
    segment->file_bytes = file_bytes;
  }
}

std::vector<Entry> Catalog::EntriesOf(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const Segment* const segment = Numbered(number);
  return segment == nullptr ? std::vector<Entry>() : segment->entries;
}

std::vector<std::uint64_t> Catalog::Drained() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> numbers;
  for (const auto& [first, segment] : segments_) {
    if (segment.sealed && segment.pending == 0) {
      numbers.push_back(segment.number);
    }
  }
  return numbers;
}

bool Catalog::DrainedWithoutSeal(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const Segment* const segment = Numbered(number);
  return segment != nullptr && !segment->sealed && segment->pending == 0 &&
         !segment->entries.empty();
}

bool Catalog::Contains(Sequence sequence) const {
  const std::lock_guard lock(mutex_);
  return Find(sequence) != nullptr;
}

Sequence Catalog::next_sequence() const {
  const std::lock_guard lock(mutex_);
  return next_;
}

std::uint64_t Catalog::FileBytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& [first, segment] : segments_) {
    bytes += segment.file_bytes;
  }
  return bytes;
}

std::vector<std::string> Catalog::ReaderNames() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const ReaderState& reader : readers_) {
    names.push_back(reader.name);
  }
  return names;
}

Positions Catalog::Snapshot() const {
  const std::lock_guard lock(mutex_);
  Positions positions{.next = next_};
  for (const ReaderState& reader : readers_) {
    if (!reader.forgotten) {
      positions.readers.emplace(reader.name, reader.acknowledged);
    }
  }
  return positions;
}

std::optional<Place> Catalog::NextUnclaimed(const ReaderState& reader) const {
  Sequence sequence = reader.claimed.FirstMissing(0);
  const Segment* segment = Find(sequence);
  while (segment == nullptr) {
    // In a gap that was left open for a segment of a later version.
    const auto after = segments_.upper_bound(sequence);
    if (after == segments_.end()) {
      return std::nullopt;
    }
    sequence = reader.claimed.FirstMissing(after->first);
    segment = Find(sequence);
  }
  return Place{.sequence = sequence,
               .segment = segment->number,
               .entry = segment->entries[static_cast<std::size_t>(sequence - segment->first)]};
}

std::vector<Place> Catalog::Claim(std::size_t reader, std::size_t bytes_max) {
  const std::lock_guard lock(mutex_);
  ReaderState& state = readers_[reader];
  std::vector<Place> places;
  std::size_t bytes = 0;
  for (;;) {
    const std::optional<Place> place = NextUnclaimed(state);
    if (!place.has_value() || (!places.empty() && bytes + place->entry.bytes > bytes_max)) {
      return places;
    }
    bytes += place->entry.bytes;
    places.push_back(*place);
    state.claimed.Add(place->sequence);
    --state.unread;
  }
}

void Catalog::ClaimOne(std::size_t reader, Sequence sequence) {
  const std::lock_guard lock(mutex_);
  ReaderState& state = readers_[reader];
  if (Find(sequence) != nullptr && !state.claimed.Contains(sequence)) {
    state.claimed.Add(sequence);
    --state.unread;
  }
}

void Catalog::Unclaim(std::size_t reader, Sequence sequence) {
  const std::lock_guard lock(mutex_);
  ReaderState& state = readers_[reader];
  if (state.claimed.Contains(sequence) && !state.acknowledged.Contains(sequence)) {
    state.claimed.Remove(sequence);
    ++state.unread;
  }
}

bool Catalog::AcknowledgeLocked(ReaderState& reader, std::size_t index, Sequence sequence) {
  Segment* const segment = Find(sequence);
  if (segment == nullptr || reader.acknowledged.Contains(sequence)) {
    return false;
  }
  const Entry& entry = segment->entries[static_cast<std::size_t>(sequence - segment->first)];
  WEIR_DCHECK((entry.destinations & Bit(index)) != 0);
  reader.acknowledged.Add(sequence);
  if (!reader.claimed.Contains(sequence)) {
    reader.claimed.Add(sequence);
    --reader.unread;
  }
  --reader.records;
  reader.items -= entry.items;
  reader.bytes -= entry.bytes;
  --segment->pending;
  return true;
}

bool Catalog::Acknowledge(std::size_t reader, Sequence sequence) {
  const std::lock_guard lock(mutex_);
  return AcknowledgeLocked(readers_[reader], reader, sequence);
}

Dropped Catalog::DropOldest(std::size_t reader, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  ReaderState& state = readers_[reader];
  Dropped dropped;
  while (dropped.bytes < bytes) {
    const std::optional<Place> place = NextUnclaimed(state);
    if (!place.has_value()) {
      break;
    }
    AcknowledgeLocked(state, reader, place->sequence);
    ++dropped.records;
    dropped.bytes += place->entry.bytes;
    dropped.items += place->entry.items;
    dropped.last = place->sequence;
    dropped.items_by_signal[SignalIndex(place->entry.signal)] += place->entry.items;
  }
  return dropped;
}

Backlog Catalog::BacklogLocked(const ReaderState& reader) const {
  Backlog backlog{.records = reader.records, .items = reader.items, .bytes = reader.bytes};
  const Sequence oldest = reader.acknowledged.FirstMissing(0);
  if (const Segment* const segment = Find(oldest); segment != nullptr) {
    const Entry& entry = segment->entries[static_cast<std::size_t>(oldest - segment->first)];
    backlog.oldest =
        std::chrono::system_clock::time_point(std::chrono::seconds(entry.received_seconds));
  }
  return backlog;
}

Backlog Catalog::BacklogOf(std::size_t reader) const {
  const std::lock_guard lock(mutex_);
  return BacklogLocked(readers_[reader]);
}

std::uint64_t Catalog::Unread(std::size_t reader) const {
  const std::lock_guard lock(mutex_);
  return readers_[reader].unread;
}

bool Catalog::MarkLost(const Place& place) {
  const std::lock_guard lock(mutex_);
  Segment* const segment = Find(place.sequence);
  if (segment == nullptr || segment->number != place.segment) {
    return false;
  }
  Entry& entry = segment->entries[static_cast<std::size_t>(place.sequence - segment->first)];
  if (entry.offset != place.entry.offset || entry.hole()) {
    return false;
  }
  for (std::size_t r = 0; r < readers_.size(); ++r) {
    if ((entry.destinations & Bit(r)) != 0 && !readers_[r].forgotten) {
      AcknowledgeLocked(readers_[r], r, place.sequence);
    }
  }
  entry = {};
  return true;
}

absl::Status Catalog::Forget(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(readers_, [name](const ReaderState& reader) {
    return reader.name == name && !reader.forgotten;
  });
  if (found == readers_.end()) {
    return absl::NotFoundError(fmt::format("the journal knows no reader \"{}\"", name));
  }
  if (found->opened) {
    return absl::FailedPreconditionError(fmt::format("reader \"{}\" is in use", name));
  }
  const auto index = static_cast<std::size_t>(found - readers_.begin());
  for (auto& [first, segment] : segments_) {
    for (std::size_t i = 0; i < segment.entries.size(); ++i) {
      Entry& entry = segment.entries[i];
      if ((entry.destinations & Bit(index)) != 0) {
        AcknowledgeLocked(*found, index, first + i);
        entry.destinations &= ~Bit(index);
      }
    }
  }
  found->forgotten = true;
  return absl::OkStatus();
}

std::map<std::string, Backlog> Catalog::AbsentBacklogs() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Backlog> backlogs;
  for (const ReaderState& reader : readers_) {
    if (!reader.opened && !reader.forgotten) {
      backlogs.emplace(reader.name, BacklogLocked(reader));
    }
  }
  return backlogs;
}

}  // namespace weir::journal

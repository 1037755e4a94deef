// Catalog's other half: from what is on disk to what is known.

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "journal/catalog.h"
#include "weir/base/status.h"

namespace weir::journal {
namespace {

constexpr ReaderMask Bit(std::size_t index) { return ReaderMask{1} << index; }

}  // namespace

absl::Status Catalog::Load(const DirectoryImage& image, const std::vector<std::string>& opened,
                           Losses& losses) {
  const std::lock_guard lock(mutex_);
  WEIR_RETURN_IF_ERROR(LoadReaders(image, opened));
  const Sequence synced = image.synced();
  const auto& positions = image.positions.positions;
  next_ = std::max(synced + 1, positions.has_value() ? positions->next : 1);
  for (const ReaderState& reader : readers_) {
    next_ = std::max(next_, reader.acknowledged.End());
  }
  // Where a failed sync made a segment end early, its last records are in the next one too.
  Sequence end = std::numeric_limits<Sequence>::max();
  for (auto at = image.segments.rbegin(); at != image.segments.rend(); ++at) {
    // Whose records they are is lost with the header. Where nothing says that they were on the disk
    // nobody was told that they are.
    if (at->scan.header_state == HeaderState::kDamaged && at->scan.first > synced) {
      continue;
    }
    LoadSegment(*at, end);
    if (!at->scan.entries.empty()) {
      end = std::min(end, at->scan.first);
    }
  }
  if (!segments_.empty()) {
    next_ = std::max(next_, segments_.rbegin()->second.end());
  }
  for (ReaderState& reader : readers_) {
    const bool known = positions.has_value() && positions->readers.contains(reader.name);
    const bool falls_back = !positions.has_value() && image.positions_lost();
    if (!known && !falls_back) {
      reader.acknowledged.Add(0, next_);  // New: it starts at the tail.
    }
  }
  LoadGaps(image, synced, losses);
  LoadBacklogs();
  return absl::OkStatus();
}

absl::Status Catalog::LoadReaders(const DirectoryImage& image,
                                  const std::vector<std::string>& opened) {
  for (const std::string& name : opened) {
    readers_.push_back({.name = name, .opened = true});
  }
  const auto add = [this](const std::string& name) {
    const bool there = std::ranges::any_of(
        readers_, [&name](const ReaderState& reader) { return reader.name == name; });
    if (!there) {
      readers_.push_back({.name = name});
    }
  };
  if (image.positions.positions.has_value()) {
    for (const auto& [name, acknowledged] : image.positions.positions->readers) {
      add(name);
    }
  } else {
    // Nobody can say who was forgotten.
    for (const SegmentImage& segment : image.segments) {
      std::ranges::for_each(segment.scan.header.readers, add);
    }
  }
  if (readers_.size() > kReadersMax) {
    return InvalidArgument(
        "{} readers, of which {} are not opened any more: at most {} may share "
        "a journal",
        readers_.size(), readers_.size() - opened.size(), kReadersMax);
  }
  for (ReaderState& reader : readers_) {
    if (image.positions.positions.has_value()) {
      const auto found = image.positions.positions->readers.find(reader.name);
      if (found != image.positions.positions->readers.end()) {
        reader.acknowledged = found->second;
      }
    }
    reader.acknowledged.Add(0, 1);
  }
  return absl::OkStatus();
}

void Catalog::LoadSegment(const SegmentImage& image, Sequence end) {
  const SegmentScan& scan = image.scan;
  Segment segment{.number = image.number, .first = scan.first, .file_bytes = scan.file_bytes};
  segment.sealed = true;  // Nothing is ever appended to a segment of an earlier run.
  if (!scan.sealed) {
    segment.file_bytes = scan.end_offset;
  }
  const std::vector<std::string>& names = scan.header.readers;
  const bool names_known = scan.header_state == HeaderState::kGood;
  // The index in readers_ of each bit, or kReadersMax.
  std::vector<std::size_t> readers;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(readers_, name, &ReaderState::name);
    readers.push_back(found == readers_.end() ? kReadersMax
                                              : static_cast<std::size_t>(found - readers_.begin()));
  }
  const ReaderMask everybody =
      readers_.size() == kReadersMax ? ~ReaderMask{0} : Bit(readers_.size()) - 1;
  for (std::size_t i = 0; i < scan.entries.size() && scan.first + i < end; ++i) {
    Entry entry = scan.entries[i];
    ReaderMask destinations = entry.hole() || names_known ? 0 : everybody;
    for (std::size_t bit = 0; bit < readers.size(); ++bit) {
      if ((entry.destinations & Bit(bit)) != 0 && readers[bit] < kReadersMax) {
        destinations |= Bit(readers[bit]);
      }
    }
    entry.destinations = destinations;
    segment.entries.push_back(entry);
  }
  if (segment.entries.empty()) {
    return;  // The journal deletes what the catalog does not list.
  }
  segments_.emplace(segment.first, std::move(segment));
}

void Catalog::LoadGaps(const DirectoryImage& image, Sequence synced, Losses& losses) {
  std::set<std::uint64_t> damaged;
  // Below `from` everything is there or accounted for. Nobody knows what was below the oldest
  // segment where positions are lost.
  Sequence from = 1;
  if (image.positions_lost() || readers_.empty()) {
    from = segments_.empty() ? next_ : segments_.begin()->first;
  }
  std::uint64_t number_before = 0;
  const auto gap = [&](Sequence begin, Sequence end, std::uint64_t number_after, bool torn) {
    std::uint64_t lost = 0;
    for (const ReaderState& reader : readers_) {
      const Sequence missing = reader.acknowledged.FirstMissing(begin);
      if (missing < std::min(end, synced + 1)) {
        lost = std::max(lost, std::min(end, synced + 1) - missing);
      }
    }
    const bool in_segment = torn || (number_before != 0 && number_after == number_before + 1);
    if (lost > 0 && !in_segment && !image.ignored_files.empty()) {
      return;  // A segment that is left alone may have it.
    }
    if (lost > 0 && in_segment) {
      losses.damage.records += lost;
      damaged.insert(number_before);
    } else if (lost > 0) {
      losses.damage.segments_missing +=
          number_after > number_before + 1 ? number_after - number_before - 1 : 1;
    }
    for (ReaderState& reader : readers_) {
      reader.acknowledged.Add(begin, end);
    }
  };
  for (auto& [first, segment] : segments_) {
    if (first > from) {
      gap(from, first, segment.number, false);
    }
    number_before = segment.number;
    for (std::size_t i = 0; i < segment.entries.size(); ++i) {
      if (segment.entries[i].hole()) {
        gap(first + i, first + i + 1, segment.number, true);
      }
    }
    from = std::max(from, segment.end());
  }
  const bool torn = !image.segments.empty() && number_before == image.segments.back().number &&
                    image.segments.back().scan.end_offset < image.segments.back().scan.file_bytes;
  if (from < next_) {
    gap(from, next_, 0, torn);
  }
  for (const SegmentImage& segment : image.segments) {
    if (segment.scan.header_state == HeaderState::kDamaged && !segment.scan.entries.empty() &&
        segment.scan.first <= synced) {
      damaged.insert(segment.number);
    }
  }
  losses.damaged_segments.assign(damaged.begin(), damaged.end());
  losses.damage.segments_damaged = damaged.size();
}

void Catalog::LoadBacklogs() {
  for (auto& [first, segment] : segments_) {
    for (std::size_t i = 0; i < segment.entries.size(); ++i) {
      const Entry& entry = segment.entries[i];
      const Sequence sequence = first + i;
      for (std::size_t r = 0; r < readers_.size(); ++r) {
        ReaderState& reader = readers_[r];
        if ((entry.destinations & Bit(r)) == 0) {
          reader.acknowledged.Add(sequence);
        } else if (!reader.acknowledged.Contains(sequence)) {
          ++reader.records;
          ++reader.unread;
          reader.items += entry.items;
          reader.bytes += entry.bytes;
          ++segment.pending;
        }
      }
    }
  }
  for (ReaderState& reader : readers_) {
    reader.claimed = reader.acknowledged;
  }
}

}  // namespace weir::journal

#include "receivers/kafka/offset_tracker.h"

#include <algorithm>

namespace weir::receivers::kafka {

OffsetTracker::Verdict OffsetTracker::Begin(std::int64_t offset) {
  if (offset >= next_) {
    entries_.push_back({offset, State::kOpen});
    next_ = offset + 1;
    again_from_ = kNowhere;
    return Verdict::kTake;
  }
  if ((entries_.empty() || offset < entries_.front().offset) && offset < again_from_) {
    return Verdict::kRewound;
  }
  Entry* entry = Find(offset);
  if (entry == nullptr || entry->state != State::kFailed) {
    return Verdict::kSkip;
  }
  entry->state = State::kOpen;
  return Verdict::kTake;
}

void OffsetTracker::ReadAgainFrom(std::int64_t offset) {
  again_from_ = std::min(again_from_, offset);
}

void OffsetTracker::Settle(std::int64_t offset) {
  Entry* entry = Find(offset);
  if (entry == nullptr) {
    return;
  }
  entry->state = State::kSettled;
  while (!entries_.empty() && entries_.front().state == State::kSettled) {
    committable_ = entries_.front().offset + 1;
    entries_.pop_front();
  }
}

void OffsetTracker::Fail(std::int64_t offset) {
  if (Entry* entry = Find(offset); entry != nullptr && entry->state == State::kOpen) {
    entry->state = State::kFailed;
  }
}

std::optional<std::int64_t> OffsetTracker::first_failed() const {
  for (const Entry& entry : entries_) {
    if (entry.state == State::kFailed) {
      return entry.offset;
    }
  }
  return std::nullopt;
}

OffsetTracker::Entry* OffsetTracker::Find(std::int64_t offset) {
  const auto found = std::ranges::lower_bound(entries_, offset, {}, &Entry::offset);
  return found == entries_.end() || found->offset != offset ? nullptr : &*found;
}

}  // namespace weir::receivers::kafka

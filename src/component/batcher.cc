#include "weir/component/batcher.h"

#include <algorithm>
#include <utility>

#include "weir/base/check.h"
#include "weir/wire/split.h"

namespace weir {
namespace {

// Unit and record separators: no metadata value of a header can hold them.
constexpr char kValueEnd = '\x1f';
constexpr char kKeyEnd = '\x1e';

void AppendPairs(const std::vector<std::pair<std::string, std::string>>& pairs, std::string& key) {
  for (const auto& [name, value] : pairs) {
    key += name;
    key += kValueEnd;
    key += value;
    key += kValueEnd;
  }
  key += kKeyEnd;
}

}  // namespace

Batcher::Batcher(BatcherSettings settings, MemoryBudget* budget)
    : settings_(std::move(settings)), budget_(budget) {}

std::string Batcher::PartitionKey(const Batch& batch) const {
  const RequestContext* const context = batch.context().get();
  std::string key;
  if (context == nullptr) {
    return key;
  }
  if (settings_.metadata_keys.empty()) {
    key += context->peer_address;
    key += kKeyEnd;
    AppendPairs(context->metadata, key);
    AppendPairs(context->auth, key);
    return key;
  }
  for (const std::string& wanted : settings_.metadata_keys) {
    for (const auto& [name, value] : context->metadata) {
      if (name == wanted) {
        key += value;
        key += kValueEnd;
      }
    }
    key += kKeyEnd;
  }
  return key;
}

bool Batcher::Add(Batch& batch, TimePoint now, std::vector<Closed>& closed) {
  if (settings_.items_min == 0 && settings_.bytes_min == 0) {
    EmitCut(std::move(batch), Trigger::kSize, closed);
    return true;
  }
  const std::string key = PartitionKey(batch);
  auto found = open_.find(key);
  if (found == open_.end()) {
    const bool keyed = !settings_.metadata_keys.empty();
    if (keyed && settings_.metadata_cardinality_max != 0 &&
        open_.size() >= settings_.metadata_cardinality_max) {
      return false;
    }
    found = open_.emplace(key, Open{}).first;
  }
  Open& open = found->second;
  if (!open.batch.empty() && settings_.bytes_max != 0 &&
      open.batch.bytes() + batch.bytes() > settings_.bytes_max) {
    Close(open, Trigger::kSize, closed);
  }
  if (open.batch.empty()) {
    open.due = now + settings_.timeout;
  }
  held_items_ += batch.items();
  open.batch.Append(std::move(batch));
  const bool enough_items = settings_.items_min != 0 && open.batch.items() >= settings_.items_min;
  const bool enough_bytes = settings_.bytes_min != 0 && open.batch.bytes() >= settings_.bytes_min;
  if (enough_items || enough_bytes) {
    Close(open, Trigger::kSize, closed);
  } else if (settings_.timeout <= std::chrono::nanoseconds::zero()) {
    Close(open, Trigger::kTimeout, closed);
  }
  // Keys of a configured list are remembered, since they count towards the cardinality limit; whole
  // contexts (peers, tokens) are not, since nothing bounds them.
  if (open.batch.empty() && settings_.metadata_keys.empty()) {
    open_.erase(found);
  }
  return true;
}

std::optional<TimePoint> Batcher::NextDeadline() const {
  std::optional<TimePoint> next;
  for (const auto& [key, open] : open_) {
    if (!open.batch.empty() && (!next.has_value() || open.due < *next)) {
      next = open.due;
    }
  }
  return next;
}

void Batcher::TakeDue(TimePoint now, std::vector<Closed>& closed) {
  for (auto entry = open_.begin(); entry != open_.end();) {
    if (!entry->second.batch.empty() && entry->second.due <= now) {
      Close(entry->second, Trigger::kTimeout, closed);
    }
    const bool forget = entry->second.batch.empty() && settings_.metadata_keys.empty();
    entry = forget ? open_.erase(entry) : std::next(entry);
  }
}

void Batcher::TakeAll(std::vector<Closed>& closed) {
  for (auto& [key, open] : open_) {
    if (!open.batch.empty()) {
      Close(open, Trigger::kTimeout, closed);
    }
  }
  if (settings_.metadata_keys.empty()) {
    open_.clear();
  }
}

void Batcher::SecureOpen() {
  for (auto& [key, open] : open_) {
    open.batch.Secure();
  }
}

void Batcher::Close(Open& open, Trigger trigger, std::vector<Closed>& closed) {
  held_items_ -= open.batch.items();
  EmitCut(std::exchange(open.batch, Batch()), trigger, closed);
}

void Batcher::EmitCut(Batch batch, Trigger trigger, std::vector<Closed>& closed) {
  const bool items_fit = settings_.items_max == 0 || batch.items() <= settings_.items_max;
  const bool bytes_fit = settings_.bytes_max == 0 || batch.bytes() <= settings_.bytes_max;
  if (items_fit && bytes_fit) {
    closed.push_back({.batch = std::move(batch), .trigger = trigger});
    return;
  }
  Batch rest = batch.EmptyLike();
  const auto fits = [&](const Batch& open, std::uint64_t items, std::size_t bytes) {
    return (settings_.items_max == 0 || open.items() + items <= settings_.items_max) &&
           (settings_.bytes_max == 0 || open.bytes() + bytes <= settings_.bytes_max);
  };
  const auto add = [&](Part part) {
    if (!rest.empty() && !fits(rest, part.items, part.payload.size())) {
      Batch full = std::exchange(rest, rest.EmptyLike());
      closed.push_back({.batch = std::move(full), .trigger = trigger});
    }
    rest.AppendPart(std::move(part));
  };
  Batch::Parts parts = batch.TakeParts();
  for (Part& part : parts) {
    if (fits(Batch(), part.items, part.payload.size())) {
      add(std::move(part));
      continue;
    }
    std::vector<wire::Piece> pieces = wire::SplitRequest(
        batch.signal(), part.payload, settings_.items_max, settings_.bytes_max, budget_);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      DeliveryToken token = i + 1 < pieces.size() ? part.token.Split() : std::move(part.token);
      add({.payload = std::move(pieces[i].bytes),
           .items = pieces[i].items,
           .token = std::move(token),
           .weight = i == 0 ? part.weight : 0});
    }
  }
  if (!rest.empty()) {
    closed.push_back({.batch = std::move(rest), .trigger = trigger});
  }
}

}  // namespace weir

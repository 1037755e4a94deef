#include "pipeline/durable_backlog.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "journal/bytes.h"

namespace weir::pipeline {
namespace {

// Live copies of one queue: enough for its requests in flight and the next ones.
constexpr std::size_t kLiveBytes = std::size_t{32} << 20;
constexpr std::size_t kBudgetShare = 8;
// An append's callback comes microseconds after the record can be read; so many records can't be
// sent and answered in between.
constexpr std::size_t kSettledEarlyMax = 1024;

TimePoint SteadyTimeOf(std::int64_t unix_ns) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto age = std::chrono::duration_cast<std::chrono::nanoseconds>(wall) -
                   std::chrono::nanoseconds(unix_ns);
  // A wall clock that was set back makes no item younger than now.
  return std::chrono::steady_clock::now() - std::max(age, std::chrono::nanoseconds(0));
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

void PutText(std::string& out, std::string_view text) {
  journal::Put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

void PutPairs(std::string& out, const Pairs& pairs) {
  journal::Put(out, static_cast<std::uint32_t>(pairs.size()));
  for (const auto& [key, value] : pairs) {
    PutText(out, key);
    PutText(out, value);
  }
}

std::string TakeText(journal::ByteCursor& in) {
  return std::string(in.TakeBytes(in.Take<std::uint32_t>()));
}

Pairs TakePairs(journal::ByteCursor& in) {
  Pairs pairs;
  const auto count = in.Take<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    auto& [key, value] = pairs.emplace_back();
    key = TakeText(in);
    value = TakeText(in);
  }
  return pairs;
}

}  // namespace

Slice EncodeContext(const RequestContext& context) {
  std::string out;
  PutText(out, context.peer_address);
  PutPairs(out, context.metadata);
  PutPairs(out, context.auth);
  return Slice::Copy(out, nullptr);
}

std::shared_ptr<const RequestContext> DecodeContext(std::string_view bytes) {
  auto context = std::make_shared<RequestContext>();
  journal::ByteCursor in(bytes);
  context->peer_address = TakeText(in);
  context->metadata = TakePairs(in);
  context->auth = TakePairs(in);
  return in.ok() ? context : nullptr;
}

// Speaks for one record until everything made of it has settled; destroys itself then.
class DurableBacklog::Tracker final : public DeliveryTracker {
 public:
  Tracker(DurableBacklog& backlog, journal::Sequence sequence, std::size_t bytes, Sources sources,
          bool from_disk)
      : DeliveryTracker(Interest::kDelivered),
        sequence(sequence),
        bytes(bytes),
        from_disk(from_disk),
        sources(std::move(sources)),
        backlog_(backlog) {}
  ~Tracker() override = default;

  const journal::Sequence sequence;
  const std::size_t bytes;
  const bool from_disk;
  Sources sources;

 private:
  void OnSecured(const Settlement& /*settlement*/) override {}
  void OnDelivered(const Settlement& settlement) override {
    const std::unique_ptr<Tracker> self(this);
    backlog_.Settled(*this, settlement);
  }

  DurableBacklog& backlog_;
};

void DurableBacklog::Attach(journal::Reader& reader, journal::Sequence first_own) {
  reader_ = &reader;
  first_own_ = first_own;
  recovered_ = reader.backlog();
}

std::size_t DurableBacklog::live_bytes_max() const {
  return std::min(kLiveBytes, budget_.limit() / kBudgetShare);
}

bool DurableBacklog::ReserveLive(std::size_t bytes) {
  if (reader_->unread_records() > 0) {
    return false;
  }
  if (live_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= live_bytes_max()) {
    return true;
  }
  ReleaseLive(bytes);
  return false;
}

Batch DurableBacklog::Track(Batch batch, journal::Sequence sequence, Sources sources,
                            bool from_disk) {
  Batch tracked = batch.EmptyLike();
  const std::size_t bytes = batch.bytes();
  Batch::Parts parts = batch.TakeParts();
  DeliveryToken token =
      std::make_unique<Tracker>(*this, sequence, bytes, std::move(sources), from_disk)
          .release()
          ->Begin();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].token = i + 1 == parts.size() ? std::move(token) : token.Split();
    tracked.AppendPart(std::move(parts[i]));
  }
  return tracked;
}

void DurableBacklog::KeepSources(journal::Sequence sequence, Sources sources) {
  if (sources.empty()) {
    return;
  }
  Settlement settlement;
  {
    std::lock_guard lock(mutex_);
    const auto early = std::ranges::find(settled_early_, sequence,
                                         &std::pair<journal::Sequence, Settlement>::first);
    if (early == settled_early_.end()) {
      sources_.emplace(sequence, std::move(sources));
      return;
    }
    settlement = early->second;
  }
  for (DeliveryToken& source : sources) {
    source.Settle(settlement);
  }
}

journal::Dropped DurableBacklog::DropOldest(std::uint64_t bytes) {
  const journal::Dropped dropped = reader_->DropOldest(bytes);
  std::map<journal::Sequence, Sources> gone;
  {
    std::lock_guard lock(mutex_);
    while (!sources_.empty() && sources_.begin()->first <= dropped.last) {
      gone.insert(sources_.extract(sources_.begin()));
    }
  }
  for (auto& [sequence, sources] : gone) {
    for (DeliveryToken& source : sources) {
      source.Settle(Outcome::kRefused);
    }
  }
  return dropped;
}

void DurableBacklog::Settled(Tracker& tracker, const Settlement& settlement) {
  if (settlement.outcome != Outcome::kAbandoned) {
    reader_->Acknowledge(tracker.sequence);
  }
  ReleaseLive(tracker.bytes);
  if (tracker.from_disk && tracker.sources.empty() && tracker.sequence >= first_own_) {
    std::lock_guard lock(mutex_);
    if (auto late = sources_.extract(tracker.sequence); !late.empty()) {
      tracker.sources = std::move(late.mapped());
    } else {
      settled_early_.emplace_back(tracker.sequence, settlement);
      if (settled_early_.size() > kSettledEarlyMax) {
        settled_early_.pop_front();
      }
    }
  }
  for (DeliveryToken& source : tracker.sources) {
    source.Settle(settlement);
  }
}

bool DurableBacklog::can_read() const {
  return live_bytes_.load(std::memory_order_relaxed) <= live_bytes_max() / 2 &&
         reader_->unread_records() > 0;
}

std::vector<DurableBacklog::Stored> DurableBacklog::Read(bool& try_again) {
  std::vector<Stored> batches;
  journal::ReadResult result = reader_->Read(live_bytes_max() / 2, &budget_);
  try_again = result.refused_by_budget || result.disk_failed;
  for (journal::StoredRecord& stored : result.records) {
    journal::Record& record = stored.record;
    Batch batch;
    for (journal::Part& part : record.parts) {
      Part made{.payload = std::move(part.bytes), .items = part.items, .token = {}, .weight = 0};
      if (batch.empty()) {
        batch = Batch(record.signal, std::move(made), SteadyTimeOf(record.received_unix_ns),
                      DecodeContext(record.context.view()));
      } else {
        batch.AppendPart(std::move(made));
      }
    }
    if (batch.empty()) {
      reader_->Acknowledge(stored.sequence);
      continue;
    }
    Sources sources;
    {
      std::lock_guard lock(mutex_);
      if (auto node = sources_.extract(stored.sequence); !node.empty()) {
        sources = std::move(node.mapped());
      }
    }
    live_bytes_.fetch_add(batch.bytes(), std::memory_order_relaxed);
    batches.push_back(
        {.batch = Track(std::move(batch), stored.sequence, std::move(sources), /*from_disk=*/true),
         .slot = record.slot,
         .recovered = stored.sequence < first_own_});
  }
  return batches;
}

}  // namespace weir::pipeline

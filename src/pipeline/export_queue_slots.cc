// How the batches of each edge before an ExportQueue are merged, and how edges come and go.

#include <algorithm>
#include <utility>

#include "pipeline/export_queue.h"

namespace weir::pipeline {
namespace {

// gRPC servers take 4 MiB unless told otherwise. Merging stops below that, with room for the
// framing; a single request that is larger is sent as it came.
constexpr std::size_t kMergedBytesMax = (4U << 20) - (64U << 10);

}  // namespace

BatcherSettings ExportQueue::EffectiveSettings(
    const std::optional<BatcherSettings>& planned) const {
  BatcherSettings settings;
  if (const auto& own = parts_.settings.sending_queue.batch; own.has_value()) {
    const bool by_items = own->sizer == QueueSizer::kItems;
    settings.items_min = by_items ? own->min_size : 0;
    settings.items_max = by_items ? own->max_size : 0;
    settings.bytes_min = by_items ? 0 : own->min_size;
    settings.bytes_max = by_items ? 0 : own->max_size;
    settings.timeout = own->flush_timeout;
    settings.metadata_keys = own->partition.metadata_keys;
  } else if (planned.has_value()) {
    settings = *planned;
  } else {
    settings.items_min = 0;
  }
  if (settings.bytes_max == 0 && (settings.items_min != 0 || settings.bytes_min != 0)) {
    settings.bytes_max = std::max(kMergedBytesMax, settings.bytes_min);
  }
  if (const std::size_t limit = parts_.exporter.request_bytes_max(); limit != 0) {
    settings.bytes_max = settings.bytes_max == 0 ? limit : std::min(settings.bytes_max, limit);
  }
  return settings;
}

ExportQueue::Slot* ExportQueue::AddBatcher(const std::optional<BatcherSettings>& planned,
                                           BatchMetrics* metrics, std::uint32_t edge,
                                           std::function<void()> room) {
  const BatcherSettings settings = EffectiveSettings(planned);
  std::uint64_t weight_per_item = 0;
  if (parts_.settings.sending_queue.sizer == QueueSizer::kItems) {
    weight_per_item = 1;
  } else if (parts_.settings.sending_queue.sizer == QueueSizer::kRequests &&
             settings.items_min > 0) {
    weight_per_item = std::max<std::uint64_t>(1, kRequestWeight / settings.items_min);
  }
  auto slot = std::make_unique<Slot>(Batcher(settings, &parts_.budget), weight_per_item, metrics,
                                     edge, std::move(room));
  Slot* const made = slot.get();
  weight_per_item_.store(weight_per_item, std::memory_order_relaxed);
  std::lock_guard lock(slots_mutex_);
  slot_storage_.push_back(std::move(slot));
  return made;
}

void ExportQueue::RetireBatcher(Slot* slot) {
  parts_.loop.RunAndWait([this, slot] {
    if (!slot->listed.exchange(true, std::memory_order_relaxed)) {
      slots_.push_back(slot);
    }
    slot->retired = true;
    any_retired_ = true;
    Take();  // Takes what is in the ring, and closes what the batcher holds.
  });
}

// A retired slot goes once no batch that waits for room names it.
void ExportQueue::ForgetRetired() {
  any_retired_ = false;
  std::erase_if(slots_, [this](Slot* slot) {
    if (!slot->retired) {
      return false;
    }
    slot->metrics = nullptr;
    {
      std::lock_guard lock(overflow_mutex_);
      const auto names = [slot](const Entry& entry) { return entry.slot == slot; };
      if (std::ranges::any_of(waiting_, names) || std::ranges::any_of(overflow_, names)) {
        any_retired_ = true;
        return false;
      }
    }
    std::lock_guard lock(slots_mutex_);
    std::erase_if(slot_storage_, [slot](const auto& owned) { return owned.get() == slot; });
    return true;
  });
}

// The loop alone removes slots, so they stay while it goes through these.
std::vector<ExportQueue::Slot*> ExportQueue::SlotsThatWait() {
  std::vector<Slot*> slots;
  std::lock_guard lock(slots_mutex_);
  for (const auto& slot : slot_storage_) {
    if (slot->room != nullptr && !slot->retired) {
      slots.push_back(slot.get());
    }
  }
  return slots;
}

// That of the pipeline the record came by; another one where that is gone.
ExportQueue::Slot* ExportQueue::SlotOfEdge(std::uint32_t edge) {
  {
    std::lock_guard lock(slots_mutex_);
    const auto usable = [&](const auto& slot) { return !slot->retired && slot->edge == edge; };
    const auto any = [](const auto& slot) { return !slot->retired; };
    auto found = std::ranges::find_if(slot_storage_, usable);
    if (found == slot_storage_.end()) {
      found = std::ranges::find_if(slot_storage_, any);
    }
    if (found != slot_storage_.end()) {
      return found->get();
    }
  }
  return AddBatcher(std::nullopt, nullptr, edge);
}

}  // namespace weir::pipeline

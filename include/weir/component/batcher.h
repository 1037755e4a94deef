// Batcher collects batches into larger ones by item count, bytes and age. The `batch` processor
// and the exporters' queues share it, so there is one meaning of "a batch is full".
//
// Batches are merged only where their context (or the values of `metadata_keys`) is equal.
//
// Threads: one at a time.
// Ownership: holds the batches it was given until they are returned. It knows no clock and no
// timer: the caller asks NextDeadline and calls TakeDue.
// Invariants: a returned batch has at least items_min items, unless it is due, alone at its limit,
// or flushed; and at most items_max items and bytes_max bytes, unless one item is larger.

#ifndef WEIR_COMPONENT_BATCHER_H_
#define WEIR_COMPONENT_BATCHER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weir/component/batch.h"

namespace weir {

struct BatcherSettings {
  std::uint64_t items_min = 8192;  // Full at this many items; 0: each batch leaves as it comes.
  std::uint64_t items_max = 0;     // Larger ones are cut on item boundaries; 0: no limit.
  std::size_t bytes_min = 0;       // Full at this many bytes; 0: bytes do not matter.
  // Closed before it would grow past this. A single part larger than that leaves alone.
  std::size_t bytes_max = 0;
  std::chrono::nanoseconds timeout = std::chrono::milliseconds(200);  // 0: no waiting.
  // Lower-case metadata keys whose values keep batches apart; empty: the whole context does.
  std::vector<std::string> metadata_keys;
  std::uint32_t metadata_cardinality_max = 1000;  // Distinct values; 0: no limit.

  bool operator==(const BatcherSettings&) const = default;
};

class Batcher {
 public:
  // What a closed batch was closed for; the Collector counts these apart.
  enum class Trigger : std::uint8_t { kSize, kTimeout };
  struct Closed {
    Batch batch;
    Trigger trigger;
  };

  // `budget` is charged for what cutting copies; may be null.
  Batcher(BatcherSettings settings, MemoryBudget* budget);

  // Appends the batches that became full to `closed`. False when the batch was not taken because
  // its metadata would pass metadata_cardinality_max; it is untouched then.
  bool Add(Batch& batch, TimePoint now, std::vector<Closed>& closed);

  // When the oldest open batch is due; nullopt when none is open.
  std::optional<TimePoint> NextDeadline() const;
  void TakeDue(TimePoint now, std::vector<Closed>& closed);
  void TakeAll(std::vector<Closed>& closed);

  void SecureOpen();

  std::uint64_t held_items() const { return held_items_; }
  std::size_t partitions() const { return open_.size(); }
  const BatcherSettings& settings() const { return settings_; }
  // Lowers (or sets) the byte cap, after a destination said that a request was too large.
  void set_bytes_max(std::size_t bytes) { settings_.bytes_max = bytes; }

 private:
  struct Open {
    Batch batch;
    TimePoint due{};
  };

  std::string PartitionKey(const Batch& batch) const;
  void Close(Open& open, Trigger trigger, std::vector<Closed>& closed);
  void EmitCut(Batch batch, Trigger trigger, std::vector<Closed>& closed);

  BatcherSettings settings_;
  MemoryBudget* const budget_;
  std::map<std::string, Open, std::less<>> open_;
  std::uint64_t held_items_ = 0;
};

}  // namespace weir

#endif  // WEIR_COMPONENT_BATCHER_H_

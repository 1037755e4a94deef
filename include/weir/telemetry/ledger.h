// The ledger keeps the books of every item: for each node and signal
//
//   in + created + recovered = out + consumed + held + dropped
//
// where a node is a component instance in its role (in its pipeline, where it has one of its own).
//
//   in         items that entered: accepted by a receiver's door, handed over by the node before
//   created    items the node made (points of a connector, own telemetry)
//   recovered  items a restart found in the journal
//   out        items handed to the next node, or delivered by an exporter; a fan-out counts each
//   branch consumed   items turned into something else by design (a connector's input, aggregated
//   points) held       items the node has now (a queue, a batch that is being filled, requests in
//   flight) dropped    items that ended here, by DropReason refused    items a door did not take;
//   they never were in and are no part of the identity
//
// Threads: NodeLedger is thread-safe and wait-free. Ledger locks; it is for start-up, reload and
// scrapes. A snapshot taken while items move may be off by those that are between two counts; on a
// quiet graph it is exact.
// Ownership: a node stays in the ledger until its last NodeHandle is gone and its books close.
// Invariants: node names come from the configuration.

#ifndef WEIR_TELEMETRY_LEDGER_H_
#define WEIR_TELEMETRY_LEDGER_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "weir/telemetry/drop_reason.h"
#include "weir/telemetry/metrics.h"
#include "weir/wire/signal.h"

namespace weir {

enum class NodeKind : std::uint8_t { kReceiver, kProcessor, kConnector, kExporter };
std::string_view NodeKindName(NodeKind kind);  // "receiver", ...

struct NodeKey {
  std::string node;  // The component's id, such as "otlp/2".
  NodeKind kind = NodeKind::kReceiver;
  Signal signal = Signal::kTraces;
  std::string pipeline;  // "traces/2" for a node that each pipeline has its own of, else empty.

  auto operator<=>(const NodeKey&) const = default;
};

struct NodeBooks {
  NodeKey key;
  std::uint64_t in = 0;
  std::uint64_t created = 0;
  std::uint64_t recovered = 0;
  std::uint64_t out = 0;
  std::uint64_t consumed = 0;
  std::int64_t held = 0;
  std::uint64_t refused = 0;
  std::array<std::uint64_t, kDropReasonCount> dropped_by_reason{};

  std::uint64_t dropped() const;
  // What entered and is not accounted for; 0 when the books close.
  std::int64_t missing() const;
  bool closes() const { return missing() == 0 && held >= 0; }
};

class NodeLedger {
 public:
  NodeLedger(NodeKey key, CellRun cells) : key_(std::move(key)), cells_(cells) {}
  NodeLedger(const NodeLedger&) = delete;
  NodeLedger& operator=(const NodeLedger&) = delete;

  void In(std::uint64_t items) { cells_.Add(kIn, items); }
  void Created(std::uint64_t items) { cells_.Add(kCreated, items); }
  void Recovered(std::uint64_t items) { cells_.Add(kRecovered, items); }
  void Out(std::uint64_t items) { cells_.Add(kOut, items); }
  void Consumed(std::uint64_t items) { cells_.Add(kConsumed, items); }
  void Hold(std::int64_t items) { cells_.Add(kHeld, static_cast<std::uint64_t>(items)); }
  void Refused(std::uint64_t items) { cells_.Add(kRefused, items); }
  void Drop(DropReason reason, std::uint64_t items) {
    cells_.Add(kDropped + static_cast<std::size_t>(reason), items);
  }

  const NodeKey& key() const { return key_; }
  NodeBooks Books() const;

 private:
  friend class Ledger;
  enum Column : std::size_t {
    kIn,
    kCreated,
    kRecovered,
    kOut,
    kConsumed,
    kHeld,
    kRefused,
    kDropped
  };
  static constexpr std::size_t kColumns = kDropped + kDropReasonCount;

  const NodeKey key_;
  CellRun cells_;
};

class Ledger;

namespace internal {
struct NodeCloser {
  Ledger* ledger = nullptr;
  void operator()(NodeLedger* node) const;
};
}  // namespace internal

// Movable, owning; use as a pointer.
using NodeHandle = std::unique_ptr<NodeLedger, internal::NodeCloser>;

class Ledger final : public MetricSource {
 public:
  // Shows itself in `registry`, which outlives it, as weir_ledger_items_total,
  // weir_ledger_held_items and weir_dropped_items_total.
  explicit Ledger(MetricRegistry& registry);
  ~Ledger() override;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // The node of this key; the same one for every handle, so that an old and a new graph share it.
  // REQUIRES: every handle is gone before the ledger.
  NodeHandle Open(const NodeKey& key);

  // All nodes, by key.
  std::vector<NodeBooks> Snapshot() const;
  // The nodes whose books do not close; empty on a quiet graph, or the program has a defect.
  std::vector<NodeBooks> Check() const;
  // {"nodes":[{"node":"otlp","kind":"receiver","signal":"traces","pipeline":"","in":1,...,
  //            "dropped":{"queue_full":2},"missing":0}]}; reasons that are 0 are left out.
  std::string ToJson() const;

  void Collect(std::vector<MetricFamily>& families) const override;

 private:
  friend struct internal::NodeCloser;
  struct Entry {
    std::unique_ptr<NodeLedger> node;
    std::uint64_t handles = 0;
  };

  void Close(NodeLedger& node);

  MetricRegistry& registry_;
  mutable std::mutex mutex_;  // Guards nodes_.
  std::map<NodeKey, Entry> nodes_;
};

}  // namespace weir

#endif  // WEIR_TELEMETRY_LEDGER_H_

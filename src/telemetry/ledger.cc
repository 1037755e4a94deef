#include "weir/telemetry/ledger.h"

#include <numeric>

#include "fmt/format.h"
#include "telemetry/json_text.h"
#include "weir/base/check.h"
#include "weir/telemetry/self_metrics.h"

namespace weir {

namespace {

MetricFamily FamilyOf(const MetricSpec& spec) {
  return {std::string(spec.name), std::string(spec.help), std::string(spec.unit), spec.type, {}};
}

MetricLabels LabelsOf(const NodeKey& key) {
  return {{"node", key.node},
          {"kind", std::string(NodeKindName(key.kind))},
          {"signal", std::string(SignalName(key.signal))},
          {"pipeline", key.pipeline}};
}

void AddDrops(const NodeBooks& books, MetricFamily& family) {
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    if (books.dropped_by_reason[i] == 0) {
      continue;  // A series appears with its first item: there are few, of many possible.
    }
    const auto reason = DropReasonName(static_cast<DropReason>(i));
    MetricLabels labels = {{"component", books.key.node},
                           {"kind", std::string(NodeKindName(books.key.kind))},
                           {"signal", std::string(SignalName(books.key.signal))},
                           {"pipeline", books.key.pipeline},
                           {"reason", std::string(reason)}};
    family.samples.push_back(
        {std::move(labels), static_cast<double>(books.dropped_by_reason[i]), {}});
  }
}

void AddFlow(const NodeBooks& books, std::string_view flow, std::uint64_t items,
             MetricFamily& family) {
  MetricLabels labels = LabelsOf(books.key);
  labels.emplace_back("flow", flow);
  family.samples.push_back({std::move(labels), static_cast<double>(items), {}});
}

}  // namespace

std::string_view NodeKindName(NodeKind kind) {
  switch (kind) {
    case NodeKind::kReceiver:
      return "receiver";
    case NodeKind::kProcessor:
      return "processor";
    case NodeKind::kConnector:
      return "connector";
    case NodeKind::kExporter:
      return "exporter";
  }
  return "unknown";
}

std::uint64_t NodeBooks::dropped() const {
  return std::accumulate(dropped_by_reason.begin(), dropped_by_reason.end(), std::uint64_t{0});
}

std::int64_t NodeBooks::missing() const {
  // Unsigned arithmetic wraps, so the difference is right even where a term is behind.
  return static_cast<std::int64_t>(in + created + recovered - out - consumed -
                                   static_cast<std::uint64_t>(held) - dropped());
}

NodeBooks NodeLedger::Books() const {
  NodeBooks books;
  books.key = key_;
  // What leaves is read before what enters, so that a scrape in mid-flow shows items on their way
  // rather than items that left before they came.
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    books.dropped_by_reason[i] = cells_.Sum(kDropped + i);
  }
  books.out = cells_.Sum(kOut);
  books.consumed = cells_.Sum(kConsumed);
  books.held = static_cast<std::int64_t>(cells_.Sum(kHeld));
  books.created = cells_.Sum(kCreated);
  books.recovered = cells_.Sum(kRecovered);
  books.in = cells_.Sum(kIn);
  books.refused = cells_.Sum(kRefused);
  return books;
}

void internal::NodeCloser::operator()(NodeLedger* node) const { ledger->Close(*node); }

Ledger::Ledger(MetricRegistry& registry) : registry_(registry) { registry_.AddSource(*this); }

Ledger::~Ledger() {
  registry_.RemoveSource(*this);
  for (auto& [key, entry] : nodes_) {
    WEIR_CHECK(entry.handles == 0);
    registry_.cells().Free(entry.node->cells_);
  }
}

NodeHandle Ledger::Open(const NodeKey& key) {
  const std::lock_guard lock(mutex_);
  Entry& entry = nodes_[key];
  if (entry.node == nullptr) {
    entry.node =
        std::make_unique<NodeLedger>(key, registry_.cells().Allocate(NodeLedger::kColumns));
  }
  ++entry.handles;
  return {entry.node.get(), internal::NodeCloser{this}};
}

void Ledger::Close(NodeLedger& node) {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(node.key());
  WEIR_CHECK(found != nodes_.end());
  Entry& entry = found->second;
  const NodeBooks books = node.Books();
  if (--entry.handles == 0 && books.closes() && books.held == 0) {
    registry_.cells().Free(node.cells_);
    nodes_.erase(found);
  }
}

std::vector<NodeBooks> Ledger::Snapshot() const {
  const std::lock_guard lock(mutex_);
  std::vector<NodeBooks> all;
  all.reserve(nodes_.size());
  for (const auto& [key, entry] : nodes_) {
    all.push_back(entry.node->Books());
  }
  return all;
}

std::vector<NodeBooks> Ledger::Check() const {
  std::vector<NodeBooks> open = Snapshot();
  std::erase_if(open, [](const NodeBooks& books) { return books.closes(); });
  return open;
}

std::string Ledger::ToJson() const {
  std::string json = "{\"nodes\":[";
  for (const NodeBooks& books : Snapshot()) {
    if (json.back() != '[') {
      json += ',';
    }
    json += "{\"node\":";
    internal::AppendJsonString(books.key.node, json);
    fmt::format_to(std::back_inserter(json),
                   ",\"kind\":\"{}\",\"signal\":\"{}\",\"pipeline\":", NodeKindName(books.key.kind),
                   SignalName(books.key.signal));
    internal::AppendJsonString(books.key.pipeline, json);
    fmt::format_to(std::back_inserter(json),
                   ",\"in\":{},\"created\":{},\"recovered\":{},\"out\":{},\"consumed\":{},"
                   "\"held\":{},\"refused\":{},\"dropped\":{{",
                   books.in, books.created, books.recovered, books.out, books.consumed, books.held,
                   books.refused);
    for (std::size_t i = 0; i < kDropReasonCount; ++i) {
      if (books.dropped_by_reason[i] != 0) {
        fmt::format_to(std::back_inserter(json), "{}\"{}\":{}", json.back() == '{' ? "" : ",",
                       DropReasonName(static_cast<DropReason>(i)), books.dropped_by_reason[i]);
      }
    }
    fmt::format_to(std::back_inserter(json), "}},\"missing\":{}}}", books.missing());
  }
  json += "]}";
  return json;
}

void Ledger::Collect(std::vector<MetricFamily>& families) const {
  MetricFamily flows = FamilyOf(kLedgerItems);
  MetricFamily held = FamilyOf(kLedgerHeldItems);
  MetricFamily drops = FamilyOf(kDroppedItems);
  for (const NodeBooks& books : Snapshot()) {
    AddFlow(books, "in", books.in, flows);
    AddFlow(books, "created", books.created, flows);
    AddFlow(books, "recovered", books.recovered, flows);
    AddFlow(books, "out", books.out, flows);
    AddFlow(books, "consumed", books.consumed, flows);
    AddFlow(books, "dropped", books.dropped(), flows);
    AddFlow(books, "refused", books.refused, flows);
    held.samples.push_back({LabelsOf(books.key), static_cast<double>(books.held), {}});
    AddDrops(books, drops);
  }
  if (flows.samples.empty()) {
    return;
  }
  families.push_back(std::move(flows));
  families.push_back(std::move(held));
  if (!drops.samples.empty()) {
    families.push_back(std::move(drops));
  }
}

}  // namespace weir

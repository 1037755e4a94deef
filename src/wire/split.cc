// How it works:
//
//   1. A Cutter walks the containers of a request from the outside in. At each one it asks a policy
//      whether to take it whole; if not, the container is opened: its own fields are set aside to
//      be repeated, and what it holds is walked in turn, down to single items.
//   2. A policy hands what it takes to a PiecePlan: splitting fills one after the other,
//      partitioning keeps one a key.
//   3. Plans are written out as slices.
//
// A metric needs care: its kinds of data are members of a oneof, so only the last one counts, and
// several messages of that kind are one. Opening a metric does what a decoder does.

#include "weir/wire/split.h"

#include <deque>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "weir/wire/attribute_hash.h"
#include "weir/wire/scanner.h"
#include "weir/wire/varint.h"
#include "wire/message_tables.h"
#include "wire/piece_plan.h"
#include "wire/scanner_walk.h"

namespace weir::wire {
namespace {

using internal::Container;
using internal::Message;
using internal::PiecePlan;

// What a request is made of, from the outside in, below the request itself.
enum class Level : std::uint8_t { kResource, kScope, kMetric, kItem };

struct FieldBytes {
  std::uint32_t tag = 0;
  std::string_view whole;  // With tag and length.
  std::string_view value;  // Of a length-delimited field.
};

// Takes the next field off `rest`. REQUIRES: not empty, and legal as the structure scan has it.
FieldBytes TakeField(std::string_view& rest) {
  const char* const begin = rest.data();
  const char* const end = begin + rest.size();
  const Varint32 tag = ReadTag(begin, end);
  WEIR_CHECK(tag.next != nullptr);
  const char* const next = SkipField(tag.next, end, tag.value);
  WEIR_CHECK(next != nullptr);
  FieldBytes field{tag.value, {begin, static_cast<std::size_t>(next - begin)}, {}};
  if (TagType(tag.value) == WireType::kLength) {
    const Varint32 length = ReadLength(tag.next, end);
    field.value = {length.next, length.value};
  }
  rest.remove_prefix(field.whole.size());
  return field;
}

void AppendOwn(Container& container, std::string_view field) {
  container.own_size += field.size();
  if (!container.own.empty()) {
    std::string_view& last = container.own.back();
    if (last.data() + last.size() == field.data()) {
      last = {last.data(), last.size() + field.size()};
      return;
    }
  }
  container.own.push_back(field);
}

constexpr std::uint32_t kTagRequestChild = MakeTag(1, WireType::kLength);
constexpr std::uint32_t kTagChild = MakeTag(2, WireType::kLength);  // Of a resource or a scope.
constexpr std::uint32_t kTagPoint = MakeTag(1, WireType::kLength);

constexpr bool IsMetricData(std::uint32_t tag) {
  return tag == MakeTag(5, WireType::kLength) || tag == MakeTag(7, WireType::kLength) ||
         tag == MakeTag(9, WireType::kLength) || tag == MakeTag(10, WireType::kLength) ||
         tag == MakeTag(11, WireType::kLength);
}

std::uint64_t CountItems(Signal signal, Level level, std::string_view body) {
  const bool metrics = signal == Signal::kMetrics;
  Message message = Message::kMetricOutline;
  if (level == Level::kResource) {
    message = metrics ? Message::kResourceMetricsOutline : Message::kResourceOutline;
  } else if (level == Level::kScope) {
    message = metrics ? Message::kScopeMetricsOutline : Message::kScopeOutline;
  }
  return internal::WalkMessage(message, body).items;
}

// Walks a request for a policy, which has
//   bool TakeWhole(Level, const Container* parent, const FieldBytes&)   true when it took it
//   bool MayOpen(const Container&)                                      false: keep it together
//   void Take(const Container* parent, const FieldBytes&, items)        must take it
//   void TakeItem(const Container* parent, const FieldBytes&)
template <typename Policy>
class Cutter {
 public:
  Cutter(Signal signal, Policy& policy) : signal_(signal), policy_(policy) {}

  void Cut(std::string_view request) {
    while (!request.empty()) {
      const FieldBytes field = TakeField(request);
      if (field.tag == kTagRequestChild) {
        Visit(Level::kResource, nullptr, field);
      } else {
        // A field of a request that is newer than we are: kept once.
        policy_.Take(nullptr, field, 0);
      }
    }
  }

 private:
  void Visit(Level level, const Container* parent, const FieldBytes& field) {
    if (level == Level::kItem) {
      policy_.TakeItem(parent, field);
    } else if (!policy_.TakeWhole(level, parent, field)) {
      if (level == Level::kMetric) {
        OpenMetric(parent, field);
      } else {
        Open(level, parent, field);
      }
    }
  }

  void Open(Level level, const Container* parent, const FieldBytes& field) {
    Container& container = NewContainer(parent, field.tag);
    bool holds_any = false;
    for (std::string_view rest = field.value; !rest.empty();) {
      const FieldBytes inner = TakeField(rest);
      if (inner.tag == kTagChild) {
        holds_any = true;
      } else {
        AppendOwn(container, inner.whole);
      }
    }
    if (!holds_any || !policy_.MayOpen(container)) {
      policy_.Take(parent, field, CountItems(signal_, level, field.value));
      return;
    }
    for (std::string_view rest = field.value; !rest.empty();) {
      const FieldBytes inner = TakeField(rest);
      if (inner.tag == kTagChild) {
        Visit(Below(level), &container, inner);
      }
    }
  }

  void OpenMetric(const Container* parent, const FieldBytes& field) {
    Container& metric = NewContainer(parent, field.tag);
    std::vector<std::string_view> parts;  // Of the member of the oneof that counts.
    std::uint32_t member = 0;
    for (std::string_view rest = field.value; !rest.empty();) {
      const FieldBytes inner = TakeField(rest);
      if (!IsMetricData(inner.tag)) {
        AppendOwn(metric, inner.whole);
        continue;
      }
      if (inner.tag != member) {
        member = inner.tag;
        parts.clear();
      }
      parts.push_back(inner.value);
    }
    Container& data = NewContainer(&metric, member);
    std::vector<FieldBytes> points;
    for (std::string_view part : parts) {
      while (!part.empty()) {
        const FieldBytes inner = TakeField(part);
        if (inner.tag == kTagPoint) {
          points.push_back(inner);
        } else {
          AppendOwn(data, inner.whole);
        }
      }
    }
    if (points.empty() || !policy_.MayOpen(data)) {
      policy_.Take(parent, field, points.size());
      return;
    }
    for (const FieldBytes& point : points) {
      Visit(Level::kItem, &data, point);
    }
  }

  Level Below(Level level) const {
    if (level == Level::kResource) {
      return Level::kScope;
    }
    return signal_ == Signal::kMetrics ? Level::kMetric : Level::kItem;
  }
  Container& NewContainer(const Container* parent, std::uint32_t tag) {
    Container& container = containers_.emplace_back();
    container.parent = parent;
    container.depth = parent == nullptr ? 1 : parent->depth + 1;
    container.tag = tag;
    return container;
  }

  const Signal signal_;
  Policy& policy_;
  std::deque<Container> containers_;  // A deque, as plans point to them.
};

// Bytes that repeating may still cost.
class RepeatAllowance {
 public:
  explicit RepeatAllowance(std::size_t request_size)
      : left_(request_size * kRepeatFactorMax + kRepeatFreeBytes) {}

  // False, and nothing taken, when `bytes` are too many.
  bool Take(std::size_t bytes) {
    if (bytes > left_) {
      return false;
    }
    left_ -= bytes;
    return true;
  }

 private:
  std::size_t left_;
};

class SplitPolicy {
 public:
  SplitPolicy(Signal signal, const Slice& request, std::uint64_t items_max, std::size_t bytes_max,
              MemoryBudget* budget)
      : signal_(signal),
        request_(request),
        items_max_(items_max),
        bytes_max_(bytes_max),
        budget_(budget),
        allowance_(request.size()) {}

  bool TakeWhole(Level level, const Container* parent, const FieldBytes& field) {
    const std::uint64_t items = CountItems(signal_, level, field.value);
    const bool full = items > 0 && plan_.items() >= items_max_;
    if (full && allowance_.Take(PiecePlan().OpenSize(parent))) {
      Finish();
    }
    if (!Fits(parent, field, items)) {
      return false;
    }
    plan_.Add(parent, field.whole, items);
    return true;
  }

  bool MayOpen(const Container& container) const {
    std::size_t repeated = 0;
    for (const Container* at = &container; at != nullptr; at = at->parent) {
      repeated += at->OpenSize();
    }
    return repeated <= bytes_max_ / 2;
  }

  void Take(const Container* parent, const FieldBytes& field, std::uint64_t items) {
    if (!plan_.empty() && !Fits(parent, field, items) &&
        allowance_.Take(PiecePlan().OpenSize(parent))) {
      Finish();
    }
    plan_.Add(parent, field.whole, items);
  }
  void TakeItem(const Container* parent, const FieldBytes& field) { Take(parent, field, 1); }

  std::vector<Piece> Pieces() && {
    Finish();
    return std::move(pieces_);
  }

 private:
  bool Fits(const Container* parent, const FieldBytes& field, std::uint64_t items) const {
    const std::size_t size = plan_.OpenSize(parent) + field.whole.size();
    return items <= items_max_ && plan_.items() <= items_max_ - items && size <= bytes_max_ &&
           plan_.size_max() <= bytes_max_ - size;
  }
  void Finish() {
    if (!plan_.empty()) {
      const std::uint64_t items = plan_.items();
      pieces_.push_back({std::exchange(plan_, PiecePlan()).Write(request_, budget_), items});
    }
  }

  const Signal signal_;
  const Slice& request_;
  const std::uint64_t items_max_;
  const std::size_t bytes_max_;
  MemoryBudget* const budget_;
  RepeatAllowance allowance_;
  PiecePlan plan_;
  std::vector<Piece> pieces_;
};

// Keeps one plan a key. Keys are found in a tree, which forged trace ids can't degrade.
class PartitionPolicy {
 public:
  PartitionPolicy(Signal signal, PartitionKey key, std::size_t request_size)
      : signal_(signal), key_(key), allowance_(request_size) {}

  bool TakeWhole(Level level, const Container* parent, const FieldBytes& field) {
    if (key_ != PartitionKey::kResource) {
      return false;
    }
    AttributeHasher hasher;
    for (std::string_view rest = field.value; !rest.empty();) {
      const FieldBytes inner = TakeField(rest);
      if (inner.tag == MakeTag(1, WireType::kLength)) {
        hasher.AddResource(inner.value);
      }
    }
    PlanFor(hasher.hash().Bytes())
        .Add(parent, field.whole, CountItems(signal_, level, field.value));
    return true;
  }
  bool MayOpen(const Container& /*container*/) const { return true; }

  // What holds no item has no key: it goes with the first part, once there is one.
  void Take(const Container* parent, const FieldBytes& field, std::uint64_t items) {
    keyless_.push_back({parent, field.whole, items});
  }
  void TakeItem(const Container* parent, const FieldBytes& field) {
    const std::string_view trace_id = TraceId(field.value);
    if (last_ == nullptr || trace_id != last_key_) {
      PiecePlan& plan = PlanFor(std::string(trace_id));
      // Once repeating costs too much, an item joins the part before it.
      if (allowance_.Take(plan.OpenSize(parent)) || last_ == nullptr) {
        last_ = &plan;
        last_key_ = trace_id;
      }
    }
    last_->Add(parent, field.whole, 1);
  }

  std::vector<Partition> Partitions(const Slice& request, MemoryBudget* budget) && {
    for (const Keyless& field : keyless_) {
      if (parts_.empty()) {
        parts_.emplace_back();
      }
      parts_.front().plan.Add(field.parent, field.whole, field.items);
    }
    std::vector<Partition> partitions;
    partitions.reserve(parts_.size());
    for (Part& part : parts_) {
      if (part.plan.empty()) {
        continue;  // Its items joined another part.
      }
      const std::uint64_t items = part.plan.items();
      partitions.push_back({std::move(part.key), part.plan.Write(request, budget), items});
    }
    return partitions;
  }

 private:
  struct Part {
    std::string key;
    PiecePlan plan;
  };
  struct Keyless {
    const Container* parent;
    std::string_view whole;
    std::uint64_t items;
  };

  // Empty when there is none. An item that is malformed inside has none either.
  std::string_view TraceId(std::string_view item) const {
    const std::uint32_t wanted = MakeTag(signal_ == Signal::kTraces ? 1 : 9, WireType::kLength);
    std::string_view trace_id;
    const char* p = item.data();
    const char* const end = p + item.size();
    while (p != end) {
      const Varint32 tag = ReadTag(p, end);
      p = tag.next == nullptr ? nullptr : SkipField(tag.next, end, tag.value);
      if (p == nullptr) {
        return {};
      }
      if (tag.value == wanted) {
        const Varint32 length = ReadLength(tag.next, end);
        trace_id = {length.next, length.value};
      }
    }
    return trace_id;
  }

  PiecePlan& PlanFor(std::string key) {
    const auto [it, is_new] = by_key_.try_emplace(std::move(key), nullptr);
    if (is_new) {
      it->second = &parts_.emplace_back(Part{it->first, PiecePlan()}).plan;
    }
    return *it->second;
  }

  const Signal signal_;
  const PartitionKey key_;
  RepeatAllowance allowance_;
  std::deque<Part> parts_;  // A deque, as there are pointers into it.
  std::map<std::string, PiecePlan*> by_key_;
  std::vector<Keyless> keyless_;
  PiecePlan* last_ = nullptr;
  std::string_view last_key_;
};

}  // namespace

std::vector<Piece> SplitRequest(Signal signal, const Slice& request, std::uint64_t items_max,
                                std::size_t bytes_max, MemoryBudget* budget) {
  items_max = items_max == 0 ? std::numeric_limits<std::uint64_t>::max() : items_max;
  bytes_max = bytes_max == 0 ? std::numeric_limits<std::size_t>::max() : bytes_max;
  const ScanResult scan = Scan(signal, request.view(), ScanDepth::kStructure);
  if (!scan.ok() || (scan.items <= items_max && request.size() <= bytes_max)) {
    return {Piece{request, scan.items}};
  }
  SplitPolicy policy(signal, request, items_max, bytes_max, budget);
  Cutter<SplitPolicy> cutter(signal, policy);  // Holds what the plans point to.
  cutter.Cut(request.view());
  return std::move(policy).Pieces();
}

std::vector<Partition> PartitionRequest(Signal signal, const Slice& request, PartitionKey key,
                                        MemoryBudget* budget) {
  const ScanResult scan = Scan(signal, request.view(), ScanDepth::kStructure);
  const bool keyless = signal == Signal::kMetrics && key == PartitionKey::kTraceId;
  if (!scan.ok() || keyless) {
    return {Partition{"", request, scan.items}};
  }
  PartitionPolicy policy(signal, key, request.size());
  Cutter<PartitionPolicy> cutter(signal, policy);
  cutter.Cut(request.view());
  return std::move(policy).Partitions(request, budget);
}

}  // namespace weir::wire

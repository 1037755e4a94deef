// Rewriter edits a request in one forward pass over its bytes. A visitor decides about each
// resource, scope, metric and item; what it leaves alone is copied in runs as long as possible, and
// a request that nobody changed is not copied at all.
//
//   struct Redact : wire::RewriteVisitor {
//     Verdict OnItem(const Item& item, Edit& edit) {
//       if (!SearchAttributes(item.contents, item.attributes_field, keys,
//                             [&](std::size_t, const AttributeView& a) { edit.Cut(a.field); })) {
//         return Verdict::kMalformed;
//       }
//       return edit.empty() ? Verdict::kKeep : Verdict::kEdit;
//     }
//   };
//   RewriteResult result = rewriter.Rewrite(signal, part.payload, redact);
//
// Items are spans, log records and data points; a metric is a level above its points. The length of
// an edited item is known before it is written; those of the levels around it are reserved as
// padded varints, which are legal protobuf, and patched.
//
// Threads: one at a time. A rewriter keeps its scratch memory from one request to the next.
// Loss: an item the visitor finds malformed is left out alone and counted. Levels that lose their
// last item are left out, too. A level whose own framing is broken, which the scanner at the door
// does not let in, ends where it breaks and counts as one malformed item.
// Invariants: result.dropped + result.malformed is the number of items that are in the request and
// not in the payload.

#ifndef WEIR_WIRE_REWRITER_H_
#define WEIR_WIRE_REWRITER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "weir/base/budget.h"
#include "weir/base/slice.h"
#include "weir/wire/otlp.h"
#include "weir/wire/signal.h"
#include "weir/wire/view.h"
#include "weir/wire/writer.h"

namespace weir::wire {

enum class Verdict : std::uint8_t {
  kKeep,       // As it is; of a level: go on into it.
  kSkip,       // As it is with all that is in it, unvisited. Of an item: the same as kKeep.
  kEdit,       // With the changes noted in the Edit; of a resource or scope: then go on into it.
  kDrop,       // Left out, with all that is in it.
  kMalformed,  // Left out, and counted as malformed.
};

// The changes to one message, noted by reference to where they apply.
class Edit {
 public:
  Edit() = default;
  Edit(const Edit&) = delete;
  Edit& operator=(const Edit&) = delete;

  // `field` is a whole field of the message, as FieldReader and AttributeView give it. No field is
  // cut or replaced twice.
  void Cut(std::string_view field) { patches_.push_back({field, 0, 0}); }
  // `fields` is copied.
  void Replace(std::string_view field, std::string_view fields);
  // What is written goes behind the message's last field.
  Writer& Append() { return appended_; }
  // The same for whole fields that stay where they are until the visitor is called again.
  void AppendStable(std::string_view fields) { stable_.push_back(fields); }
  // Field `number` of `message`, a string or bytes, becomes `value`: every occurrence is cut and
  // one appended, or none where `value` is empty. False when the message is malformed.
  bool SetBytes(std::string_view message, FieldNumber number, std::string_view value);

  bool empty() const { return patches_.empty() && stable_.empty() && appended_.size() == 0; }
  void Clear();

  // The size of `message` with these changes, and the message itself, written to where it is told.
  std::size_t SizeOf(std::string_view message);
  char* Write(std::string_view message, char* out) const;

 private:
  struct Patch {
    std::string_view field;
    std::size_t text_offset;  // In replacements_.
    std::size_t text_size;
  };

  std::vector<Patch> patches_;
  std::vector<std::string_view> stable_;
  Writer replacements_{256};
  Writer appended_{256};
};

struct Item {
  std::string_view contents;
  FieldNumber attributes_field;
  FieldNumber data_field;  // Of a data point: its metric's kind. 0 otherwise.
};

// What a visitor derives from; it hides the members it wants and switches them on. Calls come in
// the order of nesting: a resource before its scopes, a scope before its items, a metric before its
// points, wherever they lie in the bytes.
struct RewriteVisitor {
  static constexpr bool kVisitsResources = false;
  static constexpr bool kVisitsScopes = false;
  static constexpr bool kVisitsMetrics = false;
  static constexpr bool kVisitsItems = true;

  // `resource` is the contents of the Resource, merged, or empty where there is none; it stays
  // where it is until the next resource. The same holds for a scope.
  Verdict OnResource(std::string_view /*resource*/, Edit&) { return Verdict::kKeep; }
  Verdict OnScope(std::string_view /*scope*/, Edit&) { return Verdict::kKeep; }
  // After an edit of the metric itself its points are not visited.
  Verdict OnMetric(std::string_view /*metric*/, Edit&) { return Verdict::kKeep; }
  Verdict OnItem(const Item&, Edit&) { return Verdict::kKeep; }
};

struct RewriteResult {
  Slice payload;  // The request's own slice where nothing changed; empty where no item is left.
  std::uint64_t dropped = 0;
  std::uint64_t malformed = 0;
  bool changed = false;
};

class Rewriter {
 public:
  // Output is charged to `budget`'s reserve: growth inside the pipeline never waits.
  explicit Rewriter(MemoryBudget* budget = nullptr) : budget_(budget) {}
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  template <typename Visitor>
  RewriteResult Rewrite(Signal signal, const Slice& request, Visitor& visitor);

 private:
  // A message on the way down to an item. It is written only from the first change in it on.
  struct Level {
    const char* field_begin;  // Its tag, in the request.
    const char* contents;
    const char* end;
    std::size_t output_begin;     // Where its tag and
    std::size_t output_contents;  // its contents are in the output, once open.
    bool open;                    // Its head is in the output.
    bool kept;                    // Something in it stays.
    bool removed;                 // An item in it was left out.
  };
  enum class Group : std::uint8_t { kResource, kScope, kMetric };
  static constexpr std::size_t kDepthMax = 4;  // Resource, scope, metric, data.

  template <typename Visitor>
  void VisitResource(std::string_view field, std::string_view contents, Visitor& visitor);
  template <typename Visitor>
  void VisitScope(std::string_view field, std::string_view contents, Visitor& visitor);
  template <typename Visitor>
  void VisitItems(std::string_view contents, std::uint32_t cut_tag, Visitor& visitor);
  template <typename Visitor>
  void VisitMetric(std::string_view field, std::string_view contents, Visitor& visitor);
  template <typename Visitor>
  void VisitPoints(std::string_view field, std::string_view contents, FieldNumber data_field,
                   Visitor& visitor);
  template <typename Visitor>
  void VisitItem(std::string_view field, const Item& item, Visitor& visitor);
  template <typename OnField>
  void ForEach(std::string_view contents, std::uint32_t tag, std::uint32_t cut_tag,
               OnField&& on_field);

  void Begin(Signal signal, const Slice& request);
  RewriteResult End(const Slice& request);

  void Enter(std::string_view field, std::string_view contents);
  void Leave();
  void OpenLevels();
  void CloseLevel(Level& level);
  void Keep() {
    if (depth_ > 0) {
      levels_[depth_ - 1].kept = true;
    }
  }

  // Acts on the verdict about a level that may be left out or kept unvisited; true to go into it.
  bool Admit(Verdict verdict, std::string_view field, std::string_view contents, Group group);
  // Leaves out [begin, end) of the innermost level.
  void Remove(const char* begin, const char* end);
  void RemoveItem(std::string_view field, Verdict verdict);
  // Writes the edited message in front of the innermost level's other fields.
  void WriteHead(std::uint32_t tag, std::string_view message);
  void WriteEdited(std::string_view field, std::string_view contents);
  // The contents of the level from `at` on cannot be read.
  void RemoveBroken(const char* at, const char* end);

  char* Room(std::size_t bytes);
  void CopyRun(const char* until);

  MemoryBudget* budget_;
  Signal signal_ = Signal::kTraces;
  Edit edit_;
  MergedMessage resource_;
  MergedMessage scope_;
  double growth_ = 1.0;  // Output per input of recent requests: how much room to ask for at once.

  // Of the request at hand.
  const char* input_begin_ = nullptr;
  const char* input_end_ = nullptr;
  const char* run_ = nullptr;  // Input from here on is not in the output yet.
  MutableBuffer buffer_;
  std::size_t size_ = 0;
  std::size_t depth_ = 0;
  Level levels_[kDepthMax];
  std::uint64_t dropped_ = 0;
  std::uint64_t malformed_ = 0;
  bool changed_ = false;
};

// --- Implementation ---------------------------------------------------------------------------

// Calls on_field(field, contents) for each length-delimited field of `tag`, and leaves out those of
// `cut_tag` (0 for none).
template <typename OnField>
void Rewriter::ForEach(std::string_view contents, std::uint32_t tag, std::uint32_t cut_tag,
                       OnField&& on_field) {
  FieldReader fields(contents);
  const char* position = contents.data();
  while (fields.Next()) {
    position = fields.field().data() + fields.field().size();
    if (fields.tag() == tag) {
      on_field(fields.field(), fields.bytes());
    } else if (fields.tag() == cut_tag) {
      Remove(fields.field().data(), position);
    }
  }
  if (fields.malformed()) [[unlikely]] {
    RemoveBroken(position, contents.data() + contents.size());
  }
}

template <typename Visitor>
RewriteResult Rewriter::Rewrite(Signal signal, const Slice& request, Visitor& visitor) {
  Begin(signal, request);
  ForEach(request.view(), MakeTag(otlp::kRequestResources, WireType::kLength), 0,
          [&](std::string_view field, std::string_view contents) {
            VisitResource(field, contents, visitor);
          });
  return End(request);
}

template <typename Visitor>
void Rewriter::VisitResource(std::string_view field, std::string_view contents, Visitor& visitor) {
  std::uint32_t cut_tag = 0;
  if constexpr (Visitor::kVisitsResources) {
    edit_.Clear();
    const Verdict verdict = FindMessage(contents, otlp::kResourceResource, resource_)
                                ? visitor.OnResource(resource_.view(), edit_)
                                : Verdict::kMalformed;
    if (!Admit(verdict, field, contents, Group::kResource)) {
      return;
    }
    if (verdict == Verdict::kEdit) {
      cut_tag = MakeTag(otlp::kResourceResource, WireType::kLength);
    }
  }
  Enter(field, contents);
  if (cut_tag != 0) {
    WriteHead(cut_tag, resource_.view());
  }
  if constexpr (Visitor::kVisitsScopes || Visitor::kVisitsMetrics || Visitor::kVisitsItems) {
    ForEach(contents, MakeTag(otlp::kResourceScopes, WireType::kLength), cut_tag,
            [&](std::string_view inner_field, std::string_view inner) {
              VisitScope(inner_field, inner, visitor);
            });
  } else {
    if (cut_tag != 0) {
      ForEach(contents, 0, cut_tag, [](std::string_view, std::string_view) {});
    }
    Keep();
  }
  Leave();
}

template <typename Visitor>
void Rewriter::VisitScope(std::string_view field, std::string_view contents, Visitor& visitor) {
  std::uint32_t cut_tag = 0;
  if constexpr (Visitor::kVisitsScopes) {
    edit_.Clear();
    const Verdict verdict = FindMessage(contents, otlp::kScopeScope, scope_)
                                ? visitor.OnScope(scope_.view(), edit_)
                                : Verdict::kMalformed;
    if (!Admit(verdict, field, contents, Group::kScope)) {
      return;
    }
    if (verdict == Verdict::kEdit) {
      cut_tag = MakeTag(otlp::kScopeScope, WireType::kLength);
    }
  }
  Enter(field, contents);
  if (cut_tag != 0) {
    WriteHead(cut_tag, scope_.view());
  }
  if constexpr (Visitor::kVisitsMetrics || Visitor::kVisitsItems) {
    VisitItems(contents, cut_tag, visitor);
  } else {
    if (cut_tag != 0) {
      ForEach(contents, 0, cut_tag, [](std::string_view, std::string_view) {});
    }
    Keep();
  }
  Leave();
}

template <typename Visitor>
void Rewriter::VisitItems(std::string_view contents, std::uint32_t cut_tag, Visitor& visitor) {
  const std::uint32_t tag = MakeTag(otlp::kScopeItems, WireType::kLength);
  if (signal_ == Signal::kMetrics) {
    ForEach(contents, tag, cut_tag, [&](std::string_view field, std::string_view inner) {
      VisitMetric(field, inner, visitor);
    });
    return;
  }
  const FieldNumber attributes =
      signal_ == Signal::kTraces ? otlp::kSpanAttributes : otlp::kLogAttributes;
  ForEach(contents, tag, cut_tag, [&](std::string_view field, std::string_view inner) {
    VisitItem(field, {inner, attributes, 0}, visitor);
  });
}

template <typename Visitor>
void Rewriter::VisitMetric(std::string_view field, std::string_view contents, Visitor& visitor) {
  if constexpr (Visitor::kVisitsMetrics) {
    edit_.Clear();
    const Verdict verdict = visitor.OnMetric(contents, edit_);
    if (verdict == Verdict::kEdit) {
      WriteEdited(field, contents);
      return;
    }
    if (!Admit(verdict, field, contents, Group::kMetric)) {
      return;
    }
  }
  if constexpr (Visitor::kVisitsItems) {
    // Only the last kind of data counts, and of it what lies behind the last other kind.
    FieldNumber data_field = 0;
    const char* data_begin = nullptr;
    FieldReader fields(contents);
    while (fields.Next()) {
      if (TagType(fields.tag()) == WireType::kLength && otlp::IsMetricData(fields.number()) &&
          fields.number() != data_field) {
        data_field = fields.number();
        data_begin = fields.field().data();
      }
    }
    if (fields.malformed() || data_field == 0) {
      if (fields.malformed()) {
        RemoveItem(field, Verdict::kMalformed);
      }
      return;
    }
    Enter(field, contents);
    ForEach({data_begin, static_cast<std::size_t>(contents.data() + contents.size() - data_begin)},
            MakeTag(data_field, WireType::kLength), 0,
            [&](std::string_view inner_field, std::string_view inner) {
              VisitPoints(inner_field, inner, data_field, visitor);
            });
    Leave();
  }
}

template <typename Visitor>
void Rewriter::VisitPoints(std::string_view field, std::string_view contents,
                           FieldNumber data_field, Visitor& visitor) {
  Enter(field, contents);
  const FieldNumber attributes = otlp::PointAttributes(data_field);
  ForEach(contents, MakeTag(otlp::kDataPoints, WireType::kLength), 0,
          [&](std::string_view inner_field, std::string_view inner) {
            VisitItem(inner_field, {inner, attributes, data_field}, visitor);
          });
  Leave();
}

template <typename Visitor>
void Rewriter::VisitItem(std::string_view field, const Item& item, Visitor& visitor) {
  if constexpr (Visitor::kVisitsItems) {
    edit_.Clear();
    const Verdict verdict = visitor.OnItem(item, edit_);
    switch (verdict) {
      case Verdict::kKeep:
      case Verdict::kSkip:
        Keep();
        break;
      case Verdict::kEdit:
        WriteEdited(field, item.contents);
        break;
      case Verdict::kDrop:
      case Verdict::kMalformed:
        RemoveItem(field, verdict);
        break;
    }
  }
}

}  // namespace weir::wire

#endif  // WEIR_WIRE_REWRITER_H_

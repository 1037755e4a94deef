// RequestTemplate is one request, written once, from which many are made: a copy with its times,
// ids, counters and sequence numbers stamped over the template's stand-ins. That costs a copy and
// a few stores an item, so the generator stays cheap beside what it measures.
//
// Threads: a template is constant; a Stamp belongs to one thread.
// Invariants: every stamp has a fixed width, so no length in the request ever changes.

#ifndef WEIR_LOAD_REQUEST_TEMPLATE_H_
#define WEIR_LOAD_REQUEST_TEMPLATE_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "load/random.h"
#include "load/sample_items.h"
#include "weir/base/slice.h"

namespace weir::load {

// What differs from one request to the next.
struct Stamp {
  explicit Stamp(std::uint64_t seed) : random(seed) {}

  std::uint64_t now = 0;            // Nanoseconds since 1970.
  std::uint64_t started = 0;        // The same of the run: where cumulative counters began.
  std::uint64_t requests = 0;       // Stamped so far; what counters grow by.
  std::uint64_t next_sequence = 0;  // Of the next item.
  Random random;
};

class RequestTemplate {
 public:
  static constexpr std::uint64_t kSequenceMax = std::uint64_t{1} << (7 * kSequenceBytes);

  RequestTemplate(const SampleShape& shape, Random& random);

  // A request of its own. Moves `stamp` on: by one request and, where items are numbered, by
  // items() numbers.
  Slice Make(Stamp& stamp) const;

  std::uint32_t items() const { return items_; }
  std::size_t bytes() const { return sample_.size(); }

 private:
  enum class Kind : std::uint8_t {
    kTime,  // Its age is the stand-in.
    kStarted,
    kNewTrace,  // A trace id that the ids after it belong to.
    kTrace,
    kSpan,  // Its place is the stand-in.
    kParent,
    kCounter,
    kGauge,
    kSequence,
  };
  struct Field {
    std::uint32_t offset;
    Kind kind;
  };
  struct Trace {
    std::array<std::uint64_t, 2> id{};
    std::array<std::uint64_t, kSpansPerTrace> spans{};
  };

  void FindFields(Signal signal);
  void FindSpanFields(std::string_view span);
  void FindLogFields(std::string_view record);
  void FindMetricFields(std::string_view metric);
  void FindPointFields(std::string_view point, std::uint32_t data_field);
  void FindSequence(std::string_view item, std::uint32_t attributes_field);
  void AddField(const char* at, Kind kind);
  void StampField(Kind kind, char* at, Trace& trace, Stamp& stamp) const;

  Slice sample_;
  std::uint32_t items_;
  std::vector<Field> fields_;  // In the order they lie, but for sequence numbers.
};

}  // namespace weir::load

#endif  // WEIR_LOAD_REQUEST_TEMPLATE_H_

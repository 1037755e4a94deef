// Payloads makes the requests of a run: a few templates a signal, one for each service of the
// shop, which take turns.
//
// Threads: one at a time.

#ifndef WEIR_LOAD_PAYLOADS_H_
#define WEIR_LOAD_PAYLOADS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "load/options.h"
#include "load/request_template.h"
#include "weir/base/slice.h"

namespace weir::load {

struct Payload {
  Signal signal = Signal::kTraces;
  Slice bytes;
  std::uint32_t items = 0;
  std::uint64_t first_sequence = 0;  // Of numbered items; the rest follow.
};

class Payloads {
 public:
  // REQUIRES: options.Validate() is OK. `started` in nanoseconds since 1970.
  Payloads(const LoadOptions& options, std::uint64_t started);

  // A request of `items` of the signal whose turn it is. Cheap for options.items_per_request;
  // another number (the rest of a count) writes a template for it.
  Payload Next(std::uint32_t items, std::uint64_t now);

 private:
  static constexpr std::uint32_t kVariants = 4;

  const RequestTemplate& Template(Signal signal);
  SampleShape Shape(Signal signal, std::uint32_t items, std::uint32_t service) const;

  const LoadOptions options_;
  Random random_;
  Stamp stamp_;
  std::uint64_t turn_ = 0;
  std::array<std::vector<RequestTemplate>, kSignalCount> templates_;  // Made when first used.
};

}  // namespace weir::load

#endif  // WEIR_LOAD_PAYLOADS_H_

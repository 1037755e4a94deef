// Options of the probabilistic_sampler processor, with the Collector's keys and defaults.

#ifndef WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_CONFIG_H_
#define WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "weir/config/fields.h"

namespace weir::processors::probabilistic_sampler {

enum class Mode : std::uint8_t { kHashSeed, kEqualizing, kProportional };
enum class AttributeSource : std::uint8_t { kTraceId, kRecord };

}  // namespace weir::processors::probabilistic_sampler

namespace weir {

template <>
struct EnumNames<processors::probabilistic_sampler::Mode> {
  using Mode = processors::probabilistic_sampler::Mode;
  static constexpr std::pair<std::string_view, Mode> kNames[] = {
      {"hash_seed", Mode::kHashSeed},
      {"equalizing", Mode::kEqualizing},
      {"proportional", Mode::kProportional},
  };
};

template <>
struct EnumNames<processors::probabilistic_sampler::AttributeSource> {
  using AttributeSource = processors::probabilistic_sampler::AttributeSource;
  static constexpr std::pair<std::string_view, AttributeSource> kNames[] = {
      {"traceID", AttributeSource::kTraceId}, {"record", AttributeSource::kRecord}};
};

}  // namespace weir

namespace weir::processors::probabilistic_sampler {

struct Config {
  double sampling_percentage = 0;
  std::uint32_t hash_seed = 0;
  Mode mode = Mode::kHashSeed;
  bool fail_closed = true;
  // Four hexadecimal digits tell 65536 probabilities apart.
  std::int32_t sampling_precision = 4;
  AttributeSource attribute_source = AttributeSource::kTraceId;
  std::string from_attribute;
  std::string sampling_priority;

  static void VisitFields(auto& self, auto& visit) {
    visit("sampling_percentage", self.sampling_percentage,
          "Share of items to keep, in percent; 100 and more keeps all, 0 none.");
    visit("hash_seed", self.hash_seed,
          "Of mode `hash_seed`: collectors with the same seed keep the same traces.");
    visit("mode", self.mode,
          "`hash_seed` hashes the trace id; `equalizing` and `proportional` follow OpenTelemetry's "
          "consistent probability sampling: one brings every item to the same probability, the "
          "other multiplies what it arrived with.");
    visit("fail_closed", self.fail_closed,
          "Whether items without usable randomness are dropped rather than kept.");
    visit("sampling_precision", self.sampling_precision,
          "Significant hexadecimal digits of the thresholds written.");
    visit("attribute_source", self.attribute_source,
          "Logs only: `traceID` prefers the trace id, `record` takes `from_attribute` alone.");
    visit("from_attribute", self.from_attribute,
          "Logs only: the attribute to hash where the trace id is not used.");
    visit("sampling_priority", self.sampling_priority,
          "Logs only: the attribute that holds a record's own percentage.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::processors::probabilistic_sampler

#endif  // WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_CONFIG_H_

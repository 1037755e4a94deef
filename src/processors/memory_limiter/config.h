// Options of the memory_limiter processor, with the Collector's keys and defaults.

#ifndef WEIR_PROCESSORS_MEMORY_LIMITER_CONFIG_H_
#define WEIR_PROCESSORS_MEMORY_LIMITER_CONFIG_H_

#include <cstdint>

#include "weir/config/fields.h"

namespace weir::processors::memory_limiter {

struct Config {
  Duration check_interval{0};
  std::uint32_t limit_mib = 0;
  std::uint32_t spike_limit_mib = 0;
  std::uint32_t limit_percentage = 0;
  std::uint32_t spike_limit_percentage = 0;

  static void VisitFields(auto& self, auto& visit) {
    visit("check_interval", self.check_interval,
          "Read for compatibility: the limit is kept at every allocation, not by sampling.",
          AtLeast(0));
    visit("limit_mib", self.limit_mib,
          "Most MiB of telemetry in flight, process-wide. Beyond it, receivers refuse.");
    visit("spike_limit_mib", self.spike_limit_mib,
          "Read for compatibility: nothing can be allocated between two checks.");
    visit("limit_percentage", self.limit_percentage,
          "The same limit as a share of the memory that the process may use (its cgroup's limit or "
          "the machine's); used where `limit_mib` is 0.",
          AtMost(100));
    visit("spike_limit_percentage", self.spike_limit_percentage, "Read for compatibility.",
          AtMost(100));
    visit.Ignored("min_gc_interval_when_soft_limited", "there is no garbage collector");
    visit.Ignored("min_gc_interval_when_hard_limited", "there is no garbage collector");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::processors::memory_limiter

#endif  // WEIR_PROCESSORS_MEMORY_LIMITER_CONFIG_H_

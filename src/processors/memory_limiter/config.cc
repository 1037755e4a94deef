#include "processors/memory_limiter/config.h"

namespace weir::processors::memory_limiter {

void Config::Validate(FieldCheck& check) const {
  if (limit_mib == 0 && limit_percentage == 0) {
    check.Error("", "needs `limit_mib` or `limit_percentage`");
  }
  if (limit_mib != 0 && spike_limit_mib >= limit_mib) {
    check.Error("spike_limit_mib", "must be below limit_mib ({})", limit_mib);
  }
  if (limit_percentage != 0 && spike_limit_percentage >= limit_percentage) {
    check.Error("spike_limit_percentage", "must be below limit_percentage ({})", limit_percentage);
  }
}

}  // namespace weir::processors::memory_limiter

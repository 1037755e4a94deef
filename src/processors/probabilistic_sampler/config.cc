#include "processors/probabilistic_sampler/config.h"

#include <cmath>

#include "processors/probabilistic_sampler/probability.h"

namespace weir::processors::probabilistic_sampler {

void Config::Validate(FieldCheck& check) const {
  const double ratio = static_cast<double>(static_cast<float>(sampling_percentage)) / 100;
  if (!std::isfinite(ratio) || ratio < 0) {
    check.Error("sampling_percentage", "must be a number from 0 up");
  } else if (ratio != 0 && ratio < kProbabilityMin) {
    check.Error("sampling_percentage", "is too small: the least share is 2^-56");
  }
  if (sampling_precision < 1 || sampling_precision > kHexDigits) {
    check.Error("sampling_precision", "must be from 1 to {}", kHexDigits);
  }
}

}  // namespace weir::processors::probabilistic_sampler

#include "processors/resource/config.h"

namespace weir::processors::resource {

void Config::Validate(FieldCheck& check) const {
  if (attributes.empty()) {
    check.Error("attributes", "at least one action is required");
  }
}

}  // namespace weir::processors::resource

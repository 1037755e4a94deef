#include "processors/attributes/config.h"

namespace weir::processors::attributes {

void Config::Validate(FieldCheck& check) const {
  if (actions.empty()) {
    check.Error("actions", "at least one action is required");
  }
}

}  // namespace weir::processors::attributes

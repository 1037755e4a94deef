#include "exporters/debug/config.h"

namespace weir::exporters::debug {

void Config::Validate(FieldCheck& check) const {
  if (use_internal_logger && check.IsGiven("output_paths")) {
    check.Error("output_paths", "needs `use_internal_logger: false`");
  }
  if (!use_internal_logger && check.IsGiven("output_paths") && output_paths.empty()) {
    check.Error("output_paths", "must not be empty");
  }
}

}  // namespace weir::exporters::debug

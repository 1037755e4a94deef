#include "exporters/otlp/config.h"

namespace weir::exporters::otlp {

void Config::Validate(FieldCheck& check) const {
  if (client.endpoint.empty()) {
    check.Error("endpoint", "must be set");
  }
}

}  // namespace weir::exporters::otlp

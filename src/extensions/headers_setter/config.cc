#include "extensions/headers_setter/config.h"

#include "net/request_head.h"

namespace weir::extensions::headers_setter {

void HeaderConfig::Validate(FieldCheck& check) const {
  if (!net::IsToken(key)) {
    check.Error("key", "must be the name of a header");
  }
  if (value.has_value() && !net::IsFieldValue(*value)) {
    check.Error("value", "must not hold control characters");
  }
  const int sources = int{value.has_value()} + int{value_file.has_value()} +
                      int{from_context.has_value()} + int{from_attribute.has_value()};
  if (action == Action::kDelete) {
    if (sources > 0) {
      check.Warning("", "`delete` takes no value");
    }
  } else if (sources != 1) {
    check.Error("", "needs one of `value`, `value_file`, `from_context`, `from_attribute`");
  }
  if (default_value.has_value() && !from_context.has_value() && !from_attribute.has_value()) {
    check.Error("default_value", "needs `from_context` or `from_attribute`");
  }
}

void Config::Validate(FieldCheck& check) const {
  if (headers.empty()) {
    check.Error("headers", "must not be empty");
  }
}

}  // namespace weir::extensions::headers_setter

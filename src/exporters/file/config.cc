#include "exporters/file/config.h"

#include <algorithm>

namespace weir::exporters::file {

void Config::Validate(FieldCheck& check) const {
  if (path.empty()) {
    check.Error("path", "must not be empty");
  }
  if (encoding.has_value()) {
    check.Error("encoding", "encoding extensions are not supported; use `format`");
  }
  if (append && rotation.has_value()) {
    check.Error("append", "cannot be combined with `rotation`, which always continues its file");
  }
  const bool octal =
      !directory_permissions.empty() && directory_permissions.size() <= 4 &&
      std::ranges::all_of(directory_permissions, [](char c) { return c >= '0' && c <= '7'; });
  if (!octal) {
    check.Error("directory_permissions", "must be octal, such as 0755");
  }
  if (group_by.enabled) {
    if (std::ranges::count(path, '*') != 1 || path.starts_with('*')) {
      check.Error("path", "must have one `*`, and not at its start, when `group_by` is enabled");
    }
    if (group_by.resource_attribute.empty()) {
      check.Error("group_by::resource_attribute", "must not be empty");
    }
    if (rotation.has_value()) {
      check.Error("rotation", "cannot be combined with `group_by`");
    }
  }
}

}  // namespace weir::exporters::file

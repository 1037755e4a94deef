#include "extensions/file_storage/config.h"

#include <charconv>

namespace weir::extensions::file_storage {

std::optional<std::uint32_t> ParsePermissions(const std::string& text) {
  std::uint32_t bits = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, bits, 8);
  if (error != std::errc() || stop != end || bits > 0777) {
    return std::nullopt;
  }
  return bits;
}

void Config::Validate(FieldCheck& check) const {
  if (directory.empty()) {
    check.Error("directory", "must not be empty");
  }
  if (!ParsePermissions(directory_permissions).has_value()) {
    check.Error("directory_permissions", "must be permission bits in octal, such as \"0750\"");
  }
}

}  // namespace weir::extensions::file_storage

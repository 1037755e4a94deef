#include "weir/wire/utf8.h"

#include "simdjson.h"

namespace weir::wire::internal {

bool IsValidUtf8Slow(std::string_view bytes) {
  return simdjson::validate_utf8(bytes.data(), bytes.size());
}

}  // namespace weir::wire::internal

// The scanner against protobuf's own parser. The first byte chooses the signal, the rest is the
// request. Any disagreement in full depth is a crash: accepted or refused, and the count of items.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tests/wire/decoded_request.h"
#include "weir/base/check.h"
#include "weir/wire/scanner.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weir::wire::Scan;
  using weir::wire::ScanDepth;
  if (size == 0) {
    return 0;
  }
  const weir::Signal signal = weir::kSignals[data[0] % weir::kSignalCount];
  const std::string_view request(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto full = Scan(signal, request, ScanDepth::kFull);
  const auto structure = Scan(signal, request, ScanDepth::kStructure);
  const std::optional<std::uint64_t> decoded = weir::wire::testing::DecodeItems(signal, request);
  WEIR_CHECK(full.ok() == decoded.has_value());
  WEIR_CHECK(full.error_offset <= request.size());
  WEIR_CHECK(structure.error_offset <= request.size());
  if (full.ok()) {
    WEIR_CHECK(full.items == *decoded);
    WEIR_CHECK(structure.ok());
    WEIR_CHECK(structure.items == full.items);
  }
  return 0;
}

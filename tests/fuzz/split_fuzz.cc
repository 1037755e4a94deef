// Splitting and partitioning against protobuf. The first byte chooses the signal and the way of
// cutting, the second the limit of items, the third that of bytes; the rest is the request.
//
// What is cut must add up to the same items; where protobuf accepts the request, each with the same
// resource, scope and metric. What repeating costs stays within its bound.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tests/wire/decoded_request.h"
#include "weir/base/budget.h"
#include "weir/base/check.h"
#include "weir/wire/scanner.h"
#include "weir/wire/split.h"

namespace weir::wire {
namespace {

template <typename Part>
void CheckParts(Signal signal, std::string_view request, const std::vector<Part>& parts) {
  const ScanResult scan = Scan(signal, request, ScanDepth::kStructure);
  std::uint64_t items = 0;
  for (const Part& part : parts) {
    const ScanResult part_scan = Scan(signal, part.bytes.view(), ScanDepth::kStructure);
    WEIR_CHECK(part_scan.ok() == scan.ok());
    WEIR_CHECK(part_scan.items == part.items);
    items += part.items;
  }
  WEIR_CHECK(items == scan.items);

  std::optional<testing::DecodedRequest> whole = testing::Decode(signal, request);
  if (!whole.has_value()) {
    return;
  }
  testing::DecodedRequest merged;
  for (const Part& part : parts) {
    std::optional<testing::DecodedRequest> decoded = testing::Decode(signal, part.bytes.view());
    WEIR_CHECK(decoded.has_value());
    merged.entries.merge(decoded->entries);
  }
  WEIR_CHECK(merged.entries == whole->entries);
}

}  // namespace
}  // namespace weir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weir::wire::CheckParts;
  using weir::wire::PartitionKey;
  using weir::wire::PartitionRequest;
  if (size < 3) {
    return 0;
  }
  const weir::Signal signal = weir::kSignals[data[0] % weir::kSignalCount];
  const std::string_view request(reinterpret_cast<const char*>(data) + 3, size - 3);
  weir::MemoryBudget budget;
  const weir::Slice slice = weir::Slice::Static(request);
  switch (data[0] / weir::kSignalCount % 3) {
    case 0:
      CheckParts(
          signal, request,
          weir::wire::SplitRequest(signal, slice, data[1], std::size_t{data[2]} * 4, &budget));
      break;
    case 1:
      CheckParts(signal, request, PartitionRequest(signal, slice, PartitionKey::kTraceId, &budget));
      break;
    default:
      CheckParts(signal, request,
                 PartitionRequest(signal, slice, PartitionKey::kResource, &budget));
  }
  WEIR_CHECK(budget.used() == 0);
  // The header of each allocation aside, which a request of many tiny items shows.
  WEIR_CHECK(budget.peak() <=
             size * (weir::wire::kRepeatFactorMax + 66) + 2 * weir::wire::kRepeatFreeBytes);
  return 0;
}

#include "load/options.h"

#include <algorithm>
#include <cmath>

#include "load/request_template.h"
#include "weir/base/status.h"

namespace weir::load {
namespace {

constexpr std::uint32_t kConcurrencyMax = 10000;
constexpr std::uint32_t kConnectionsMax = 1000;
constexpr std::uint32_t kItemsPerRequestMax = 100000;
// Far over what a server takes (4 MiB by default), far under what a template can address.
constexpr std::uint64_t kAttributeBytesMax = std::uint64_t{64} << 20;
constexpr std::uint32_t kRetriesMax = 1000;

}  // namespace

absl::Status LoadOptions::Validate() const {
  std::string problems;
  const auto require = [&](bool holds, std::string_view problem) {
    if (!holds) {
      problems += problems.empty() ? "" : "; ";
      problems += problem;
    }
  };
  require(!signals.empty(), "--signal names none");
  require(std::isfinite(rate) && rate >= 0, "--rate must be 0 or more");
  require(concurrency >= 1 && concurrency <= kConcurrencyMax, "--concurrency must be 1 to 10000");
  require(connections >= 1 && connections <= kConnectionsMax, "--connections must be 1 to 1000");
  require(items_per_request >= 1 && items_per_request <= kItemsPerRequestMax,
          "--items-per-request must be 1 to 100000");
  require(std::uint64_t{items_per_request} * item_bytes <= kAttributeBytesMax,
          "--items-per-request times --item-size must be at most 64 MiB");
  require(duration.count() >= 0, "--duration must be 0 or more");
  require(count <= RequestTemplate::kSequenceMax, "--count is too large");
  require(timeout.count() > 0, "--timeout must be more than 0");
  require(retries_max <= kRetriesMax, "--retries must be 0 to 1000");
  require(std::ranges::none_of(headers, [](const auto& header) { return header.first.empty(); }),
          "--header needs a name: name=value");
  return problems.empty() ? absl::OkStatus() : InvalidArgument("{}", problems);
}

}  // namespace weir::load

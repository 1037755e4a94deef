// The pages that the extension makes itself, out of the ledger and the memory budget.
//
// Threads: pure functions.

#ifndef WEIR_EXTENSIONS_ZPAGES_PAGES_H_
#define WEIR_EXTENSIONS_ZPAGES_PAGES_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/budget.h"
#include "weir/telemetry/ledger.h"

namespace weir::extensions::zpages {

// The books at one time; two of them make rates.
struct Look {
  std::chrono::steady_clock::time_point time{};
  std::vector<NodeBooks> nodes;
};

// A table of every node: rates since `before` (where there is one), totals, what is held, what was
// dropped and why, what is missing.
std::string RenderPipelines(const std::optional<Look>& before, const Look& now);
std::string RenderMemory(const MemoryBudget& budget);
// Links to all pages.
std::string RenderIndex();

}  // namespace weir::extensions::zpages

#endif  // WEIR_EXTENSIONS_ZPAGES_PAGES_H_

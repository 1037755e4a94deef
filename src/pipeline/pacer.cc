#include "pipeline/pacer.h"

#include <utility>

namespace weir::pipeline {
namespace {

constexpr double kShareOfNews = 0.2;  // Of one tick in the rate: five of them make 100 ms.
constexpr double kTicksPerSecond = std::chrono::seconds(1) / Pacer::kTick;

}  // namespace

void Pacer::Tick() {
  const double now = std::exchange(delivered_, 0) * kTicksPerSecond;
  bytes_per_second_ += (now - bytes_per_second_) * kShareOfNews;
}

bool Pacer::Update(std::size_t backlog) {
  const bool was = paced();
  const bool is = backlog > kBacklogBytes && bytes_per_second_ >= static_cast<double>(backlog);
  paced_.store(is, std::memory_order_relaxed);
  return was && !is;
}

}  // namespace weir::pipeline

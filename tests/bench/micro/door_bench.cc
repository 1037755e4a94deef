// What the door that a reload can switch costs a batch: offers to a lane through it and without it,
// by one and by two threads.
//
//   cmake --build --preset release --target door_bench &&
//   build/release/tests/bench/micro/door_bench

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "pipeline/lane.h"
#include "pipeline/switch_door.h"
#include "weir/base/slice.h"

namespace weir {
namespace {

constexpr int kBatches = 2'000'000;

struct Settle final : BatchOutput {
  void Emit(Batch batch) override { batch.Settle(Outcome::kDelivered); }
};

// Answers at once: what is left is the door itself.
struct Open final : BatchSink {
  Admission Offer(Batch&, std::uint64_t) override { return Admission::kAccepted; }
};

double NanosPerOffer(BatchSink& sink, int threads, bool untouched) {
  const Slice payload = Slice::Copy(std::string(512, 'x'));
  const auto run = [&] {
    Batch reused(Signal::kTraces,
                 {.payload = payload, .items = 1, .token = DeliveryToken::Untracked()},
                 TimePoint{});
    for (int i = 0; i < kBatches; ++i) {
      if (untouched) {
        (void)sink.Offer(reused, 0);
        continue;
      }
      Batch batch(Signal::kTraces,
                  {.payload = payload, .items = 1, .token = DeliveryToken::Untracked()},
                  TimePoint{});
      while (sink.Offer(batch, 0) == Admission::kBusy) {
        std::this_thread::yield();
      }
    }
    reused.Settle(Outcome::kDelivered);
  };
  const auto began = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back(run);
    }
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
  return took.count() / kBatches;
}

void Run() {
  LoopThread loop("lanes");
  Settle settle;
  pipeline::Lane lane(1024, loop.loop(), pipeline::Lane::Mode::kInline, settle);
  pipeline::SwitchDoor lane_door(&lane);
  Open open;
  pipeline::SwitchDoor open_door(&open);
  fmt::print("ns an offer      lane  lane behind door  door alone\n");
  for (const int threads : {1, 2}) {
    for (int round = 0; round < 3; ++round) {
      fmt::print("{} threads     {:8.1f}          {:8.1f}    {:8.1f}\n", threads,
                 NanosPerOffer(lane, threads, false), NanosPerOffer(lane_door, threads, false),
                 NanosPerOffer(open_door, threads, true));
    }
  }
  loop.StopAndJoin();
}

}  // namespace
}  // namespace weir

int main() { weir::Run(); }

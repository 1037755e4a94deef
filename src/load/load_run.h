// LoadRun sends generated requests at the rate asked for, with a bounded number in flight, tries
// again what was pushed back, and counts everything.
//
// A request keeps its place in flight until it is acknowledged or given up, the waits between its
// tries included: a server that pushes back slows the run down.
//
// Threads: the loop's thread, construction and destruction included.
// Ownership: loop, statistics and clock outlive the run; the run owns its transports.
// Loss: every item sent is counted once as acknowledged, rejected or failed before `done` is
// called. A run destroyed earlier counts no more.

#ifndef WEIR_LOAD_LOAD_RUN_H_
#define WEIR_LOAD_LOAD_RUN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "load/options.h"
#include "load/payloads.h"
#include "load/random.h"
#include "load/statistics.h"
#include "load/transport.h"
#include "weir/base/event_loop.h"

namespace weir::load {

class LoadRun {
 public:
  // The time that items carry, in nanoseconds since 1970.
  using WallClock = std::uint64_t (*)();
  static std::uint64_t SystemTime();

  // REQUIRES: options.Validate() is OK; at least one transport. `done` is called once, after Start,
  // and may not destroy the run.
  LoadRun(EventLoop& loop, const LoadOptions& options,
          std::vector<std::unique_ptr<Transport>> transports, Statistics& statistics,
          absl::AnyInvocable<void()> done, WallClock clock = SystemTime);
  ~LoadRun();
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  void Start();
  // Sends nothing more, gives up what waits for its next try, and ends once the rest is answered or
  // kStopGrace has passed.
  void Stop();
  // Ends at once.
  void Abandon();

  static constexpr std::chrono::seconds kStopGrace{2};
  // A server that asks to wait longer than this has refused the request.
  static constexpr std::chrono::seconds kRetryDelayMax{30};

  std::uint32_t in_flight() const { return in_flight_; }

 private:
  enum class Phase : std::uint8_t { kIdle, kSending, kDraining, kStopping, kEnded };

  // A request in flight. Answers that come for an earlier generation are nobody's.
  struct Slot {
    Payload payload;
    Slice body;  // Compressed.
    std::uint64_t generation = 0;
    std::uint32_t tries = 0;
    bool open = false;
    TimePoint sent_at;
    EventLoop::TimerId retry_timer = 0;
    std::string last_code;
  };

  void Pump();
  std::uint32_t ItemsOfNext() const;
  bool WaitForRate(std::uint32_t items);
  void SendNext(std::uint32_t items);
  void Try(std::size_t index);
  void OnAnswer(std::size_t index, std::uint64_t generation, Answer answer);
  void RetryOrFail(std::size_t index, const Answer& answer);
  void Acknowledge(Slot& slot, const Answer& answer);
  void Fail(std::size_t index, const std::string& code);
  void Free(std::size_t index);
  std::chrono::nanoseconds Backoff(std::uint32_t tries);

  void EndSending(Phase phase, std::chrono::nanoseconds patience);
  void EndWhenIdle();

  EventLoop& loop_;
  const LoadOptions options_;
  const net::Compression compression_;
  const WallClock clock_;
  Statistics& statistics_;
  absl::AnyInvocable<void()> done_;

  Phase phase_ = Phase::kIdle;
  Payloads payloads_;
  Random jitter_;
  TimePoint started_at_;
  TimePoint next_send_;  // By the rate.
  EventLoop::TimerId pace_timer_ = 0;
  EventLoop::TimerId end_timer_ = 0;  // Of sending, then of waiting.

  std::vector<Slot> slots_;
  std::vector<std::size_t> free_;
  std::uint32_t in_flight_ = 0;
  std::size_t next_transport_ = 0;
  // Last member: its destructor may still answer, which the slots then pass over.
  std::vector<std::unique_ptr<Transport>> transports_;
};

}  // namespace weir::load

#endif  // WEIR_LOAD_LOAD_RUN_H_

#include "load/load_run.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "weir/base/check.h"

namespace weir::load {
namespace {

using std::chrono::nanoseconds;

// Between tries where the server names no time: doubled from the first to the last.
constexpr std::chrono::milliseconds kBackoffMin{100};
constexpr std::chrono::milliseconds kBackoffMax{5000};
// How much of its rate a run that fell behind catches up on.
constexpr std::chrono::seconds kCatchUpMax{1};

}  // namespace

std::uint64_t LoadRun::SystemTime() {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count());
}

LoadRun::LoadRun(EventLoop& loop, const LoadOptions& options,
                 std::vector<std::unique_ptr<Transport>> transports, Statistics& statistics,
                 absl::AnyInvocable<void()> done, WallClock clock)
    : loop_(loop),
      options_(options),
      compression_(WireCompression(options)),
      clock_(clock),
      statistics_(statistics),
      done_(std::move(done)),
      payloads_(options, clock()),
      jitter_(options.seed),
      slots_(options.concurrency),
      transports_(std::move(transports)) {
  WEIR_CHECK(!transports_.empty());
  for (std::size_t i = slots_.size(); i > 0; --i) {
    free_.push_back(i - 1);
  }
}

LoadRun::~LoadRun() {
  loop_.Cancel(pace_timer_);
  loop_.Cancel(end_timer_);
  for (Slot& slot : slots_) {
    loop_.Cancel(slot.retry_timer);
    ++slot.generation;
  }
}

void LoadRun::Start() {
  WEIR_CHECK(phase_ == Phase::kIdle);
  phase_ = Phase::kSending;
  started_at_ = next_send_ = loop_.Now();
  if (options_.duration.count() > 0) {
    end_timer_ = loop_.ScheduleAfter(options_.duration, [this] {
      end_timer_ = 0;
      EndSending(Phase::kDraining, options_.drain_timeout);
    });
  }
  Pump();
}

void LoadRun::Pump() {
  while (phase_ == Phase::kSending && !free_.empty()) {
    const std::uint32_t items = ItemsOfNext();
    if (items == 0) {
      EndSending(Phase::kDraining, options_.drain_timeout);
      return;
    }
    if (WaitForRate(items)) {
      return;
    }
    SendNext(items);
  }
}

std::uint32_t LoadRun::ItemsOfNext() const {
  if (options_.count == 0) {
    return options_.items_per_request;
  }
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(options_.items_per_request, options_.count - statistics_.sent));
}

// False when the next request is due, whose turn is then taken.
bool LoadRun::WaitForRate(std::uint32_t items) {
  if (options_.rate <= 0) {
    return false;
  }
  const TimePoint now = loop_.Now();
  if (next_send_ > now) {
    if (pace_timer_ == 0) {
      pace_timer_ = loop_.ScheduleAt(next_send_, [this] {
        pace_timer_ = 0;
        Pump();
      });
    }
    return true;
  }
  // A rate of next to nothing would overflow the clock; an hour between requests is as good.
  const double seconds = std::min(items / options_.rate, 3600.0);
  next_send_ = std::max(next_send_, now - kCatchUpMax) +
               std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(seconds));
  return false;
}

void LoadRun::SendNext(std::uint32_t items) {
  const std::size_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  slot.payload = payloads_.Next(items, clock_());
  slot.body = compression_ == net::Compression::kNone
                  ? slot.payload.bytes
                  : net::Compress(compression_, {&slot.payload.bytes, 1});
  slot.payload.bytes = Slice();
  slot.tries = 0;
  slot.open = true;
  ++in_flight_;
  statistics_.sent += items;
  ++statistics_.requests;
  Try(index);
}

void LoadRun::Try(std::size_t index) {
  Slot& slot = slots_[index];
  ++slot.tries;
  ++slot.generation;
  // The loop's time is that of the turn, which may have made many requests since.
  slot.sent_at = std::chrono::steady_clock::now();
  ++statistics_.tries;
  statistics_.bytes += slot.body.size();
  Transport& transport = *transports_[next_transport_++ % transports_.size()];
  transport.Send(slot.payload.signal, slot.body, slot.sent_at + options_.timeout,
                 [this, index, generation = slot.generation](Answer answer) {
                   OnAnswer(index, generation, std::move(answer));
                 });
}

void LoadRun::OnAnswer(std::size_t index, std::uint64_t generation, Answer answer) {
  Slot& slot = slots_[index];
  if (slot.generation != generation || !slot.open) {
    return;
  }
  if (answer.outcome == Outcome::kAccepted) {
    Acknowledge(slot, answer);
    Free(index);
  } else {
    ++statistics_.errors[answer.code];
    statistics_.last_error = answer.message;
    RetryOrFail(index, answer);
  }
  if (phase_ == Phase::kSending) {
    Pump();
  } else {
    EndWhenIdle();
  }
}

void LoadRun::Acknowledge(Slot& slot, const Answer& answer) {
  const std::uint64_t items = slot.payload.items;
  const std::uint64_t rejected = std::min(answer.rejected, items);
  ++statistics_.answers_ok;
  statistics_.acknowledged += items - rejected;
  statistics_.rejected += rejected;
  statistics_.latency.Record(std::chrono::steady_clock::now() - slot.sent_at);
  if (rejected > 0) {
    statistics_.last_error = answer.message;
    if (options_.numbered) {  // Which of them were rejected, nobody says.
      statistics_.unacknowledged.Add(slot.payload.first_sequence, items);
    }
  }
}

void LoadRun::RetryOrFail(std::size_t index, const Answer& answer) {
  Slot& slot = slots_[index];
  const nanoseconds delay = answer.retry_delay.value_or(Backoff(slot.tries));
  if (answer.outcome == Outcome::kPermanent || phase_ == Phase::kStopping ||
      slot.tries > options_.retries_max || delay > kRetryDelayMax) {
    Fail(index, answer.code);
    return;
  }
  slot.last_code = answer.code;
  slot.retry_timer = loop_.ScheduleAfter(delay, [this, index] {
    slots_[index].retry_timer = 0;
    ++statistics_.retries;
    Try(index);
  });
}

nanoseconds LoadRun::Backoff(std::uint32_t tries) {
  const nanoseconds full = std::min<nanoseconds>(
      kBackoffMin * (std::int64_t{1} << std::min(tries - 1, 10U)), kBackoffMax);
  return full / 2 + nanoseconds(static_cast<std::int64_t>(static_cast<double>(full.count()) / 2 *
                                                          jitter_.Fraction()));
}

void LoadRun::Fail(std::size_t index, const std::string& code) {
  const Payload& payload = slots_[index].payload;
  statistics_.failed[code] += payload.items;
  if (options_.numbered) {
    statistics_.unacknowledged.Add(payload.first_sequence, payload.items);
  }
  Free(index);
}

void LoadRun::Free(std::size_t index) {
  Slot& slot = slots_[index];
  loop_.Cancel(std::exchange(slot.retry_timer, 0));
  ++slot.generation;
  slot.open = false;
  slot.body = Slice();
  --in_flight_;
  free_.push_back(index);
}

void LoadRun::EndSending(Phase phase, nanoseconds patience) {
  phase_ = phase;
  loop_.Cancel(std::exchange(pace_timer_, 0));
  loop_.Cancel(end_timer_);
  end_timer_ = loop_.ScheduleAfter(patience, [this] {
    end_timer_ = 0;
    Abandon();
  });
  EndWhenIdle();
}

void LoadRun::Stop() {
  if (phase_ != Phase::kSending && phase_ != Phase::kDraining) {
    return;
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].retry_timer != 0) {
      Fail(i, std::string(slots_[i].last_code));
    }
  }
  EndSending(Phase::kStopping, kStopGrace);
}

void LoadRun::Abandon() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kEnded) {
    return;
  }
  phase_ = Phase::kStopping;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].open) {
      Fail(i, slots_[i].retry_timer != 0 ? std::string(slots_[i].last_code) : "unanswered");
    }
  }
  EndWhenIdle();
}

void LoadRun::EndWhenIdle() {
  if (in_flight_ > 0 || phase_ == Phase::kSending || phase_ == Phase::kEnded) {
    return;
  }
  phase_ = Phase::kEnded;
  loop_.Cancel(std::exchange(pace_timer_, 0));
  loop_.Cancel(std::exchange(end_timer_, 0));
  statistics_.elapsed = loop_.Now() - started_at_;
  done_();
}

}  // namespace weir::load

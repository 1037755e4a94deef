#include "pipeline/sender.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "weir/base/check.h"
#include "weir/wire/split.h"

namespace weir::pipeline {
namespace {

// While draining, a destination that refuses connections is asked again this often, so that one
// which comes back within the shutdown timeout still gets its data.
constexpr std::chrono::milliseconds kHurriedRetry{100};

}  // namespace

Sender::Sender(Parts parts)
    : parts_(std::move(parts)),
      random_(std::random_device{}()),
      alive_(std::make_shared<Sender*>(this)) {}

Sender::~Sender() { Abandon(); }

void Sender::Submit(Batch batch) {
  auto job = std::make_unique<Job>();
  job->batch = std::move(batch);
  bytes_ += job->batch.bytes();
  ready_.push_back(std::move(job));
  Pump();
}

void Sender::Pump() {
  if (pumping_ || frozen_) {
    return;  // An exporter that answers from within Send leads back here; the loop below goes on.
  }
  pumping_ = true;
  while (!ready_.empty() && active_.size() < parts_.settings.sending_queue.num_consumers) {
    std::unique_ptr<Job> job = std::move(ready_.front());
    ready_.pop_front();
    Start(std::move(job));
  }
  pumping_ = false;
}

void Sender::SecureReady() {
  for (const std::unique_ptr<Job>& job : ready_) {
    job->batch.Secure();
  }
}

void Sender::Start(std::unique_ptr<Job> job) {
  const std::uint64_t id = ++last_id_;
  const QueueSettings& queue = parts_.settings.sending_queue;
  if (queue.enabled && !queue.wait_for_result) {
    job->batch.Secure();  // It may have been paced.
  }
  if (job->first_try == TimePoint()) {
    job->first_try = parts_.loop.Now();
    parts_.metrics.batch_items.Record(job->batch.items());
  }
  active_.emplace(id, std::move(job));
  Send(id);
}

void Sender::Send(std::uint64_t id) {
  Job& job = *active_.at(id);
  job.retry_timer = 0;
  ++job.tries;
  const Duration timeout = parts_.settings.timeout;
  const TimePoint deadline =
      timeout > Duration::zero() ? parts_.loop.Now() + timeout : TimePoint::max();
  parts_.metrics.in_flight_requests.Add(1);
  parts_.exporter.Send(job.batch, deadline,
                       [id, alive = std::weak_ptr<Sender*>(alive_)](SendResult result) {
                         if (const std::shared_ptr<Sender*> sender = alive.lock()) {
                           (*sender)->OnDone(id, result);
                         }
                       });
}

void Sender::OnDone(std::uint64_t id, const SendResult& result) {
  const auto found = active_.find(id);
  if (found == active_.end()) {
    return;  // Abandoned meanwhile.
  }
  parts_.metrics.in_flight_requests.Add(-1);
  Job& job = *found->second;
  if (result.kind == SendResult::Kind::kRetry && ScheduleRetry(id, job, result)) {
    return;
  }
  const std::unique_ptr<Job> done = std::move(found->second);
  active_.erase(found);
  bytes_ -= job.batch.bytes();
  switch (result.kind) {
    case SendResult::Kind::kDelivered:
      OnDelivered(job, result);
      break;
    case SendResult::Kind::kRetry:
      if (frozen_) {
        AbandonJob(job);
        break;
      }
      Drop(job,
           parts_.settings.retry_on_failure.enabled ? DropReason::kRetryExhausted
                                                    : DropReason::kRetryDisabled,
           Outcome::kRetry, result);
      break;
    case SendResult::Kind::kRefused:
      Drop(job, DropReason::kRefusedPermanent, Outcome::kRefused, result);
      break;
    case SendResult::Kind::kMalformed:
      Bisect(job, result);
      break;
    case SendResult::Kind::kTooLarge:
      Shrink(job, result);
      break;
  }
  Pump();
}

void Sender::OnDelivered(Job& job, const SendResult& result) {
  const std::uint64_t items = job.batch.items();
  const std::uint64_t rejected = std::min(result.items_rejected, items);
  parts_.books.Hold(-static_cast<std::int64_t>(items));
  parts_.books.Out(items - rejected);
  parts_.metrics.sent.Add(items - rejected);
  parts_.latency.Record(
      static_cast<std::uint64_t>((parts_.loop.Now() - job.batch.received()).count()));
  if (rejected > 0) {
    parts_.books.Drop(DropReason::kRejectedPartial, rejected);
    parts_.metrics.send_failed.Add(rejected);
    parts_.logger.Warn("The destination rejected some items of a request",
                       {{"rejected", rejected}, {"items", items}, {"reason", result.message}});
  }
  const std::uint64_t weight = job.batch.weight();
  parts_.delivered(job.batch.bytes());
  job.batch.Settle(Outcome::kDelivered);
  parts_.released(weight);
}

std::chrono::nanoseconds Sender::Backoff(std::uint32_t tries) {
  const RetrySettings& retry = parts_.settings.retry_on_failure;
  const double base = std::min(
      static_cast<double>(retry.max_interval.count()),
      static_cast<double>(retry.initial_interval.count()) * std::pow(retry.multiplier, tries - 1));
  std::uniform_real_distribution<double> spread(1 - retry.randomization_factor,
                                                1 + retry.randomization_factor);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(base * spread(random_)));
}

bool Sender::ScheduleRetry(std::uint64_t id, Job& job, const SendResult& result) {
  const RetrySettings& retry = parts_.settings.retry_on_failure;
  if (!retry.enabled || frozen_) {
    return false;
  }
  const TimePoint now = parts_.loop.Now();
  std::chrono::nanoseconds wait = Backoff(job.tries);
  if (result.retry_after.has_value()) {
    wait = std::max<std::chrono::nanoseconds>(wait, *result.retry_after);
  }
  if (hurried_) {
    wait = std::min<std::chrono::nanoseconds>(wait, kHurriedRetry);
    if (now + wait >= hurry_deadline_) {
      wait = std::max(std::chrono::nanoseconds(0), hurry_deadline_ - now);
    }
  } else if (retry.max_elapsed_time > Duration::zero() &&
             now + wait - job.first_try > retry.max_elapsed_time) {
    return false;
  }
  parts_.logger.Info(
      "Sending failed for now, it will be tried again",
      {{"reason", result.message},
       {"items", job.batch.items()},
       {"tries", std::uint64_t{job.tries}},
       {"wait_ms", std::chrono::duration_cast<std::chrono::milliseconds>(wait).count()}});
  job.retry_timer = parts_.loop.ScheduleAt(now + wait, [this, id] { Send(id); });
  return true;
}

// A refused batch of several requests is cut in halves at the boundaries of its source requests,
// so that only the culprit's items are lost, after about log2(n) tries for each culprit.
void Sender::Bisect(Job& job, const SendResult& result) {
  const std::size_t parts = job.batch.parts().size();
  if (parts < 2) {
    Drop(job, DropReason::kRefusedPermanent, Outcome::kRefused, result);
    return;
  }
  Requeue(job.batch.SplitOffBack(parts / 2));
  Requeue(std::move(job.batch));
}

void Sender::Shrink(Job& job, const SendResult& result) {
  const std::uint64_t items = job.batch.items();
  if (items < 2) {
    Drop(job, DropReason::kTooLarge, Outcome::kRefused, result);
    return;
  }
  // What the destination named, with room for its framing, or half of what it would not take.
  const std::size_t half = job.batch.bytes() / 2;
  const std::size_t cap =
      result.bytes_max == 0 ? half : std::min(half, result.bytes_max - result.bytes_max / 16);
  parts_.too_large(std::max<std::size_t>(cap, 1024));
  if (job.batch.parts().size() > 1) {
    Requeue(job.batch.SplitOffBack(job.batch.parts().size() / 2));
    Requeue(std::move(job.batch));
    return;
  }
  const Batch like = job.batch.EmptyLike();
  Batch::Parts whole = job.batch.TakeParts();
  Part& part = whole.front();
  std::vector<wire::Piece> pieces =
      wire::SplitRequest(like.signal(), part.payload, (items + 1) / 2, 0, &parts_.budget);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool last = i + 1 == pieces.size();
    Batch piece = like.EmptyLike();
    piece.AppendPart({.payload = std::move(pieces[i].bytes),
                      .items = pieces[i].items,
                      .token = last ? std::move(part.token) : part.token.Split(),
                      .weight = i == 0 ? part.weight : 0});
    Requeue(std::move(piece));
  }
}

void Sender::Requeue(Batch batch) {
  auto job = std::make_unique<Job>();
  job->batch = std::move(batch);
  bytes_ += job->batch.bytes();
  ready_.push_front(std::move(job));
}

void Sender::Drop(Job& job, DropReason reason, Outcome outcome, const SendResult& result) {
  const std::uint64_t items = job.batch.items();
  parts_.books.Hold(-static_cast<std::int64_t>(items));
  parts_.books.Drop(reason, items);
  parts_.metrics.send_failed.Add(items);
  parts_.logger.Error("Sending failed, the items are dropped",
                      {{"reason", DropReasonName(reason)},
                       {"error", result.message},
                       {"items", items},
                       {"tries", std::uint64_t{job.tries}}});
  const std::uint64_t weight = job.batch.weight();
  job.batch.Settle(outcome);
  parts_.released(weight);
}

TimePoint Sender::oldest(TimePoint now) const {
  TimePoint oldest = now;
  for (const auto& [id, job] : active_) {
    oldest = std::min(oldest, job->batch.received());
  }
  if (!ready_.empty()) {
    oldest = std::min(oldest, ready_.front()->batch.received());
  }
  return oldest;
}

void Sender::HurryUntil(TimePoint deadline) {
  hurried_ = true;
  hurry_deadline_ = deadline;
  std::vector<std::uint64_t> waiting;
  for (const auto& [id, job] : active_) {
    if (job->retry_timer != 0) {
      parts_.loop.Cancel(job->retry_timer);
      waiting.push_back(id);
    }
  }
  for (const std::uint64_t id : waiting) {
    Send(id);
  }
  Pump();
}

void Sender::Freeze() {
  frozen_ = true;
  std::vector<std::unique_ptr<Job>> waiting;
  for (auto entry = active_.begin(); entry != active_.end();) {
    if (entry->second->retry_timer == 0) {
      ++entry;
      continue;
    }
    parts_.loop.Cancel(entry->second->retry_timer);
    waiting.push_back(std::move(entry->second));
    entry = active_.erase(entry);
  }
  for (auto& job : std::exchange(ready_, {})) {
    waiting.push_back(std::move(job));
  }
  for (const std::unique_ptr<Job>& job : waiting) {
    bytes_ -= job->batch.bytes();
    AbandonJob(*job);
  }
}

void Sender::AbandonJob(Job& job) {
  const std::uint64_t items = job.batch.items();
  if (!parts_.durable) {
    parts_.books.Hold(-static_cast<std::int64_t>(items));
    parts_.books.Drop(DropReason::kShutdown, items);
    parts_.metrics.send_failed.Add(items);
  }
  job.batch.SettleTokens({.outcome = Outcome::kAbandoned});
  parts_.released(job.batch.weight());
}

std::uint64_t Sender::Abandon() {
  std::uint64_t items = 0;
  const auto abandon = [&](std::unique_ptr<Job> job) {
    items += parts_.durable ? 0 : job->batch.items();
    AbandonJob(*job);
    buried_.push_back(std::move(job));
  };
  alive_ = std::make_shared<Sender*>(this);  // Answers to what is in flight go nowhere.
  for (auto& [id, job] : std::exchange(active_, {})) {
    if (job->retry_timer == 0) {
      parts_.metrics.in_flight_requests.Add(-1);
    }
    parts_.loop.Cancel(job->retry_timer);
    abandon(std::move(job));
  }
  bytes_ = 0;
  for (auto& job : std::exchange(ready_, {})) {
    abandon(std::move(job));
  }
  return items;
}

}  // namespace weir::pipeline

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string_view>

#include "receivers/kafka/consumer.h"

namespace weir::receivers::kafka {
namespace {

using std::chrono::milliseconds;
using weir::kafka::ErrorPtr;
using weir::kafka::PartitionListPtr;
using weir::kafka::QueuePtr;

// A busy door is asked again soon: the pipelines empty their queues in milliseconds.
constexpr milliseconds kBusyWaitFirst{10};
constexpr milliseconds kBusyWaitMax{500};
constexpr milliseconds kRevokeCommitWait{3000};

PartitionListPtr ListOf(const Partition& partition) {
  PartitionListPtr list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.id);
  return list;
}

bool IsCooperative(rd_kafka_t* handle) {
  const char* protocol = rd_kafka_rebalance_protocol(handle);
  return protocol != nullptr && std::string_view(protocol) == "COOPERATIVE";
}

}  // namespace

void Consumer::HandleSettled() {
  for (std::vector<Settled> news = inbox_->TakeAll(); !news.empty(); news = inbox_->TakeAll()) {
    for (Settled& settled : news) {
      HandleOne(settled);
    }
  }
  StoreOffsets();
}

void Consumer::HandleOne(Settled& settled) {
  Partition& partition = *settled.partition;
  --in_flight_;
  --partition.messages_in_flight;
  partition.bytes_in_flight -= settled.bytes;
  if (partition.revoked) {
    return;
  }
  Outcome outcome = settled.settlement.outcome;
  if (outcome == Outcome::kRetry && config_.message_marking.on_error && !partition.busy) {
    outcome = Outcome::kRefused;
  }
  switch (outcome) {
    case Outcome::kDelivered:
    case Outcome::kDropped:
      partition.failures = 0;
      partition.offsets.Settle(settled.offset);
      break;
    case Outcome::kRefused:
      LeaveOut(partition, settled.offset, settled.raw.view(), "refused for good");
      break;
    case Outcome::kAbandoned:
    case Outcome::kRetry:
      partition.offsets.Fail(settled.offset);
      if (partition.paused && !partition.waits_for_room) {
        partition.read_from = std::min(partition.read_from, settled.offset);
        return;  // Failed together with the one that paused it.
      }
      PauseFor(
          partition, settled.offset,
          std::max<std::chrono::nanoseconds>(Backoff(partition), settled.settlement.retry_after));
      return;
  }
  moved_.push_back(settled.partition);
}

std::chrono::nanoseconds Consumer::Backoff(Partition& partition) {
  const std::uint32_t tries = std::min<std::uint32_t>(partition.failures++, 1000);
  if (partition.busy) {
    return std::min(kBusyWaitMax, kBusyWaitFirst * (1 << std::min<std::uint32_t>(tries, 6)));
  }
  const ErrorBackoff& backoff = config_.error_backoff;
  const double base = std::min(
      static_cast<double>(backoff.max_interval.count()),
      static_cast<double>(backoff.initial_interval.count()) * std::pow(backoff.multiplier, tries));
  std::uniform_real_distribution<double> spread(1 - backoff.randomization_factor,
                                                1 + backoff.randomization_factor);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(base * spread(random_)));
}

bool Consumer::HasRoom(const Partition& partition, unsigned share_divisor) const {
  return partition.bytes_in_flight <= config_.partition_bytes_max.bytes / share_divisor &&
         partition.messages_in_flight <= config_.partition_messages_max / share_divisor;
}

void Consumer::Pause(Partition& partition, std::int64_t read_from) {
  if (!partition.paused) {
    partition.paused = true;
    partition.read_from = read_from;
    ++paused_;
    rd_kafka_pause_partitions(client_->get(), ListOf(partition).get());
  }
  partition.read_from = std::min(partition.read_from, read_from);
}

void Consumer::PauseFor(Partition& partition, std::int64_t read_from,
                        std::chrono::nanoseconds wait) {
  Pause(partition, read_from);
  if (!stopping_.load(std::memory_order_relaxed)) {
    partition.waits_for_room = false;
    partition.resume_at = std::chrono::steady_clock::now() + wait;
  }
}

void Consumer::ResumeDue() {
  if (paused_ == 0) {
    return;
  }
  const TimePoint now = std::chrono::steady_clock::now();
  for (const auto& [key, partition] : partitions_) {
    if (!partition->paused) {
      continue;
    }
    // Half the room: a partition at its limit does not stop and go for every message.
    if (partition->waits_for_room ? HasRoom(*partition, 2) : now >= partition->resume_at) {
      Resume(*partition);
    }
  }
}

void Consumer::Resume(Partition& partition) {
  partition.paused = false;
  partition.waits_for_room = false;
  --paused_;
  const PartitionListPtr list = ListOf(partition);
  list->elems[0].offset =
      std::min(partition.read_from, partition.offsets.first_failed().value_or(partition.read_from));
  partition.offsets.ReadAgainFrom(list->elems[0].offset);
  const ErrorPtr error(rd_kafka_seek_partitions(client_->get(), list.get(), 0));
  if (error != nullptr) {
    context_.logger.Warn("A Kafka partition could not be set back",
                         {{"topic", partition.topic},
                          {"partition", partition.id},
                          {"error", rd_kafka_error_string(error.get())}});
  }
  rd_kafka_resume_partitions(client_->get(), list.get());
}

void Consumer::StoreOffsets() {
  if (moved_.empty()) {
    return;
  }
  const PartitionListPtr list(rd_kafka_topic_partition_list_new(1));
  for (const PartitionPtr& partition : std::exchange(moved_, {})) {
    const std::optional<std::int64_t> offset = partition->offsets.committable();
    if (partition->revoked || !offset.has_value() || partition->stored == offset) {
      continue;
    }
    partition->stored = offset;
    rd_kafka_topic_partition_list_add(list.get(), partition->topic.c_str(), partition->id)->offset =
        *offset;
  }
  if (list->cnt == 0) {
    return;
  }
  rd_kafka_offsets_store(client_->get(), list.get());
  if (!config_.autocommit.enable) {
    rd_kafka_commit(client_->get(), list.get(), /*async=*/1);
  }
}

void Consumer::OnRebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                           rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto& self = weir::kafka::Client::OwnerOf<Consumer>(opaque);
  const bool cooperative = IsCooperative(handle);
  ErrorPtr failed;
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    self.Assign(*partitions);
    if (cooperative) {
      failed.reset(rd_kafka_incremental_assign(handle, partitions));
    } else {
      rd_kafka_assign(handle, partitions);
    }
  } else {
    self.Revoke(*partitions, rd_kafka_assignment_lost(handle) != 0);
    if (cooperative && error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
      failed.reset(rd_kafka_incremental_unassign(handle, partitions));
    } else {
      rd_kafka_assign(handle, nullptr);
    }
  }
  if (failed != nullptr) {
    self.context_.logger.Warn("A Kafka assignment failed",
                              {{"error", rd_kafka_error_string(failed.get())}});
  }
}

void Consumer::Assign(const rd_kafka_topic_partition_list_t& partitions) {
  for (int i = 0; i < partitions.cnt; ++i) {
    const rd_kafka_topic_partition_t& assigned = partitions.elems[i];
    const std::optional<Signal> signal = topics_.SignalOf(assigned.topic);
    if (!signal.has_value()) {
      continue;
    }
    auto partition = std::make_shared<Partition>();
    partition->topic = assigned.topic;
    partition->id = assigned.partition;
    partition->signal = *signal;
    partition->affinity = std::hash<std::string>()(partition->topic) +
                          static_cast<std::uint64_t>(static_cast<std::uint32_t>(partition->id));
    partitions_[{partition->topic, partition->id}] = std::move(partition);
  }
  last_ = nullptr;
  context_.logger.Info("Kafka partitions assigned", {{"count", partitions.cnt}});
}

void Consumer::Revoke(const rd_kafka_topic_partition_list_t& partitions, bool lost) {
  HandleSettled();
  std::vector<PartitionPtr> revoked;
  std::vector<const Partition*> to_commit;
  for (int i = 0; i < partitions.cnt; ++i) {
    const rd_kafka_topic_partition_t& each = partitions.elems[i];
    const auto found = partitions_.find({each.topic, each.partition});
    if (found == partitions_.end()) {
      continue;
    }
    revoked.push_back(std::move(found->second));
    to_commit.push_back(revoked.back().get());
    partitions_.erase(found);
  }
  if (!lost && !closing_) {
    CommitNow(to_commit, std::chrono::steady_clock::now() + kRevokeCommitWait);
  }
  for (const PartitionPtr& partition : revoked) {
    partition->revoked = true;
    if (std::exchange(partition->paused, false)) {
      --paused_;
    }
  }
  last_ = nullptr;
  context_.logger.Info("Kafka partitions revoked", {{"count", partitions.cnt}, {"lost", lost}});
}

void Consumer::CommitNow(const std::vector<const Partition*>& partitions, TimePoint deadline) {
  const PartitionListPtr list(
      rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const Partition* partition : partitions) {
    if (const std::optional<std::int64_t> offset = partition->offsets.committable()) {
      rd_kafka_topic_partition_list_add(list.get(), partition->topic.c_str(), partition->id)
          ->offset = *offset;
    }
  }
  if (list->cnt == 0) {
    return;
  }
  const QueuePtr answers(rd_kafka_queue_new(client_->get()));
  const rd_kafka_resp_err_t error =
      rd_kafka_commit_queue(client_->get(), list.get(), answers.get(), nullptr, nullptr);
  const auto wait = std::chrono::ceil<milliseconds>(
      std::max(deadline - std::chrono::steady_clock::now(), TimePoint::duration(0)));
  rd_kafka_event_t* answer =
      error != RD_KAFKA_RESP_ERR_NO_ERROR
          ? nullptr
          : rd_kafka_queue_poll(answers.get(),
                                static_cast<int>(std::min<std::int64_t>(wait.count(), 60'000)));
  const rd_kafka_resp_err_t result = error != RD_KAFKA_RESP_ERR_NO_ERROR ? error
                                     : answer == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT
                                                         : rd_kafka_event_error(answer);
  if (answer != nullptr) {
    rd_kafka_event_destroy(answer);
  }
  if (result != RD_KAFKA_RESP_ERR_NO_ERROR) {
    context_.logger.Warn("Offsets could not be committed; what they cover is read again",
                         {{"error", weir::kafka::ErrorText(result)}});
  }
}

}  // namespace weir::receivers::kafka

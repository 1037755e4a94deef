// Options that every exporter has: its queue, its retries, its timeout. An exporter's Config has a
// member `ExporterSettings settings` and squashes it; the exporter stack reads it from there.

#ifndef WEIR_COMPONENT_EXPORTER_SETTINGS_H_
#define WEIR_COMPONENT_EXPORTER_SETTINGS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weir/config/fields.h"

namespace weir {

// What a queue on disk does with a request that would take it past `max_size`.
enum class WhenFull : std::uint8_t { kReject, kBlock, kDropOldest };

template <>
struct EnumNames<WhenFull> {
  static constexpr std::pair<std::string_view, WhenFull> kNames[] = {
      {"reject", WhenFull::kReject},
      {"block", WhenFull::kBlock},
      {"drop_oldest", WhenFull::kDropOldest}};
};

// What a queue's size counts.
enum class QueueSizer : std::uint8_t { kRequests, kItems, kBytes };

template <>
struct EnumNames<QueueSizer> {
  static constexpr std::pair<std::string_view, QueueSizer> kNames[] = {
      {"requests", QueueSizer::kRequests},
      {"items", QueueSizer::kItems},
      {"bytes", QueueSizer::kBytes}};
};

struct QueuePartitionSettings {
  std::vector<std::string> metadata_keys;

  static void VisitFields(auto& self, auto& visit) {
    visit("metadata_keys", self.metadata_keys,
          "Metadata keys whose values keep batches apart; empty merges what has equal metadata.");
  }
  bool operator==(const QueuePartitionSettings&) const = default;
};

struct QueueBatchSettings {
  Duration flush_timeout = std::chrono::milliseconds(200);
  std::uint64_t min_size = 8192;
  std::uint64_t max_size = 0;
  QueueSizer sizer = QueueSizer::kItems;
  QueuePartitionSettings partition;

  static void VisitFields(auto& self, auto& visit) {
    visit("flush_timeout", self.flush_timeout, "A batch leaves at this age at the latest.");
    visit("min_size", self.min_size, "A batch leaves at this size.");
    visit("max_size", self.max_size, "Larger ones are cut on item boundaries; 0 never cuts.");
    visit("sizer", self.sizer, "What the sizes count: items or bytes.");
    visit("partition", self.partition, "What keeps batches apart.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const QueueBatchSettings&) const = default;
};

struct QueueSettings {
  bool enabled = true;
  std::uint32_t num_consumers = 10;
  std::uint64_t queue_size = 1000;
  QueueSizer sizer = QueueSizer::kRequests;
  bool wait_for_result = false;
  bool block_on_overflow = false;
  std::optional<ComponentId> storage;
  ByteSize max_size;
  WhenFull when_full = WhenFull::kReject;
  std::optional<QueueBatchSettings> batch;

  static void VisitFields(auto& self, auto& visit) {
    visit(
        "enabled", self.enabled,
        "Whether a request is answered once it is queued. Without, it is answered when delivered.");
    visit("num_consumers", self.num_consumers, "Requests in flight at once.", AtLeast(1));
    visit("queue_size", self.queue_size,
          "What the queue holds before it refuses, in `sizer` units.", AtLeast(1));
    visit("sizer", self.sizer, "What `queue_size` counts: requests, items or bytes.");
    visit("wait_for_result", self.wait_for_result,
          "Whether a request waits for its delivery although it is queued.");
    visit("block_on_overflow", self.block_on_overflow,
          "Whether a request waits for room when the queue is full, instead of being refused.");
    visit("storage", self.storage, "Extension that keeps the queue on disk.");
    visit("max_size", self.max_size,
          "With `storage`: most bytes on disk that wait for this exporter; 0 sets no limit.");
    visit("when_full", self.when_full,
          "With `storage`: what a full queue does: reject the request, block until there is room, "
          "or drop_oldest.");
    visit("batch", self.batch, "Merges requests behind the queue; wins over a `batch` processor.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const QueueSettings&) const = default;
};

struct RetrySettings {
  bool enabled = true;
  Duration initial_interval = std::chrono::seconds(5);
  double randomization_factor = 0.5;
  double multiplier = 1.5;
  Duration max_interval = std::chrono::seconds(30);
  Duration max_elapsed_time = std::chrono::minutes(5);

  static void VisitFields(auto& self, auto& visit) {
    visit("enabled", self.enabled, "Whether a failure that may pass is tried again.");
    visit("initial_interval", self.initial_interval, "Wait before the first retry.", AtLeast(0));
    visit("randomization_factor", self.randomization_factor,
          "Share by which each wait is spread around its value.", Between(0, 1));
    visit("multiplier", self.multiplier, "Factor from one wait to the next.", AtLeast(1));
    visit("max_interval", self.max_interval, "Longest wait.", AtLeast(0));
    visit("max_elapsed_time", self.max_elapsed_time,
          "After this long a batch is given up and counted; 0 never gives up.", AtLeast(0));
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const RetrySettings&) const = default;
};

struct ExporterSettings {
  QueueSettings sending_queue;
  RetrySettings retry_on_failure;
  Duration timeout = std::chrono::seconds(5);

  static void VisitFields(auto& self, auto& visit) {
    visit("timeout", self.timeout, "Longest wait for one request's answer; 0 waits forever.",
          AtLeast(0));
    visit("sending_queue", self.sending_queue, "The queue in front of the destination.");
    visit("retry_on_failure", self.retry_on_failure, "What to do about failures that may pass.");
  }
  bool operator==(const ExporterSettings&) const = default;
};

}  // namespace weir

#endif  // WEIR_COMPONENT_EXPORTER_SETTINGS_H_

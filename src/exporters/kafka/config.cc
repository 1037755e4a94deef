#include "exporters/kafka/config.h"

#include <algorithm>

namespace weir::exporters::kafka {

void Producer::Validate(FieldCheck& check) const {
  if (idempotent && required_acks != RequiredAcks::kAll && check.IsGiven("idempotent")) {
    check.Error("idempotent", "needs `required_acks: all`");
  }
  if (max_broker_write_bytes < max_message_bytes) {
    check.Error("max_broker_write_bytes", "must be at least as large as `max_message_bytes`");
  }
  if (!allow_auto_topic_creation) {
    check.Warning("allow_auto_topic_creation",
                  "has no effect: it is up to the brokers (`auto.create.topics.enable`)");
  }
  if (compression == Compression::kGzip && compression_params.level > 9) {
    check.Error("compression_params::level", "must be at most 9 with `gzip`");
  }
}

void RecordPartitioner::Validate(FieldCheck& check) const {
  if (least_backup.has_value()) {
    check.Error("least_backup", "is not supported: use `sticky_key` or `round_robin`");
  }
  if (extension.has_value()) {
    check.Error("extension", "is not supported: use `sticky_key` or `round_robin`");
  }
  if (sticky_key.has_value() && round_robin.has_value()) {
    check.Error("", "can have one of `sticky_key` and `round_robin` only");
  }
}

void Config::Validate(FieldCheck& check) const {
  if (partition_logs_by_resource_attributes && partition_logs_by_trace_id) {
    check.Error("partition_logs_by_trace_id",
                "can't be given together with `partition_logs_by_resource_attributes`");
  }
  const auto keyed_twice = [&check](const SignalConfig& signal, std::string_view key, bool keyed) {
    if (keyed && !signal.message_key_from_metadata_key.empty()) {
      check.Error(key, "`message_key_from_metadata_key` can't be given beside a `partition_` key");
    }
  };
  keyed_twice(traces, "traces", partition_traces_by_id);
  keyed_twice(metrics, "metrics", partition_metrics_by_resource_attributes);
  keyed_twice(logs, "logs", partition_logs_by_resource_attributes || partition_logs_by_trace_id);
  if (settings.timeout > Duration::zero() && producer.linger >= settings.timeout) {
    check.Error("producer::linger", "must be shorter than `timeout`");
  }
  // Batches of different metadata must not be merged before they become messages.
  if (settings.sending_queue.batch.has_value()) {
    const std::vector<std::string>& apart = settings.sending_queue.batch->partition.metadata_keys;
    for (const std::string& key : include_metadata_keys) {
      if (!apart.empty() && std::ranges::find(apart, key) == apart.end()) {
        check.Error("include_metadata_keys",
                    "`{}` must be among `sending_queue::batch::partition::metadata_keys`", key);
      }
    }
  }
}

const SignalConfig& Config::ForSignal(Signal signal) const {
  switch (signal) {
    case Signal::kMetrics:
      return metrics;
    case Signal::kLogs:
      return logs;
    case Signal::kTraces:
      break;
  }
  return traces;
}

std::string Config::TopicOf(Signal signal) const {
  if (const std::string& own = ForSignal(signal).topic; !own.empty()) {
    return own;
  }
  if (!topic.empty()) {
    return topic;
  }
  switch (signal) {
    case Signal::kMetrics:
      return "otlp_metrics";
    case Signal::kLogs:
      return "otlp_logs";
    case Signal::kTraces:
      break;
  }
  return "otlp_spans";
}

Encoding Config::EncodingOf(Signal signal) const {
  return ForSignal(signal).encoding.value_or(encoding.value_or(Encoding::kOtlpProto));
}

}  // namespace weir::exporters::kafka

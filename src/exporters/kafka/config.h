// Options of the kafka exporter, with the Collector's keys; defaults are the Collector's but for
// `producer::required_acks`, since the producer is idempotent.

#ifndef WEIR_EXPORTERS_KAFKA_CONFIG_H_
#define WEIR_EXPORTERS_KAFKA_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kafka/client_config.h"
#include "weir/component/exporter_settings.h"
#include "weir/config/fields.h"
#include "weir/wire/signal.h"

namespace weir::exporters::kafka {

using weir::kafka::Encoding;

enum class RequiredAcks : std::int8_t { kAll = -1, kNone = 0, kLeader = 1 };
enum class Compression : std::uint8_t { kNone, kGzip, kSnappy, kLz4, kZstd };
enum class Hasher : std::uint8_t { kSaramaCompat, kMurmur2 };

struct CompressionParams {
  std::int32_t level = -1;

  static void VisitFields(auto& self, auto& visit) {
    visit("level", self.level, "Compression level of `gzip`, `lz4` or `zstd`; -1: the default.",
          Between(-1, 12));
  }
  bool operator==(const CompressionParams&) const = default;
};

struct Producer {
  std::uint32_t max_message_bytes = 1'000'000;
  std::uint32_t max_broker_write_bytes = 104'857'600;
  RequiredAcks required_acks = RequiredAcks::kAll;
  bool idempotent = true;
  Compression compression = Compression::kNone;
  CompressionParams compression_params;
  std::uint32_t flush_max_messages = 10'000;
  bool allow_auto_topic_creation = true;
  Duration linger = std::chrono::milliseconds(10);

  static void VisitFields(auto& self, auto& visit) {
    visit("max_message_bytes", self.max_message_bytes,
          "Largest message before compression; larger requests are cut on item boundaries.",
          Between(1000, 1'000'000'000));
    visit("max_broker_write_bytes", self.max_broker_write_bytes,
          "Most that may wait in the client for the brokers; beyond that sending is tried again "
          "later.",
          Between(1024, 2'000'000'000));
    visit("required_acks", self.required_acks,
          "Who must have a message before it counts as delivered: `all` (or -1), 1 (the leader), 0 "
          "(nobody). The Collector's default is 1.");
    visit("idempotent", self.idempotent,
          "Whether the client's own retries can neither repeat nor reorder; takes effect with "
          "`required_acks: all`.");
    visit("compression", self.compression, "`none`, `gzip`, `snappy`, `lz4` or `zstd`.");
    visit("compression_params", self.compression_params, "How hard to compress.");
    visit("flush_max_messages", self.flush_max_messages,
          "Messages in one request to a broker; 0: as many as fit.", AtMost(1'000'000));
    visit("allow_auto_topic_creation", self.allow_auto_topic_creation,
          "Must be true: whether a topic that does not exist is created is up to the brokers.");
    visit("linger", self.linger, "How long a message waits for others to share a request with.",
          Between(Duration(0), std::chrono::minutes(15)));
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Producer&) const = default;
};

struct StickyKey {
  Hasher hasher = Hasher::kSaramaCompat;

  static void VisitFields(auto& self, auto& visit) {
    visit("hasher", self.hasher,
          "How keys spread: `sarama_compat` (FNV-1a) or `murmur2` (Java's).");
  }
  bool operator==(const StickyKey&) const = default;
};

struct NoOptions {
  static void VisitFields(auto& /*self*/, auto& /*visit*/) {}
  bool operator==(const NoOptions&) const = default;
};

struct RecordPartitioner {
  std::optional<StickyKey> sticky_key;
  std::optional<NoOptions> round_robin;
  std::optional<NoOptions> least_backup;
  std::optional<ComponentId> extension;

  static void VisitFields(auto& self, auto& visit) {
    visit("sticky_key", self.sticky_key,
          "Equal keys to one partition, messages without a key in turns of `linger`. The default.");
    visit("round_robin", self.round_robin, "One message each partition in turn.");
    visit("least_backup", self.least_backup, "Not supported.");
    visit("extension", self.extension, "Not supported.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const RecordPartitioner&) const = default;
};

struct SignalConfig {
  std::string topic;
  std::string topic_from_metadata_key;
  std::string message_key_from_metadata_key;
  std::optional<Encoding> encoding;

  static void VisitFields(auto& self, auto& visit) {
    visit("topic", self.topic,
          "The topic; empty: `otlp_spans`, `otlp_metrics` or `otlp_logs` by signal.");
    visit("topic_from_metadata_key", self.topic_from_metadata_key,
          "Metadata key whose value is the topic, where the request has it.");
    visit("message_key_from_metadata_key", self.message_key_from_metadata_key,
          "Metadata key whose value is the message's key, where the request has it.");
    visit("encoding", self.encoding, "`otlp_proto` (the default) or `otlp_json`.");
  }
  bool operator==(const SignalConfig&) const = default;
};

struct Config {
  weir::kafka::ClientConfig client;
  Producer producer;
  SignalConfig logs;
  SignalConfig metrics;
  SignalConfig traces;
  std::string topic;
  std::optional<Encoding> encoding;
  std::string topic_from_attribute;
  std::vector<std::string> include_metadata_keys;
  std::map<std::string, std::string> record_headers;
  bool partition_traces_by_id = false;
  bool partition_metrics_by_resource_attributes = false;
  bool partition_logs_by_resource_attributes = false;
  bool partition_logs_by_trace_id = false;
  RecordPartitioner record_partitioner;
  ExporterSettings settings;

  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.client);
    visit("producer", self.producer, "How messages are produced.");
    visit("logs", self.logs, "Where logs go.");
    visit("metrics", self.metrics, "Where metrics go.");
    visit("traces", self.traces, "Where traces go.");
    visit("topic", self.topic, "Deprecated: the topic of signals that name none themselves.");
    visit("encoding", self.encoding,
          "Deprecated: the encoding of signals that name none themselves.");
    visit("topic_from_attribute", self.topic_from_attribute,
          "Resource attribute whose value is the topic; a resource without it goes to the topic of "
          "its signal.");
    visit("include_metadata_keys", self.include_metadata_keys,
          "Request metadata that becomes headers of the messages.");
    visit("record_headers", self.record_headers, "Headers that every message gets.");
    visit("partition_traces_by_id", self.partition_traces_by_id,
          "Whether each trace is a message of its own, with its id in hex as the key.");
    visit("partition_metrics_by_resource_attributes", self.partition_metrics_by_resource_attributes,
          "Whether each resource is a message of its own, with a hash of its attributes as the "
          "key.");
    visit("partition_logs_by_resource_attributes", self.partition_logs_by_resource_attributes,
          "The same for logs.");
    visit("partition_logs_by_trace_id", self.partition_logs_by_trace_id,
          "Whether logs are partitioned by their trace id, as traces are.");
    visit("record_partitioner", self.record_partitioner,
          "How messages spread over partitions; at most one of its options.");
    visit.Squash(self.settings);
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;

  const SignalConfig& ForSignal(Signal signal) const;
  std::string TopicOf(Signal signal) const;
  Encoding EncodingOf(Signal signal) const;
};

}  // namespace weir::exporters::kafka

namespace weir {

template <>
struct EnumNames<exporters::kafka::RequiredAcks> {
  static constexpr std::pair<std::string_view, exporters::kafka::RequiredAcks> kNames[] = {
      {"all", exporters::kafka::RequiredAcks::kAll},
      {"-1", exporters::kafka::RequiredAcks::kAll},
      {"0", exporters::kafka::RequiredAcks::kNone},
      {"1", exporters::kafka::RequiredAcks::kLeader}};
};

template <>
struct EnumNames<exporters::kafka::Compression> {
  static constexpr std::pair<std::string_view, exporters::kafka::Compression> kNames[] = {
      {"none", exporters::kafka::Compression::kNone},
      {"gzip", exporters::kafka::Compression::kGzip},
      {"snappy", exporters::kafka::Compression::kSnappy},
      {"lz4", exporters::kafka::Compression::kLz4},
      {"zstd", exporters::kafka::Compression::kZstd}};
};

template <>
struct EnumNames<exporters::kafka::Hasher> {
  static constexpr std::pair<std::string_view, exporters::kafka::Hasher> kNames[] = {
      {"sarama_compat", exporters::kafka::Hasher::kSaramaCompat},
      {"murmur2", exporters::kafka::Hasher::kMurmur2}};
};

}  // namespace weir

#endif  // WEIR_EXPORTERS_KAFKA_CONFIG_H_

// Options of the kafka receiver, with the Collector's keys and defaults.

#ifndef WEIR_RECEIVERS_KAFKA_CONFIG_H_
#define WEIR_RECEIVERS_KAFKA_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/client_config.h"
#include "weir/config/fields.h"
#include "weir/wire/signal.h"

namespace weir::receivers::kafka {

using weir::kafka::Encoding;

enum class Validation : std::uint8_t { kStructure, kFull };
// What a message's offset waits for.
enum class Wait : std::uint8_t { kDurable, kDelivered };

enum class InitialOffset : std::uint8_t { kLatest, kEarliest };
enum class RebalanceStrategy : std::uint8_t { kCooperativeSticky, kRange, kRoundRobin };

struct Autocommit {
  bool enable = true;
  Duration interval = std::chrono::seconds(1);

  static void VisitFields(auto& self, auto& visit) {
    visit("enable", self.enable,
          "Whether offsets are committed every `interval`, rather than as soon as they move.");
    visit("interval", self.interval, "How often.",
          Between(std::chrono::milliseconds(1), std::chrono::hours(24)));
  }
  bool operator==(const Autocommit&) const = default;
};

struct MessageMarking {
  bool after = false;
  bool on_error = false;
  bool on_permanent_error = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("after", self.after,
          "Read for compatibility: a message counts as consumed when it is delivered, always.");
    visit("on_error", self.on_error,
          "Whether a message that could not be delivered for now counts as consumed, too, and is "
          "lost. Otherwise its partition waits and it is tried again.");
    visit("on_permanent_error", self.on_permanent_error,
          "Read for compatibility: a message that can never be delivered is counted and counts as "
          "consumed, always.");
  }
  bool operator==(const MessageMarking&) const = default;
};

struct HeaderExtraction {
  bool extract_headers = false;
  std::vector<std::string> headers;

  static void VisitFields(auto& self, auto& visit) {
    visit("extract_headers", self.extract_headers,
          "Whether message headers become resource attributes `kafka.header.<name>`.");
    visit("headers", self.headers, "Which ones; names are exact.");
  }
  bool operator==(const HeaderExtraction&) const = default;
};

struct ErrorBackoff {
  bool enabled = true;
  Duration initial_interval = std::chrono::milliseconds(250);
  double randomization_factor = 0.5;
  double multiplier = 1.5;
  Duration max_interval = std::chrono::seconds(30);
  Duration max_elapsed_time{0};

  static void VisitFields(auto& self, auto& visit) {
    visit("enabled", self.enabled, "Read for compatibility: a partition that failed always waits.");
    visit("initial_interval", self.initial_interval,
          "How long a partition waits after a failure before it goes on.",
          Between(std::chrono::milliseconds(1), std::chrono::hours(1)));
    visit("randomization_factor", self.randomization_factor,
          "Share by which each wait is spread around its value.", Between(0, 1));
    visit("multiplier", self.multiplier, "Factor from one wait to the next.", AtLeast(1));
    visit("max_interval", self.max_interval, "Longest wait.",
          Between(std::chrono::milliseconds(1), std::chrono::hours(1)));
    visit("max_elapsed_time", self.max_elapsed_time,
          "Read for compatibility: a message is tried for as long as it takes.", AtLeast(0));
  }
  bool operator==(const ErrorBackoff&) const = default;
};

struct DeadLetter {
  std::string path;

  static void VisitFields(auto& self, auto& visit) {
    visit("path", self.path,
          "File that messages which can't be decoded or delivered are appended to.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const DeadLetter&) const = default;
};

struct SignalConfig {
  std::string topic;
  std::vector<std::string> topics;
  std::string exclude_topic;
  std::vector<std::string> exclude_topics;
  std::optional<Encoding> encoding;

  static void VisitFields(auto& self, auto& visit) {
    visit("topics", self.topics,
          "The topics; one that starts with `^` is a regular expression. Empty: `otlp_spans`, "
          "`otlp_metrics` or `otlp_logs` by signal.");
    visit("topic", self.topic, "Deprecated: one topic.");
    visit("exclude_topics", self.exclude_topics,
          "Regular expressions of topics to leave out, where `topics` has one.");
    visit("exclude_topic", self.exclude_topic, "Deprecated: one of them.");
    visit("encoding", self.encoding, "`otlp_proto` (the default) or `otlp_json`.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const SignalConfig&) const = default;
};

struct Config {
  weir::kafka::ClientConfig client;
  std::string group_id = "otel-collector";
  std::string group_instance_id;
  InitialOffset initial_offset = InitialOffset::kLatest;
  std::optional<RebalanceStrategy> group_rebalance_strategy;
  std::vector<RebalanceStrategy> group_rebalance_strategies;
  Duration session_timeout = std::chrono::seconds(10);
  Duration heartbeat_interval = std::chrono::seconds(3);
  std::uint32_t min_fetch_size = 1;
  std::uint32_t default_fetch_size = 1'048'576;
  std::uint32_t max_fetch_size = 1'048'576;
  std::uint32_t max_partition_fetch_size = 1'048'576;
  Duration max_fetch_wait = std::chrono::milliseconds(250);
  SignalConfig logs;
  SignalConfig metrics;
  SignalConfig traces;
  std::string topic;
  std::optional<Encoding> encoding;
  Autocommit autocommit;
  MessageMarking message_marking;
  HeaderExtraction header_extraction;
  ErrorBackoff error_backoff;
  Validation validation = Validation::kStructure;
  std::optional<DeadLetter> dead_letter;
  ByteSize partition_bytes_max{64 * 1024 * 1024};
  std::uint32_t partition_messages_max = 20'000;
  Wait wait = Wait::kDurable;

  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.client);
    visit("group_id", self.group_id, "The consumer group.");
    visit("group_instance_id", self.group_instance_id,
          "A name that makes this a static member: it keeps its partitions across a restart.");
    visit("initial_offset", self.initial_offset,
          "Where a partition starts that has no committed offset: `latest` or `earliest`.");
    visit("group_rebalance_strategy", self.group_rebalance_strategy,
          "Deprecated: one of `group_rebalance_strategies`.");
    visit("group_rebalance_strategies", self.group_rebalance_strategies,
          "How a group shares partitions, best first: `cooperative-sticky` (the default), or "
          "`range` and `roundrobin`.");
    visit("session_timeout", self.session_timeout,
          "The group takes a silent member for dead after this long.",
          Between(std::chrono::milliseconds(1), std::chrono::hours(1)));
    visit("heartbeat_interval", self.heartbeat_interval, "How often a member shows it is alive.",
          Between(std::chrono::milliseconds(1), std::chrono::hours(1)));
    visit("min_fetch_size", self.min_fetch_size, "Bytes a broker waits for before it answers.",
          Between(1, 100'000'000));
    visit("default_fetch_size", self.default_fetch_size,
          "Read for compatibility: `max_partition_fetch_size` says it.");
    visit("max_fetch_size", self.max_fetch_size,
          "Most bytes of one answer; 0: 50 MiB. A larger message comes all the same.",
          AtMost(1'000'000'000));
    visit("max_partition_fetch_size", self.max_partition_fetch_size,
          "Most bytes of one partition in an answer. A larger message comes all the same.",
          Between(1, 1'000'000'000));
    visit("max_fetch_wait", self.max_fetch_wait, "Longest wait for `min_fetch_size`.",
          Between(Duration(0), std::chrono::minutes(5)));
    visit("logs", self.logs, "Where logs come from.");
    visit("metrics", self.metrics, "Where metrics come from.");
    visit("traces", self.traces, "Where traces come from.");
    visit("topic", self.topic, "Deprecated: the topic of signals that name none themselves.");
    visit("encoding", self.encoding,
          "Deprecated: the encoding of signals that name none themselves.");
    visit("autocommit", self.autocommit, "When offsets are committed.");
    visit("message_marking", self.message_marking, "What counts as consumed.");
    visit("header_extraction", self.header_extraction, "Headers into resource attributes.");
    visit("error_backoff", self.error_backoff, "How long a partition waits after a failure.");
    visit("validation", self.validation,
          "`structure` checks what the pipeline relies on, `full` every known field.");
    visit("dead_letter", self.dead_letter,
          "Keeps what is left out: each message behind its length in four bytes, big-endian.");
    visit("partition_bytes_max", self.partition_bytes_max,
          "Bytes of one partition that may be in the pipelines undelivered; then it waits.",
          AtLeast(1));
    visit("partition_messages_max", self.partition_messages_max, "The same in messages.",
          AtLeast(1));
    visit("wait", self.wait,
          "What an offset waits for: `durable`, every exporter has the message on disk or is done "
          "with it, or `delivered`, every exporter is done with it.");
    visit.Ignored("telemetry", "the delay of records is not measured");
    visit.Ignored("partition_processing", "partitions never wait for each other");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;

  const SignalConfig& ForSignal(Signal signal) const;
  std::vector<std::string> TopicsOf(Signal signal) const;
  std::vector<std::string> ExcludedOf(Signal signal) const;
  Encoding EncodingOf(Signal signal) const;
};

}  // namespace weir::receivers::kafka

namespace weir {

template <>
struct EnumNames<receivers::kafka::Validation> {
  static constexpr std::pair<std::string_view, receivers::kafka::Validation> kNames[] = {
      {"structure", receivers::kafka::Validation::kStructure},
      {"full", receivers::kafka::Validation::kFull}};
};

template <>
struct EnumNames<receivers::kafka::Wait> {
  static constexpr std::pair<std::string_view, receivers::kafka::Wait> kNames[] = {
      {"durable", receivers::kafka::Wait::kDurable},
      {"delivered", receivers::kafka::Wait::kDelivered}};
};

template <>
struct EnumNames<receivers::kafka::InitialOffset> {
  static constexpr std::pair<std::string_view, receivers::kafka::InitialOffset> kNames[] = {
      {"latest", receivers::kafka::InitialOffset::kLatest},
      {"earliest", receivers::kafka::InitialOffset::kEarliest}};
};

template <>
struct EnumNames<receivers::kafka::RebalanceStrategy> {
  static constexpr std::pair<std::string_view, receivers::kafka::RebalanceStrategy> kNames[] = {
      {"cooperative-sticky", receivers::kafka::RebalanceStrategy::kCooperativeSticky},
      {"range", receivers::kafka::RebalanceStrategy::kRange},
      {"roundrobin", receivers::kafka::RebalanceStrategy::kRoundRobin}};
};

}  // namespace weir

#endif  // WEIR_RECEIVERS_KAFKA_CONFIG_H_

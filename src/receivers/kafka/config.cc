#include "receivers/kafka/config.h"

#include <algorithm>

namespace weir::receivers::kafka {

void DeadLetter::Validate(FieldCheck& check) const {
  if (path.empty()) {
    check.Error("path", "must not be empty");
  }
}

void SignalConfig::Validate(FieldCheck& check) const {
  if (!topic.empty() && !topics.empty()) {
    check.Error("topic", "can't be given together with `topics`");
  }
  if (!exclude_topic.empty() && !exclude_topics.empty()) {
    check.Error("exclude_topic", "can't be given together with `exclude_topics`");
  }
  if (std::ranges::any_of(topics, &std::string::empty)) {
    check.Error("topics", "must not have an empty name");
  }
  const bool pattern = topic.starts_with('^') || std::ranges::any_of(topics, [](const auto& name) {
                         return name.starts_with('^');
                       });
  if ((!exclude_topic.empty() || !exclude_topics.empty()) && !pattern) {
    check.Error("exclude_topics", "needs a topic that is a regular expression (starts with `^`)");
  }
  if (std::ranges::any_of(exclude_topics, [](const std::string& name) {
        return name.empty() || name.find(',') != std::string::npos;
      })) {
    check.Error("exclude_topics", "must not have an empty expression, or one with a comma");
  }
}

void Config::Validate(FieldCheck& check) const {
  if (group_id.empty()) {
    check.Error("group_id", "must not be empty");
  }
  if (heartbeat_interval >= session_timeout) {
    check.Error("heartbeat_interval", "must be shorter than `session_timeout`");
  }
  if (max_fetch_size != 0 && max_fetch_size < min_fetch_size) {
    check.Error("max_fetch_size", "must be at least as large as `min_fetch_size`");
  }
  if (group_rebalance_strategy.has_value() && !group_rebalance_strategies.empty()) {
    check.Error("group_rebalance_strategy",
                "can't be given together with `group_rebalance_strategies`");
  }
  const auto cooperative =
      std::ranges::count(group_rebalance_strategies, RebalanceStrategy::kCooperativeSticky);
  if (cooperative > 0 && group_rebalance_strategies.size() > 1) {
    check.Error("group_rebalance_strategies",
                "can't mix `cooperative-sticky`, which hands over step by step, with others");
  }
  if (message_marking.on_error) {
    check.Warning("message_marking::on_error",
                  "loses messages that could have been delivered later");
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

std::vector<std::string> Config::TopicsOf(Signal signal) const {
  const SignalConfig& own = ForSignal(signal);
  if (!own.topics.empty()) {
    return own.topics;
  }
  if (!own.topic.empty()) {
    return {own.topic};
  }
  if (!topic.empty()) {
    return {topic};
  }
  switch (signal) {
    case Signal::kMetrics:
      return {"otlp_metrics"};
    case Signal::kLogs:
      return {"otlp_logs"};
    case Signal::kTraces:
      break;
  }
  return {"otlp_spans"};
}

std::vector<std::string> Config::ExcludedOf(Signal signal) const {
  const SignalConfig& own = ForSignal(signal);
  if (!own.exclude_topic.empty()) {
    return {own.exclude_topic};
  }
  return own.exclude_topics;
}

Encoding Config::EncodingOf(Signal signal) const {
  return ForSignal(signal).encoding.value_or(encoding.value_or(Encoding::kOtlpProto));
}

}  // namespace weir::receivers::kafka

#include "exporters/kafka/message_builder.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "absl/strings/ascii.h"
#include "weir/wire/json.h"
#include "weir/wire/otlp.h"
#include "weir/wire/scanner.h"
#include "weir/wire/split.h"
#include "weir/wire/view.h"

namespace weir::exporters::kafka {
namespace {

// What the format adds to a message beside its key, value and headers, generously.
constexpr std::size_t kRecordOverhead = 128;
// JSON is about twice as large as protobuf; pieces of this share of the limit mostly fit at once.
constexpr std::size_t kJsonFactor = 2;
constexpr std::size_t kJsonKept = std::size_t{2} << 20;

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

// Keys of a request's metadata are in lower case.
const std::string* FindMetadata(const Batch& batch, const std::string& key) {
  if (key.empty() || batch.context() == nullptr) {
    return nullptr;
  }
  std::string lower = key;
  std::ranges::transform(lower, lower.begin(), absl::ascii_tolower);
  for (const auto& [name, value] : batch.context()->metadata) {
    if (name == lower) {
      return &value;
    }
  }
  return nullptr;
}

Slice Join(std::span<const Slice> requests, std::size_t bytes, MemoryBudget& budget) {
  if (requests.size() == 1) {
    return requests.front();
  }
  MutableBuffer joined = MutableBuffer::Allocate(bytes, &budget);
  char* out = joined.data();
  for (const Slice& request : requests) {
    std::memcpy(out, request.data(), request.size());
    out += request.size();
  }
  return std::move(joined).Freeze(bytes);
}

std::optional<wire::PartitionKey> PartitionKeyOf(const Config& config, Signal signal) {
  switch (signal) {
    case Signal::kTraces:
      return config.partition_traces_by_id ? std::optional(wire::PartitionKey::kTraceId)
                                           : std::nullopt;
    case Signal::kMetrics:
      return config.partition_metrics_by_resource_attributes
                 ? std::optional(wire::PartitionKey::kResource)
                 : std::nullopt;
    case Signal::kLogs:
      break;
  }
  if (config.partition_logs_by_trace_id) {
    return wire::PartitionKey::kTraceId;
  }
  return config.partition_logs_by_resource_attributes ? std::optional(wire::PartitionKey::kResource)
                                                      : std::nullopt;
}

// The topic that a resource names, or nothing. False when it is malformed.
bool TopicOfResource(std::string_view resource_group, const std::string& attribute,
                     std::string& topic) {
  wire::MergedMessage resource;
  if (!wire::FindMessage(resource_group, wire::otlp::kResourceResource, resource)) {
    return false;
  }
  wire::AnyValueView value;
  if (wire::FindAttribute(resource.view(), wire::otlp::kResourceAttributes, attribute, value) ==
          wire::Lookup::kFound &&
      value.type() == wire::ValueType::kString) {
    topic = value.string();
  }
  return true;
}

}  // namespace

MessageBuilder::MessageBuilder(const Config& config, MemoryBudget& budget)
    : config_(config), budget_(budget) {}

std::vector<std::pair<std::string, std::string>> MessageBuilder::Headers(const Batch& batch) const {
  std::vector<std::pair<std::string, std::string>> headers(config_.record_headers.begin(),
                                                           config_.record_headers.end());
  if (batch.context() == nullptr) {
    return headers;
  }
  for (const std::string& key : config_.include_metadata_keys) {
    std::string lower = key;
    std::ranges::transform(lower, lower.begin(), absl::ascii_tolower);
    for (const auto& [name, value] : batch.context()->metadata) {
      if (name == lower) {
        headers.emplace_back(key, value);
      }
    }
  }
  return headers;
}

Built MessageBuilder::Build(const Batch& batch) {
  Built built;
  const Signal signal = batch.signal();
  const SignalConfig& options = config_.ForSignal(signal);
  const std::string* metadata_topic = FindMetadata(batch, options.topic_from_metadata_key);
  const std::string* metadata_key = FindMetadata(batch, options.message_key_from_metadata_key);
  const std::string key = metadata_key == nullptr ? std::string() : *metadata_key;
  header_bytes_ = 0;
  for (const auto& [name, value] : Headers(batch)) {
    header_bytes_ += name.size() + value.size() + 16;
  }
  for (const Part& part : batch.parts()) {
    if (metadata_topic != nullptr && !metadata_topic->empty()) {
      Route(signal, *metadata_topic, key, part.payload);
      continue;
    }
    if (config_.topic_from_attribute.empty()) {
      Route(signal, config_.TopicOf(signal), key, part.payload);
      continue;
    }
    std::map<std::string, std::string> by_topic;
    wire::FieldReader fields(part.payload.view());
    while (fields.Next()) {
      std::string topic = config_.TopicOf(signal);
      if (fields.Is(wire::otlp::kRequestResources, wire::WireType::kLength) &&
          !TopicOfResource(fields.bytes(), config_.topic_from_attribute, topic)) {
        built.malformed = true;
      }
      by_topic[topic.empty() ? config_.TopicOf(signal) : topic] += fields.field();
    }
    built.malformed |= fields.malformed();
    for (const auto& [topic, request] : by_topic) {
      Route(signal, topic, key, Slice::Copy(request, &budget_));
    }
  }
  for (auto& [target, requests] : targets_) {
    if (config_.EncodingOf(signal) == Encoding::kOtlpJson) {
      EncodeJson(signal, target, requests, built);
    } else {
      EncodeProto(signal, target, std::move(requests), built);
    }
  }
  targets_.clear();
  index_.clear();
  json_.ClearAndKeepAtMost(kJsonKept);
  return built;
}

void MessageBuilder::Route(Signal signal, const std::string& topic, const std::string& key,
                           const Slice& request) {
  const std::optional<wire::PartitionKey> partition = PartitionKeyOf(config_, signal);
  if (!partition.has_value()) {
    AddTo(topic, key, request);
    return;
  }
  for (wire::Partition& part : wire::PartitionRequest(signal, request, *partition, &budget_)) {
    AddTo(topic, *partition == wire::PartitionKey::kTraceId ? Hex(part.key) : part.key,
          std::move(part.bytes));
  }
}

void MessageBuilder::AddTo(const std::string& topic, const std::string& key, Slice request) {
  const auto [found, is_new] = index_.try_emplace(Target{topic, key}, targets_.size());
  if (is_new) {
    targets_.emplace_back(found->first, Requests());
  }
  targets_[found->second].second.push_back(std::move(request));
}

std::size_t MessageBuilder::ValueBytesMax(const Target& target) const {
  const std::size_t rest = target.key.size() + header_bytes_ + kRecordOverhead;
  const std::size_t all = config_.producer.max_message_bytes;
  return all > 2 * rest ? all - rest : all / 2;
}

void MessageBuilder::EncodeProto(Signal signal, const Target& target, Requests requests,
                                 Built& built) {
  const std::size_t limit = ValueBytesMax(target);
  Requests fitting;
  fitting.reserve(requests.size());
  for (Slice& request : requests) {
    if (request.size() <= limit) {
      fitting.push_back(std::move(request));
      continue;
    }
    for (wire::Piece& piece : wire::SplitRequest(signal, request, 0, limit, &budget_)) {
      fitting.push_back(std::move(piece.bytes));
    }
  }
  for (std::size_t begin = 0; begin < fitting.size();) {
    std::size_t bytes = fitting[begin].size();
    std::size_t end = begin + 1;
    while (end < fitting.size() && bytes + fitting[end].size() <= limit) {
      bytes += fitting[end++].size();
    }
    const std::span<const Slice> run(fitting.data() + begin, end - begin);
    built.messages.push_back({target.topic, target.key, Join(run, bytes, budget_)});
    begin = end;
  }
}

void MessageBuilder::EncodeJson(Signal signal, const Target& target, const Requests& requests,
                                Built& built) {
  const std::size_t limit = ValueBytesMax(target);
  std::vector<Requests> todo;  // The last one next.
  Requests run;
  std::size_t bytes = 0;
  for (const Slice& request : requests) {
    if (!run.empty() && bytes + request.size() > limit / kJsonFactor) {
      todo.push_back(std::exchange(run, {}));
      bytes = 0;
    }
    run.push_back(request);
    bytes += request.size();
  }
  todo.push_back(std::move(run));
  std::ranges::reverse(todo);
  while (!todo.empty()) {
    const Requests next = std::move(todo.back());
    todo.pop_back();
    std::vector<std::string_view> views;
    for (const Slice& request : next) {
      views.push_back(request.view());
    }
    json_.Clear();
    const wire::ProtoToJsonResult written = wire::ProtoToJson(signal, views, json_);
    if (!written.ok()) {
      built.malformed = true;
      continue;
    }
    if (json_.size() > limit) {
      if (next.size() > 1) {
        const auto middle = next.begin() + static_cast<std::ptrdiff_t>(next.size() / 2);
        todo.emplace_back(middle, next.end());
        todo.emplace_back(next.begin(), middle);
        continue;
      }
      const wire::ScanResult scan =
          wire::Scan(signal, next.front().view(), wire::ScanDepth::kStructure);
      std::vector<wire::Piece> pieces = wire::SplitRequest(
          signal, next.front(), std::max<std::uint64_t>(1, (scan.items + 1) / 2), 0, &budget_);
      if (pieces.size() > 1) {
        for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
          todo.push_back({std::move(piece->bytes)});
        }
        continue;
      }
    }
    built.items_rejected += written.dropped_items;
    built.messages.push_back({target.topic, target.key, Slice::Copy(json_.view(), &budget_)});
  }
}

}  // namespace weir::exporters::kafka

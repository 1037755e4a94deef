// MessageBuilder turns a batch into Kafka messages: routes resources to topics, cuts by key, lays
// requests end to end until a message is full, and encodes. It knows no client.
//
// Threads: one at a time.
// Ownership: a message shares the batch's bytes where it is one part as it came; otherwise it owns
// a copy that is charged to the budget.
// Loss: items that JSON can't hold are counted in Built::items_rejected; a request that is
// malformed above its items gives no messages. Invariants: each item of the batch is in exactly one
// message or counted. No message is larger than the limit unless it holds a single item.

#ifndef WEIR_EXPORTERS_KAFKA_MESSAGE_BUILDER_H_
#define WEIR_EXPORTERS_KAFKA_MESSAGE_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/kafka/config.h"
#include "weir/base/budget.h"
#include "weir/component/batch.h"
#include "weir/wire/json_buffer.h"

namespace weir::exporters::kafka {

struct Message {
  std::string topic;
  std::string key;  // Empty: none.
  Slice value;
};

struct Built {
  std::vector<Message> messages;
  std::uint64_t items_rejected = 0;
  bool malformed = false;
};

class MessageBuilder {
 public:
  MessageBuilder(const Config& config, MemoryBudget& budget);

  Built Build(const Batch& batch);

  // The headers of every message of a batch: those of `record_headers`, then request metadata.
  std::vector<std::pair<std::string, std::string>> Headers(const Batch& batch) const;

 private:
  struct Target {
    std::string topic;
    std::string key;
    auto operator<=>(const Target&) const = default;
  };
  using Requests = std::vector<Slice>;

  void Route(Signal signal, const std::string& topic, const std::string& key, const Slice& request);
  void AddTo(const std::string& topic, const std::string& key, Slice request);
  void EncodeProto(Signal signal, const Target& target, Requests requests, Built& built);
  void EncodeJson(Signal signal, const Target& target, const Requests& requests, Built& built);
  std::size_t ValueBytesMax(const Target& target) const;

  const Config& config_;
  MemoryBudget& budget_;

  // Of the batch that is being built.
  std::map<Target, std::size_t> index_;
  std::vector<std::pair<Target, Requests>> targets_;
  std::size_t header_bytes_ = 0;
  wire::JsonBuffer json_;
};

}  // namespace weir::exporters::kafka

#endif  // WEIR_EXPORTERS_KAFKA_MESSAGE_BUILDER_H_

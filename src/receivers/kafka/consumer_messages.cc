#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "receivers/kafka/consumer.h"

namespace weir::receivers::kafka {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadMax = 256;  // Messages at once.
// Small messages of one partition go through the door together, up to so much.
constexpr std::size_t kOfferBytes = std::size_t{1} << 20;

std::string_view PayloadOf(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.payload), message.payload == nullptr ? 0 : message.len};
}

}  // namespace

// Speaks for one message until it is settled; destroys itself then.
class Consumer::MessageTracker final : public DeliveryTracker {
 public:
  MessageTracker(Interest interest, std::shared_ptr<Inbox> inbox, Settled settled)
      : DeliveryTracker(interest), inbox_(std::move(inbox)), settled_(std::move(settled)) {}
  ~MessageTracker() override = default;

  // The tracker lives until its only token has settled.
  static DeliveryToken Make(Interest interest, std::shared_ptr<Inbox> inbox, Settled settled) {
    return std::make_unique<MessageTracker>(interest, std::move(inbox), std::move(settled))
        .release()
        ->Begin();
  }

 private:
  void OnSecured(const Settlement& /*settlement*/) override {}
  void OnDelivered(const Settlement& settlement) override {
    const std::unique_ptr<MessageTracker> self(this);
    settled_.settlement = settlement;
    inbox_->Push(std::move(settled_));
  }

  const std::shared_ptr<Inbox> inbox_;
  Settled settled_;
};

void Consumer::Read(rd_kafka_queue_t* queue, milliseconds wait) {
  std::array<rd_kafka_message_t*, kReadMax> messages;
  // librdkafka waits until it has as many as asked for: wait for one, then take what is there.
  ssize_t count =
      rd_kafka_consume_batch_queue(queue, static_cast<int>(wait.count()), messages.data(), 1);
  if (count <= 0) {
    return;
  }
  count += std::max<ssize_t>(
      0, rd_kafka_consume_batch_queue(queue, 0, messages.data() + 1, messages.size() - 1));
  for (ssize_t i = 0; i < count; ++i) {
    Handle(*messages[static_cast<std::size_t>(i)]);
    rd_kafka_message_destroy(messages[static_cast<std::size_t>(i)]);
  }
  OfferOpen();
}

void Consumer::Handle(rd_kafka_message_t& message) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    context_.logger.Warn("Reading from Kafka failed for now",
                         {{"error", rd_kafka_message_errstr(&message)}});
    return;
  }
  PartitionPtr partition = FindPartition(message);
  if (partition == nullptr || partition->paused || stopping_.load(std::memory_order_relaxed)) {
    return;  // Read again when the partition goes on, here or elsewhere.
  }
  switch (partition->offsets.Begin(message.offset)) {
    case OffsetTracker::Verdict::kTake:
      break;
    case OffsetTracker::Verdict::kSkip:
      return;
    case OffsetTracker::Verdict::kRewound: {
      context_.logger.Warn(
          "A partition went back to an earlier offset",
          {{"topic", partition->topic}, {"partition", partition->id}, {"offset", message.offset}});
      partition->revoked = true;
      auto anew = std::make_shared<Partition>();
      anew->topic = partition->topic;
      anew->id = partition->id;
      anew->signal = partition->signal;
      anew->affinity = partition->affinity;
      partitions_[{anew->topic, anew->id}] = anew;
      last_ = anew;
      static_cast<void>(anew->offsets.Begin(message.offset));
      partition = std::move(anew);
      break;
    }
  }
  Take(partition, message);
}

Consumer::PartitionPtr Consumer::FindPartition(const rd_kafka_message_t& message) {
  const char* topic = rd_kafka_topic_name(message.rkt);
  if (last_ != nullptr && last_->id == message.partition && last_->topic == topic &&
      !last_->revoked) {
    return last_;
  }
  const auto found = partitions_.find({topic, message.partition});
  last_ = found == partitions_.end() ? nullptr : found->second;
  return last_;
}

void Consumer::Take(const PartitionPtr& partition, const rd_kafka_message_t& message) {
  ReadHeaders(message);
  const Signal signal = partition->signal;
  Decoded decoded =
      decoder_.Decode(signal, config_.EncodingOf(signal), PayloadOf(message), headers_);
  SignalBooks& books = books_[SignalIndex(signal)];
  switch (decoded.kind) {
    case Decoded::Kind::kOk:
      break;
    case Decoded::Kind::kNoMemory:
      // Never was in. What is open in front of it is offered first, as it may have to wait, too.
      OfferOpen();
      partition->offsets.Fail(message.offset);
      partition->busy = true;
      PauseFor(*partition, message.offset, Backoff(*partition));
      return;
    case Decoded::Kind::kMalformed:
      books.ledger->In(1);
      books.ledger->Drop(DropReason::kDecodeError, 1);
      books.metrics->failed.Add(1);
      LeaveOut(*partition, message.offset, PayloadOf(message), decoded.error);
      moved_.push_back(partition);
      return;
  }
  if (decoded.items_malformed > 0) {
    books.ledger->In(decoded.items_malformed);
    books.ledger->Drop(DropReason::kMalformed, decoded.items_malformed);
    books.metrics->failed.Add(decoded.items_malformed);
  }
  if (decoded.items == 0) {
    partition->offsets.Settle(message.offset);
    moved_.push_back(partition);
    return;
  }
  Append(partition, message, std::move(decoded));
}

// Headers are the request's metadata. Mostly they are those of the message before.
void Consumer::ReadHeaders(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* list = nullptr;
  Headers headers;
  if (rd_kafka_message_headers(&message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      headers.emplace_back(name, value == nullptr
                                     ? std::string()
                                     : std::string(static_cast<const char*>(value), size));
    }
  }
  if (headers == headers_) {
    return;
  }
  headers_ = std::move(headers);
  request_context_ = nullptr;
  if (!headers_.empty()) {
    auto made = std::make_shared<RequestContext>();
    made->metadata = headers_;
    for (auto& [key, value] : made->metadata) {
      std::ranges::transform(key, key.begin(), absl::ascii_tolower);
    }
    request_context_ = std::move(made);
  }
}

void Consumer::Append(const PartitionPtr& partition, const rd_kafka_message_t& message,
                      Decoded decoded) {
  if (open_partition_ != nullptr &&
      (open_partition_ != partition || open_.context() != request_context_ ||
       open_.bytes() + decoded.payload.size() > kOfferBytes)) {
    OfferOpen();
    if (partition->paused) {
      partition->offsets.Fail(message.offset);  // The door is busy: this one comes again, too.
      return;
    }
  }
  const std::size_t bytes = decoded.payload.allocated_bytes();
  Settled settled{.partition = partition,
                  .offset = message.offset,
                  .bytes = bytes,
                  .items = decoded.items,
                  .raw = {},
                  .settlement = {}};
  if (dead_letters_ != nullptr) {
    // The payload is the message, unless it was converted.
    settled.raw = config_.EncodingOf(partition->signal) == Encoding::kOtlpProto
                      ? decoded.payload
                      : Slice::Copy(PayloadOf(message), &context_.budget);
  }
  Part part{.payload = std::move(decoded.payload),
            .items = decoded.items,
            .token = MessageTracker::Make(config_.wait == Wait::kDelivered
                                              ? DeliveryTracker::Interest::kDelivered
                                              : DeliveryTracker::Interest::kDurable,
                                          inbox_, std::move(settled))};
  ++in_flight_;
  ++partition->messages_in_flight;
  partition->bytes_in_flight += bytes;
  if (open_partition_ == nullptr) {
    open_partition_ = partition;
    open_ = Batch(partition->signal, std::move(part), std::chrono::steady_clock::now(),
                  request_context_);
  } else {
    open_.AppendPart(std::move(part));
  }
  if (!HasRoom(*partition, 1)) {
    OfferOpen();
    if (!partition->paused) {
      partition->waits_for_room = true;
      Pause(*partition, partition->offsets.next());
    }
  }
}

void Consumer::OfferOpen() {
  if (open_partition_ == nullptr) {
    return;
  }
  const PartitionPtr partition = std::exchange(open_partition_, nullptr);
  Batch batch = std::exchange(open_, Batch());
  SignalBooks& books = books_[SignalIndex(partition->signal)];
  const std::uint64_t items = batch.items();
  BatchSink& sink = *context_.sink(partition->signal);
  if (sink.Offer(batch, partition->affinity) == Admission::kAccepted) {
    partition->busy = false;
    books.ledger->In(items);
    books.ledger->Out(items);
    books.metrics->accepted.Add(items);
    return;
  }
  books.ledger->Refused(items);
  books.metrics->refused.Add(items);
  partition->busy = true;
  // Its messages come back through the inbox as failed, and the partition waits.
  batch.Settle(Outcome::kRetry);
  HandleSettled();
}

void Consumer::LeaveOut(Partition& partition, std::int64_t offset, std::string_view message,
                        std::string_view why) {
  context_.logger.Warn("A Kafka message was left out", {{"topic", partition.topic},
                                                        {"partition", partition.id},
                                                        {"offset", offset},
                                                        {"reason", why}});
  if (dead_letters_ != nullptr) {
    if (const absl::Status status = dead_letters_->Append(message); !status.ok()) {
      context_.logger.Error("The dead letter file can't be written",
                            {{"error", status.ToString()}});
    }
  }
  partition.offsets.Settle(offset);
}

}  // namespace weir::receivers::kafka

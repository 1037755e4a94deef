#include "exporters/kafka/exporter.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "weir/base/status.h"

namespace weir::exporters::kafka {
namespace {

using weir::kafka::ClientPtr;
using weir::kafka::ClientSettings;

// More than the messages of num_consumers batches whose traces are a message each.
constexpr std::uint32_t kQueuedMessagesMax = 1'000'000;
constexpr std::uint32_t kRequestTimeoutMsMax = 30'000;
constexpr std::uint64_t kWakeUp = 1;
// An idempotent producer has at most so many messages of a partition under way. Where librdkafka
// is given more, its thread polls without pause until there is room, so the rest waits here.
constexpr std::uint64_t kPartitionMessagesMax = 5;
constexpr int kShutdownPollMs = 10;

const char* CodecName(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return "gzip";
    case Compression::kSnappy:
      return "snappy";
    case Compression::kLz4:
      return "lz4";
    case Compression::kZstd:
      return "zstd";
    case Compression::kNone:
      break;
  }
  return "none";
}

const char* PartitionerName(const RecordPartitioner& partitioner) {
  const bool murmur =
      partitioner.sticky_key.has_value() && partitioner.sticky_key->hasher == Hasher::kMurmur2;
  return murmur ? "murmur2_random" : "fnv1a_random";
}

// The worst answer of a batch's messages is the batch's: what can never succeed as it is goes
// before what has to be cut, and that before what may be tried again.
int Severity(SendResult::Kind kind) {
  switch (kind) {
    case SendResult::Kind::kDelivered:
      return 0;
    case SendResult::Kind::kRetry:
      return 1;
    case SendResult::Kind::kTooLarge:
      return 2;
    case SendResult::Kind::kMalformed:
      return 3;
    case SendResult::Kind::kRefused:
      break;
  }
  return 4;
}

SendResult Failure(SendResult::Kind kind, std::string_view message) {
  SendResult result;
  result.kind = kind;
  result.message = message;
  return result;
}

}  // namespace

SendResult::Kind ResultKindOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return SendResult::Kind::kDelivered;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return SendResult::Kind::kTooLarge;
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return SendResult::Kind::kMalformed;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return SendResult::Kind::kRefused;
    default:
      return SendResult::Kind::kRetry;
  }
}

KafkaExporter::KafkaExporter(Config config, const ExporterContext& context)
    : config_(std::move(config)), context_(context), builder_(config_, context.budget) {}

KafkaExporter::~KafkaExporter() { static_cast<void>(Shutdown(TimePoint::min())); }

absl::StatusOr<ClientPtr> KafkaExporter::MakeClient() {
  ClientSettings settings;
  settings.Apply(config_.client);
  const Producer& producer = config_.producer;
  settings.Set("acks", static_cast<int>(producer.required_acks));
  settings.Set("enable.idempotence",
               producer.idempotent && producer.required_acks == RequiredAcks::kAll);
  settings.Set("message.max.bytes", producer.max_message_bytes);
  settings.Set("batch.size", std::max<std::uint32_t>(producer.max_message_bytes, 1'000'000));
  settings.Set("batch.num.messages",
               producer.flush_max_messages == 0 ? 1'000'000 : producer.flush_max_messages);
  settings.Set("compression.codec", CodecName(producer.compression));
  settings.Set("compression.level", producer.compression_params.level);
  settings.SetMilliseconds("linger.ms", producer.linger);
  settings.Set("queue.buffering.max.kbytes", producer.max_broker_write_bytes / 1024);
  settings.Set("queue.buffering.max.messages", kQueuedMessagesMax);
  const std::int64_t timeout_ms =
      std::chrono::ceil<std::chrono::milliseconds>(config_.settings.timeout).count();
  settings.Set("message.timeout.ms", std::min<std::int64_t>(timeout_ms, 2'147'483'647));
  settings.Set("request.timeout.ms",
               timeout_ms == 0 ? kRequestTimeoutMsMax
                               : std::clamp<std::int64_t>(timeout_ms, 1, kRequestTimeoutMsMax));
  settings.Set("partitioner", PartitionerName(config_.record_partitioner));
  rd_kafka_conf_set_dr_msg_cb(settings.conf(), OnReport);
  if (config_.record_partitioner.round_robin.has_value()) {
    rd_kafka_topic_conf_t* topics = rd_kafka_conf_get_default_topic_conf(settings.conf());
    rd_kafka_topic_conf_set_opaque(topics, &next_partition_);
    rd_kafka_topic_conf_set_partitioner_cb(topics, NextPartition);
  }
  return std::move(settings).Make(RD_KAFKA_PRODUCER, context_.logger, this);
}

std::int32_t KafkaExporter::NextPartition(const rd_kafka_topic_t* topic, const void* /*key*/,
                                          std::size_t /*key_bytes*/, std::int32_t partitions,
                                          void* topic_opaque, void* /*message_opaque*/) {
  auto& next = *static_cast<std::atomic<std::uint32_t>*>(topic_opaque);
  const auto count = static_cast<std::uint32_t>(partitions);
  std::uint32_t choice = 0;
  for (std::uint32_t tries = 0; tries < count; ++tries) {
    choice = next.fetch_add(1, std::memory_order_relaxed) % count;
    if (rd_kafka_topic_partition_available(topic, static_cast<std::int32_t>(choice)) != 0) {
      break;
    }
  }
  return static_cast<std::int32_t>(choice);
}

absl::Status KafkaExporter::Start() {
  WEIR_ASSIGN_OR_RETURN(client_, MakeClient());
  event_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event_fd_ < 0) {
    return FromErrno(errno, "cannot make an event descriptor");
  }
  context_.loop.Post([this] { Watch(); });
  return absl::OkStatus();
}

void KafkaExporter::Watch() {
  queue_.reset(rd_kafka_queue_get_main(client_->get()));
  rd_kafka_queue_io_event_enable(queue_.get(), event_fd_, &kWakeUp, sizeof kWakeUp);
  context_.loop.Watch(event_fd_, EPOLLIN, *this);
  Poll();
}

void KafkaExporter::Unwatch() {
  if (queue_ != nullptr) {
    rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
    queue_.reset();
    context_.loop.Unwatch(event_fd_);
  }
}

absl::Status KafkaExporter::Shutdown(TimePoint deadline) {
  if (event_fd_ >= 0) {
    context_.loop.RunAndWait([this, deadline] { StopOnLoop(deadline); });
    close(std::exchange(event_fd_, -1));
  }
  client_.reset();
  return absl::OkStatus();
}

// The stack has drained the queue before: what is still on its way was abandoned by it.
void KafkaExporter::StopOnLoop(TimePoint deadline) {
  Unwatch();
  while (in_flight_ > 0 && std::chrono::steady_clock::now() < deadline) {
    rd_kafka_poll(client_->get(), kShutdownPollMs);
  }
  Purge();
  FailWaiting("the exporter stops");
  Finish();
  client_.reset();
}

void KafkaExporter::FailWaiting(std::string_view why) {
  for (Delivery* delivery : std::exchange(waiting_, {})) {
    delivery->result = Failure(SendResult::Kind::kRetry, why);
    complete_.push_back(delivery);
  }
}

void KafkaExporter::Purge() {
  if (in_flight_ > 0) {
    rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (in_flight_ > 0) {
      rd_kafka_poll(client_->get(), kShutdownPollMs);
    }
  }
}

void KafkaExporter::OnEvents(std::uint32_t /*events*/) {
  std::uint64_t count = 0;
  if (read(event_fd_, &count, sizeof count) < 0) {
    return;  // Read already, in this turn.
  }
  Poll();
}

void KafkaExporter::Poll() {
  if (client_ == nullptr) {
    return;
  }
  while (rd_kafka_poll(client_->get(), 0) > 0) {
  }
  if (fatal_) {
    ReplaceClient();
  }
  ProduceWaiting();
  Finish();
}

void KafkaExporter::Finish() {
  for (Delivery* complete : std::exchange(complete_, {})) {
    const auto found = deliveries_.find(complete);
    const std::unique_ptr<Delivery> delivery = std::move(found->second);
    deliveries_.erase(found);
    delivery->done(std::move(delivery->result));
  }
}

void KafkaExporter::ReplaceClient() {
  std::array<char, 512> text{};
  rd_kafka_fatal_error(client_->get(), text.data(), text.size());
  context_.logger.Error("The Kafka producer met a fatal error and is replaced",
                        {{"error", text.data()}});
  Purge();
  absl::StatusOr<ClientPtr> client = MakeClient();
  if (!client.ok()) {  // The same settings worked before: out of threads or memory.
    context_.logger.Error("The Kafka producer could not be replaced",
                          {{"error", client.status().ToString()}});
    FailWaiting("the producer met a fatal error");
    return;
  }
  fatal_ = false;
  partitions_.clear();
  Unwatch();
  client_ = *std::move(client);
  Watch();
}

void KafkaExporter::OnReport(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message,
                             void* opaque) {
  auto& self = weir::kafka::Client::OwnerOf<KafkaExporter>(opaque);
  auto& delivery = *static_cast<Delivery*>(message->_private);
  --self.in_flight_;
  if (message->partition != RD_KAFKA_PARTITION_UA) {
    self.partitions_.emplace(message->rkt, message->partition);
  }
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    self.Fail(delivery, message->err);
  }
  if (--delivery.pending == 0) {
    self.complete_.push_back(&delivery);
  }
}

void KafkaExporter::Fail(Delivery& delivery, rd_kafka_resp_err_t error) {
  if (error == RD_KAFKA_RESP_ERR__FATAL) {
    fatal_ = true;
  }
  const SendResult::Kind kind = ResultKindOf(error);
  if (Severity(kind) > Severity(delivery.result.kind)) {
    delivery.result.items_rejected = 0;
    delivery.result.kind = kind;
    delivery.result.message = weir::kafka::ErrorText(error);
  }
}

void KafkaExporter::Send(const Batch& batch, TimePoint deadline, SendDone done) {
  if (client_ == nullptr || context_.loop.Now() > deadline) {
    done(Failure(SendResult::Kind::kRetry, "no time left"));
    return;
  }
  Built built = builder_.Build(batch);
  if (built.malformed) {
    done(Failure(SendResult::Kind::kMalformed, "malformed OTLP"));
    return;
  }
  auto owned = std::make_unique<Delivery>();
  Delivery& delivery = *owned;
  delivery.done = std::move(done);
  delivery.deadline = deadline;
  delivery.messages = std::move(built.messages);
  delivery.headers = builder_.Headers(batch);
  delivery.result.items_rejected = built.items_rejected;
  deliveries_.emplace(&delivery, std::move(owned));
  waiting_.push_back(&delivery);
  ProduceWaiting();
  if (fatal_) {
    Poll();
  } else {
    Finish();
  }
}

std::uint64_t KafkaExporter::MessagesMax() const {
  const Producer& producer = config_.producer;
  const bool idempotent = producer.idempotent && producer.required_acks == RequiredAcks::kAll;
  return idempotent ? kPartitionMessagesMax * std::max<std::size_t>(partitions_.size(), 1)
                    : kQueuedMessagesMax;
}

void KafkaExporter::ProduceWaiting() {
  while (!waiting_.empty() && in_flight_ < MessagesMax() && !fatal_) {
    Delivery& delivery = *waiting_.front();
    waiting_.pop_front();
    if (context_.loop.Now() > delivery.deadline) {
      delivery.result = Failure(SendResult::Kind::kRetry, "no time left");
    } else {
      Produce(delivery);
    }
    if (delivery.pending == 0) {
      complete_.push_back(&delivery);
    }
  }
}

void KafkaExporter::Produce(Delivery& delivery) {
  for (const Message& message : delivery.messages) {
    const rd_kafka_resp_err_t error = ProduceOne(delivery, message);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      Fail(delivery, error);
      return;  // The batch is tried again as a whole: sending more of it only repeats more.
    }
    ++delivery.pending;
    ++in_flight_;
  }
}

rd_kafka_resp_err_t KafkaExporter::ProduceOne(Delivery& delivery, const Message& message) {
  std::array<rd_kafka_vu_t, 5> args{};
  std::size_t count = 0;
  args[count].vtype = RD_KAFKA_VTYPE_TOPIC;
  args[count++].u.cstr = message.topic.c_str();
  // No copy: the delivery keeps the bytes. librdkafka does not write to them.
  args[count].vtype = RD_KAFKA_VTYPE_VALUE;
  args[count].u.mem.ptr = const_cast<char*>(message.value.data());
  args[count++].u.mem.size = message.value.size();
  args[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
  args[count++].u.ptr = &delivery;
  if (!message.key.empty()) {
    args[count].vtype = RD_KAFKA_VTYPE_KEY;
    args[count].u.mem.ptr = const_cast<char*>(message.key.data());
    args[count++].u.mem.size = message.key.size();
  }
  rd_kafka_headers_t* made = nullptr;
  if (!delivery.headers.empty()) {
    made = rd_kafka_headers_new(delivery.headers.size());
    for (const auto& [name, value] : delivery.headers) {
      rd_kafka_header_add(made, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
    args[count].vtype = RD_KAFKA_VTYPE_HEADERS;
    args[count++].u.headers = made;
  }
  const weir::kafka::ErrorPtr error(rd_kafka_produceva(client_->get(), args.data(), count));
  if (error == nullptr) {
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  if (made != nullptr) {
    rd_kafka_headers_destroy(made);
  }
  return rd_kafka_error_code(error.get());
}

}  // namespace weir::exporters::kafka

#include "receivers/kafka/consumer.h"

#include <algorithm>
#include <utility>

#include "weir/base/status.h"

namespace weir::receivers::kafka {
namespace {

using std::chrono::milliseconds;
using weir::kafka::ClientPtr;
using weir::kafka::ClientSettings;
using weir::kafka::PartitionListPtr;

// What librdkafka may fetch ahead, of all partitions together.
constexpr std::size_t kPrefetchKilobytes = 8 * 1024;
// A topic that did not exist at the start is found after this long.
constexpr Duration kMetadataRefreshMax = std::chrono::seconds(5);
constexpr std::uint32_t kFetchBytesUnlimited = 50 * 1024 * 1024;
constexpr std::uint32_t kReceiveBytesMin = 100'000'000;
constexpr std::uint32_t kFramingBytes = 1024 * 1024;
constexpr std::int64_t kPollIntervalMs = 300'000;
// The longest sleep: librdkafka wakes us for messages, the inbox for news we wait for.
constexpr milliseconds kIdleWait{500};
constexpr milliseconds kClosePoll{20};

const char* StrategyName(RebalanceStrategy strategy) {
  switch (strategy) {
    case RebalanceStrategy::kRange:
      return "range";
    case RebalanceStrategy::kRoundRobin:
      return "roundrobin";
    case RebalanceStrategy::kCooperativeSticky:
      break;
  }
  return "cooperative-sticky";
}

std::string Strategies(const Config& config) {
  if (config.group_rebalance_strategies.empty()) {
    return StrategyName(
        config.group_rebalance_strategy.value_or(RebalanceStrategy::kCooperativeSticky));
  }
  std::string names;
  for (const RebalanceStrategy strategy : config.group_rebalance_strategies) {
    names += (names.empty() ? "" : ",") + std::string(StrategyName(strategy));
  }
  return names;
}

std::string Excluded(const Config& config, const ReceiverContext& context) {
  std::string patterns;
  for (const Signal signal : {Signal::kTraces, Signal::kMetrics, Signal::kLogs}) {
    if (context.sink(signal) == nullptr) {
      continue;
    }
    for (const std::string& pattern : config.ExcludedOf(signal)) {
      patterns += (patterns.empty() ? "" : ",") + pattern;
    }
  }
  return patterns;
}

std::vector<std::string> ExtractedHeaders(const Config& config) {
  return config.header_extraction.extract_headers ? config.header_extraction.headers
                                                  : std::vector<std::string>();
}

}  // namespace

Consumer::Consumer(const Config& config, const ReceiverContext& context, const Topics& topics)
    : config_(config),
      context_(context),
      topics_(topics),
      decoder_(config.validation == Validation::kFull ? wire::ScanDepth::kFull
                                                      : wire::ScanDepth::kStructure,
               ExtractedHeaders(config), context.budget) {
  for (const Signal signal : {Signal::kTraces, Signal::kMetrics, Signal::kLogs}) {
    if (context.sink(signal) != nullptr) {
      SignalBooks& books = books_[SignalIndex(signal)];
      books.ledger = context.ledger.Open({.node = context.id.ToString(),
                                          .kind = NodeKind::kReceiver,
                                          .signal = signal,
                                          .pipeline = ""});
      books.metrics = std::make_unique<ReceiverMetrics>(context.metrics, context.id.ToString(),
                                                        "kafka", signal);
    }
  }
}

Consumer::~Consumer() { static_cast<void>(Stop(TimePoint::min())); }

absl::StatusOr<ClientPtr> Consumer::MakeClient() {
  ClientSettings settings;
  settings.Apply(config_.client);
  settings.SetMilliseconds("topic.metadata.refresh.interval.ms",
                           std::min(config_.client.metadata.refresh_interval, kMetadataRefreshMax));
  settings.Set("group.id", config_.group_id);
  if (!config_.group_instance_id.empty()) {
    settings.Set("group.instance.id", config_.group_instance_id);
  }
  settings.Set("auto.offset.reset",
               config_.initial_offset == InitialOffset::kEarliest ? "earliest" : "latest");
  settings.Set("partition.assignment.strategy", Strategies(config_));
  settings.SetMilliseconds("session.timeout.ms", config_.session_timeout);
  settings.SetMilliseconds("heartbeat.interval.ms", config_.heartbeat_interval);
  settings.Set(
      "max.poll.interval.ms",
      std::max<std::int64_t>(kPollIntervalMs,
                             std::chrono::ceil<milliseconds>(config_.session_timeout).count()));
  settings.Set("enable.auto.offset.store", false);
  settings.Set("enable.auto.commit", config_.autocommit.enable);
  settings.SetMilliseconds("auto.commit.interval.ms", config_.autocommit.interval);
  const std::uint32_t fetch =
      config_.max_fetch_size == 0 ? kFetchBytesUnlimited : config_.max_fetch_size;
  settings.Set("fetch.min.bytes", config_.min_fetch_size);
  settings.Set("fetch.max.bytes", fetch);
  settings.Set("fetch.message.max.bytes", config_.max_partition_fetch_size);
  settings.SetMilliseconds("fetch.wait.max.ms", config_.max_fetch_wait);
  settings.Set("receive.message.max.bytes", std::max(fetch + kFramingBytes, kReceiveBytesMin));
  settings.Set("queued.max.messages.kbytes", kPrefetchKilobytes);
  settings.Set("check.crcs", true);
  if (const std::string excluded = Excluded(config_, context_); !excluded.empty()) {
    settings.Set("topic.blacklist", excluded);
  }
  rd_kafka_conf_set_rebalance_cb(settings.conf(), OnRebalance);
  return std::move(settings).Make(RD_KAFKA_CONSUMER, context_.logger, this);
}

absl::Status Consumer::Start() {
  if (config_.dead_letter.has_value()) {
    WEIR_ASSIGN_OR_RETURN(dead_letters_, DeadLetterFile::Open(config_.dead_letter->path));
  }
  WEIR_ASSIGN_OR_RETURN(client_, MakeClient());
  rd_kafka_poll_set_consumer(client_->get());
  const std::vector<std::string>& topics = topics_.subscription();
  const PartitionListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  if (const rd_kafka_resp_err_t error = rd_kafka_subscribe(client_->get(), list.get());
      error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return InvalidArgument("cannot subscribe: {}", weir::kafka::ErrorText(error));
  }
  queue_.reset(rd_kafka_queue_get_consumer(client_->get()));
  inbox_ = std::make_shared<Inbox>(queue_.get());
  charged_bytes_ = kPrefetchKilobytes * 1024;
  context_.budget.Charge(charged_bytes_);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

absl::Status Consumer::Stop(TimePoint deadline) {
  if (thread_.joinable()) {
    stop_deadline_ = deadline;
    stopping_.store(true, std::memory_order_release);
    inbox_->Wake();
    thread_.join();
    inbox_->Detach();
  }
  queue_.reset();
  client_.reset();
  context_.budget.Release(std::exchange(charged_bytes_, 0));
  return std::exchange(abandoned_, false)
             ? DeadlineExceeded("messages are still under way and will be read again")
             : absl::OkStatus();
}

void Consumer::Run() {
  // Acquire: stop_deadline_ was written before.
  while (!stopping_.load(std::memory_order_acquire)) {
    Turn();
  }
  Drain(stop_deadline_);
  Close(stop_deadline_);
}

void Consumer::Turn() {
  HandleSettled();
  ResumeDue();
  // News that frees a paused partition must not wait for the next message; other news may, until
  // the next commit is due anyway.
  const bool quiet = inbox_->Await(paused_ > 0 || (in_flight_ > 0 && !config_.autocommit.enable));
  Read(queue_.get(), quiet ? WaitTime() : milliseconds(0));
  inbox_->Await(false);
}

milliseconds Consumer::WaitTime() const {
  milliseconds wait = kIdleWait;
  if (paused_ == 0) {
    return wait;
  }
  const TimePoint now = std::chrono::steady_clock::now();
  for (const auto& [key, partition] : partitions_) {
    if (partition->paused && !partition->waits_for_room) {
      wait = std::min(wait, std::chrono::ceil<milliseconds>(
                                std::max(partition->resume_at - now, TimePoint::duration(0))));
    }
  }
  return wait;
}

// Nothing more is read; what is under way may still be delivered, and its offsets committed.
void Consumer::Drain(TimePoint deadline) {
  for (const auto& [key, partition] : partitions_) {
    if (!partition->paused) {
      Pause(*partition, partition->offsets.next());
    }
    partition->waits_for_room = true;
    partition->resume_at = TimePoint::max();
  }
  while (true) {
    HandleSettled();
    const TimePoint now = std::chrono::steady_clock::now();
    if (in_flight_ == 0 || now >= deadline) {
      break;
    }
    const auto left = std::chrono::ceil<milliseconds>(deadline - now);
    Read(queue_.get(),
         inbox_->Await(true) ? std::min<milliseconds>(kIdleWait, left) : milliseconds(0));
  }
  abandoned_ = in_flight_ > 0;
}

void Consumer::Close(TimePoint deadline) {
  const TimePoint now = std::chrono::steady_clock::now();
  // Even past the deadline a broker that is there gets a moment to take the offsets.
  const TimePoint last = std::max(deadline, now + milliseconds(200));
  std::vector<const Partition*> all;
  for (const auto& [key, partition] : partitions_) {
    all.push_back(partition.get());
  }
  CommitNow(all, last);
  closing_ = true;
  // A queue of its own, to which the consumer's is forwarded from here on.
  const weir::kafka::QueuePtr farewell(rd_kafka_queue_new(client_->get()));
  const weir::kafka::ErrorPtr error(rd_kafka_consumer_close_queue(client_->get(), farewell.get()));
  if (error != nullptr) {
    context_.logger.Warn("Leaving the Kafka group failed",
                         {{"error", rd_kafka_error_string(error.get())}});
    return;
  }
  while (rd_kafka_consumer_closed(client_->get()) == 0 && std::chrono::steady_clock::now() < last) {
    Read(farewell.get(), kClosePoll);
  }
  HandleSettled();
}

}  // namespace weir::receivers::kafka

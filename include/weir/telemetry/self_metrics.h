// Every metric that weir shows about itself, declared once, and the bundles that count them.
//
// Names and labels are those of the Collector where it has the metric, so that dashboards and
// alerts keep working; what only weir has begins with weir_. docs/metrics.md is made from
// AllSelfMetrics(). A component may declare further MetricSpecs of its own.
//
//   ReceiverMetrics metrics(context.metrics, context.id.ToString(), "grpc", Signal::kTraces);
//   metrics.accepted.Add(items);
//
// Threads: bundles are made at start-up; their instruments are thread-safe.
// Ownership: a bundle borrows instruments from the MetricScope it was made with.

#ifndef WEIR_TELEMETRY_SELF_METRICS_H_
#define WEIR_TELEMETRY_SELF_METRICS_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "weir/telemetry/metrics.h"
#include "weir/wire/signal.h"

namespace weir {

// One metric a signal, in the order of Signal.
using SignalMetricSpecs = std::array<MetricSpec, kSignalCount>;

extern const SignalMetricSpecs kReceiverAccepted;
extern const SignalMetricSpecs kReceiverRefused;
extern const SignalMetricSpecs kReceiverFailed;
extern const SignalMetricSpecs kExporterSent;
extern const SignalMetricSpecs kExporterSendFailed;
extern const SignalMetricSpecs kExporterEnqueueFailed;
extern const SignalMetricSpecs kProcessorAccepted;  // memory_limiter
extern const SignalMetricSpecs kProcessorRefused;   // memory_limiter

extern const MetricSpec kReceiverRequests;
extern const MetricSpec kExporterInFlightRequests;
extern const MetricSpec kExporterQueueSize;
extern const MetricSpec kExporterQueueCapacity;
extern const MetricSpec kExporterQueueBatchSendSize;
extern const MetricSpec kExporterQueueBatchSendSizeBytes;
extern const MetricSpec kProcessorIncomingItems;
extern const MetricSpec kProcessorOutgoingItems;
extern const MetricSpec kBatchSendSize;
extern const MetricSpec kBatchSendSizeBytes;
extern const MetricSpec kBatchSizeTriggerSend;
extern const MetricSpec kBatchTimeoutTriggerSend;
extern const MetricSpec kBatchMetadataCardinality;
extern const MetricSpec kProcessUptime;
extern const MetricSpec kProcessCpuSeconds;
extern const MetricSpec kProcessMemoryRss;
extern const MetricSpec kProcessRuntimeHeapAllocBytes;
extern const MetricSpec kProcessRuntimeTotalSysMemoryBytes;

extern const MetricSpec kQueueOldestAge;
extern const MetricSpec kBudgetBytes;
extern const MetricSpec kBudgetLimitBytes;
extern const MetricSpec kBudgetRefusals;
extern const MetricSpec kBatchItems;
extern const MetricSpec kEdgeLatency;
extern const MetricSpec kDroppedItems;
extern const MetricSpec kLedgerItems;
extern const MetricSpec kLedgerHeldItems;
extern const MetricSpec kUnsettledTokens;
extern const MetricSpec kLogLines;
extern const MetricSpec kLogSuppressed;
extern const MetricSpec kBuildInfo;
extern const MetricSpec kConfigInfo;
extern const MetricSpec kConfigReloads;
extern const MetricSpec kConfigLastReloadSuccessful;
extern const MetricSpec kConfigLastReloadTimestamp;
extern const MetricSpec kProcessOpenFds;
extern const MetricSpec kProcessThreads;

// All of the above, by name.
std::vector<MetricSpec> AllSelfMetrics();

// What a receiver's door counts, for one transport and one signal.
struct ReceiverMetrics {
  ReceiverMetrics(MetricScope& scope, std::string_view receiver, std::string_view transport,
                  Signal signal);

  Counter& accepted;  // Items pushed into the pipeline.
  Counter& refused;   // Items that could not be pushed: the sender may try again.
  Counter& failed;    // Items that the receiver itself could not handle.
};

// What every processor counts; the lane does it.
struct ProcessorMetrics {
  ProcessorMetrics(MetricScope& scope, std::string_view processor, Signal signal);

  Counter& incoming;
  Counter& outgoing;
};

// Of the memory_limiter.
struct MemoryLimiterMetrics {
  MemoryLimiterMetrics(MetricScope& scope, std::string_view processor, Signal signal);

  Counter& accepted;
  Counter& refused;
};

// Of the batch processor, wherever it runs.
struct BatchMetrics {
  BatchMetrics(MetricScope& scope, std::string_view processor);

  Histogram& send_size;
  Histogram& send_size_bytes;
  Counter& size_trigger_send;
  Counter& timeout_trigger_send;
  UpDownCounter& metadata_cardinality;
};

// What an exporter's sender counts.
struct ExporterMetrics {
  ExporterMetrics(MetricScope& scope, std::string_view exporter, Signal signal);

  Counter& sent;
  Counter& send_failed;  // Items given up, not attempts.
  UpDownCounter& in_flight_requests;
  Histogram& batch_items;  // weir_batch_items
};

// What an exporter's queue counts. Sizes are observed at a scrape.
struct QueueMetrics {
  QueueMetrics(MetricScope& scope, std::string_view exporter, Signal signal,
               MetricRegistry::Observe size, MetricRegistry::Observe capacity,
               MetricRegistry::Observe oldest_age_seconds);

  Counter& enqueue_failed;
  Histogram& batch_send_size;
  Histogram& batch_send_size_bytes;
};

// weir_edge_latency_seconds: from the item's arrival in the process to the node, in nanoseconds.
Histogram& EdgeLatency(MetricScope& scope, std::string_view node, std::string_view kind,
                       Signal signal);

}  // namespace weir

#endif  // WEIR_TELEMETRY_SELF_METRICS_H_

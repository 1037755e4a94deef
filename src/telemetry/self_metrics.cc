#include "weir/telemetry/self_metrics.h"

#include <algorithm>
#include <span>

namespace weir {

namespace {

constexpr MetricType kCounterType = MetricType::kCounter;
constexpr MetricType kGaugeType = MetricType::kGauge;
constexpr MetricType kHistogramType = MetricType::kHistogram;

// The Collector's bounds for batch sizes in items, and for bytes.
const HistogramBounds& BatchSizeBounds() {
  static const HistogramBounds kBounds{
      {10,   25,   50,   75,   100,  250,  500,   750,   1000,  2000,  3000,
       4000, 5000, 6000, 7000, 8000, 9000, 10000, 20000, 30000, 50000, 100000},
      1.0};
  return kBounds;
}

const HistogramBounds& BatchBytesBounds() {
  static const HistogramBounds kBounds{
      {10,      25,      50,      75,      100,     250,     500,     750,     1000,   2000,
       3000,    4000,    5000,    6000,    7000,    8000,    9000,    10000,   20000,  30000,
       50000,   100000,  200000,  300000,  400000,  500000,  600000,  700000,  800000, 900000,
       1000000, 2000000, 3000000, 4000000, 5000000, 6000000, 7000000, 8000000, 9000000},
      1.0};
  return kBounds;
}

MetricLabels ExporterQueueLabels(std::string_view exporter, Signal signal) {
  return {{"exporter", std::string(exporter)}, {"data_type", std::string(SignalName(signal))}};
}

}  // namespace

// Units and wording of the Collector's metrics: facts of its documentation; help texts are ours.
const SignalMetricSpecs kReceiverAccepted = {{
    {"otelcol_receiver_accepted_spans", kCounterType, "{spans}", "receiver,transport",
     "Spans pushed into the pipeline."},
    {"otelcol_receiver_accepted_metric_points", kCounterType, "{datapoints}", "receiver,transport",
     "Metric points pushed into the pipeline."},
    {"otelcol_receiver_accepted_log_records", kCounterType, "{records}", "receiver,transport",
     "Log records pushed into the pipeline."},
}};
const SignalMetricSpecs kReceiverRefused = {{
    {"otelcol_receiver_refused_spans", kCounterType, "{spans}", "receiver,transport",
     "Spans that could not be pushed into the pipeline."},
    {"otelcol_receiver_refused_metric_points", kCounterType, "{datapoints}", "receiver,transport",
     "Metric points that could not be pushed into the pipeline."},
    {"otelcol_receiver_refused_log_records", kCounterType, "{records}", "receiver,transport",
     "Log records that could not be pushed into the pipeline."},
}};
const SignalMetricSpecs kReceiverFailed = {{
    {"otelcol_receiver_failed_spans", kCounterType, "{spans}", "receiver,transport",
     "Spans that the receiver itself failed to handle."},
    {"otelcol_receiver_failed_metric_points", kCounterType, "{datapoints}", "receiver,transport",
     "Metric points that the receiver itself failed to handle."},
    {"otelcol_receiver_failed_log_records", kCounterType, "{records}", "receiver,transport",
     "Log records that the receiver itself failed to handle."},
}};
const SignalMetricSpecs kExporterSent = {{
    {"otelcol_exporter_sent_spans", kCounterType, "{spans}", "exporter",
     "Spans sent to the destination."},
    {"otelcol_exporter_sent_metric_points", kCounterType, "{datapoints}", "exporter",
     "Metric points sent to the destination."},
    {"otelcol_exporter_sent_log_records", kCounterType, "{records}", "exporter",
     "Log records sent to the destination."},
}};
const SignalMetricSpecs kExporterSendFailed = {{
    {"otelcol_exporter_send_failed_spans", kCounterType, "{spans}", "exporter",
     "Spans that could not be sent to the destination."},
    {"otelcol_exporter_send_failed_metric_points", kCounterType, "{datapoints}", "exporter",
     "Metric points that could not be sent to the destination."},
    {"otelcol_exporter_send_failed_log_records", kCounterType, "{records}", "exporter",
     "Log records that could not be sent to the destination."},
}};
const SignalMetricSpecs kExporterEnqueueFailed = {{
    {"otelcol_exporter_enqueue_failed_spans", kCounterType, "{spans}", "exporter",
     "Spans that the sending queue did not take."},
    {"otelcol_exporter_enqueue_failed_metric_points", kCounterType, "{datapoints}", "exporter",
     "Metric points that the sending queue did not take."},
    {"otelcol_exporter_enqueue_failed_log_records", kCounterType, "{records}", "exporter",
     "Log records that the sending queue did not take."},
}};
const SignalMetricSpecs kProcessorAccepted = {{
    {"otelcol_processor_accepted_spans", kCounterType, "{spans}", "processor",
     "Spans that the memory limiter let pass."},
    {"otelcol_processor_accepted_metric_points", kCounterType, "{datapoints}", "processor",
     "Metric points that the memory limiter let pass."},
    {"otelcol_processor_accepted_log_records", kCounterType, "{records}", "processor",
     "Log records that the memory limiter let pass."},
}};
const SignalMetricSpecs kProcessorRefused = {{
    {"otelcol_processor_refused_spans", kCounterType, "{spans}", "processor",
     "Spans that the memory limiter refused."},
    {"otelcol_processor_refused_metric_points", kCounterType, "{datapoints}", "processor",
     "Metric points that the memory limiter refused."},
    {"otelcol_processor_refused_log_records", kCounterType, "{records}", "processor",
     "Log records that the memory limiter refused."},
}};

const MetricSpec kReceiverRequests = {"otelcol_receiver_requests", kCounterType, "{requests}",
                                      "receiver,transport,outcome",
                                      "Requests received, by outcome: success, refused, failure."};
const MetricSpec kExporterInFlightRequests = {
    "otelcol_exporter_in_flight_requests", kGaugeType, "{request}", "exporter,data_type",
    "Export requests under way, those that wait for a retry included."};
const MetricSpec kExporterQueueSize = {"otelcol_exporter_queue_size", kGaugeType, "{batches}",
                                       "exporter,data_type",
                                       "Present size of the sending queue, in its sizer's unit."};
const MetricSpec kExporterQueueCapacity = {"otelcol_exporter_queue_capacity", kGaugeType,
                                           "{batches}", "exporter,data_type",
                                           "Capacity of the sending queue, in its sizer's unit."};
const MetricSpec kExporterQueueBatchSendSize = {"otelcol_exporter_queue_batch_send_size",
                                                kHistogramType, "{units}", "exporter,data_type",
                                                "Items in a batch that left the sending queue."};
const MetricSpec kExporterQueueBatchSendSizeBytes = {
    "otelcol_exporter_queue_batch_send_size_bytes", kHistogramType, "By", "exporter,data_type",
    "Bytes in a batch that left the sending queue."};
const MetricSpec kProcessorIncomingItems = {"otelcol_processor_incoming_items", kCounterType,
                                            "{items}", "processor,otel_signal",
                                            "Items passed to the processor."};
const MetricSpec kProcessorOutgoingItems = {"otelcol_processor_outgoing_items", kCounterType,
                                            "{items}", "processor,otel_signal",
                                            "Items emitted from the processor."};
const MetricSpec kBatchSendSize = {"otelcol_processor_batch_batch_send_size", kHistogramType,
                                   "{units}", "processor", "Items in a batch."};
const MetricSpec kBatchSendSizeBytes = {"otelcol_processor_batch_batch_send_size_bytes",
                                        kHistogramType, "By", "processor", "Bytes in a batch."};
const MetricSpec kBatchSizeTriggerSend = {"otelcol_processor_batch_batch_size_trigger_send",
                                          kCounterType, "{times}", "processor",
                                          "Batches sent because they were large enough."};
const MetricSpec kBatchTimeoutTriggerSend = {"otelcol_processor_batch_timeout_trigger_send",
                                             kCounterType, "{times}", "processor",
                                             "Batches sent because their time was up."};
const MetricSpec kBatchMetadataCardinality = {
    "otelcol_processor_batch_metadata_cardinality", kGaugeType, "{combinations}", "processor",
    "Distinct combinations of metadata values that have a batch of their own."};
const MetricSpec kProcessUptime = {"otelcol_process_uptime", kCounterType, "s", "",
                                   "Uptime of the process."};
const MetricSpec kProcessCpuSeconds = {"otelcol_process_cpu_seconds", kCounterType, "s", "",
                                       "CPU time of the process, user and system."};
const MetricSpec kProcessMemoryRss = {"otelcol_process_memory_rss", kGaugeType, "By", "",
                                      "Resident memory of the process."};
const MetricSpec kProcessRuntimeHeapAllocBytes = {"otelcol_process_runtime_heap_alloc_bytes",
                                                  kGaugeType, "By", "",
                                                  "Bytes that the allocator has given out."};
const MetricSpec kProcessRuntimeTotalSysMemoryBytes = {
    "otelcol_process_runtime_total_sys_memory_bytes", kGaugeType, "By", "",
    "Bytes that the allocator has from the operating system."};

const MetricSpec kQueueOldestAge = {"weir_queue_oldest_age_seconds", kGaugeType, "s",
                                    "exporter,data_type",
                                    "Age of the oldest batch in the sending queue."};
const MetricSpec kBudgetBytes = {"weir_budget_bytes", kGaugeType, "By", "owner",
                                 "Bytes of telemetry in flight, by who holds them; owner total is "
                                 "the whole budget's use."};
const MetricSpec kBudgetLimitBytes = {"weir_budget_limit_bytes", kGaugeType, "By", "",
                                      "Bytes of telemetry that may be in flight."};
const MetricSpec kBudgetRefusals = {"weir_budget_refusals_total", kCounterType, "{requests}", "",
                                    "Requests that a door refused for lack of memory."};
const MetricSpec kBatchItems = {"weir_batch_items", kHistogramType, "{items}", "exporter,data_type",
                                "Items in a request to the destination."};
const MetricSpec kEdgeLatency = {"weir_edge_latency_seconds", kHistogramType, "s",
                                 "node,kind,signal",
                                 "Time from an item's arrival in the process to the node."};
const MetricSpec kDroppedItems = {"weir_dropped_items_total", kCounterType, "{items}",
                                  "component,kind,signal,pipeline,reason",
                                  "Items that ended undelivered, by reason."};
const MetricSpec kLedgerItems = {"weir_ledger_items_total", kCounterType, "{items}",
                                 "node,kind,signal,pipeline,flow",
                                 "The books of each node: in + created + recovered = out + "
                                 "consumed + held + dropped."};
const MetricSpec kLedgerHeldItems = {"weir_ledger_held_items", kGaugeType, "{items}",
                                     "node,kind,signal,pipeline", "Items that a node holds now."};
const MetricSpec kUnsettledTokens = {"weir_unsettled_tokens_total", kCounterType, "{batches}", "",
                                     "Batches that a stage forgot; anything but 0 is a defect."};
const MetricSpec kLogLines = {"weir_log_lines_total", kCounterType, "{lines}", "level",
                              "Log lines written, by level."};
const MetricSpec kLogSuppressed = {"weir_log_suppressed_total", kCounterType, "{lines}", "",
                                   "Log lines left out because equal ones came too often."};
const MetricSpec kBuildInfo = {"weir_build_info", kGaugeType, "", "version,revision,compiler",
                               "Always 1; the labels say what was built."};
const MetricSpec kConfigInfo = {
    "weir_config_info", kGaugeType, "", "hash",
    "Always 1; the label is the fingerprint of the running configuration."};
const MetricSpec kConfigReloads = {"weir_config_reloads_total", kCounterType, "{reloads}", "result",
                                   "Reloads by how they ended: success or failure."};
const MetricSpec kConfigLastReloadSuccessful = {
    "weir_config_last_reload_successful", kGaugeType, "", "",
    "Is 0 when the last reload failed and left the old configuration running."};
const MetricSpec kConfigLastReloadTimestamp = {
    "weir_config_last_reload_timestamp_seconds", kGaugeType, "s", "",
    "When the running configuration was taken up, in Unix time."};
const MetricSpec kProcessOpenFds = {"weir_process_open_fds", kGaugeType, "{files}", "",
                                    "Open file descriptors."};
const MetricSpec kProcessThreads = {"weir_process_threads", kGaugeType, "{threads}", "",
                                    "Threads of the process."};

std::vector<MetricSpec> AllSelfMetrics() {
  std::vector<MetricSpec> all;
  for (const SignalMetricSpecs* specs :
       {&kReceiverAccepted, &kReceiverRefused, &kReceiverFailed, &kExporterSent,
        &kExporterSendFailed, &kExporterEnqueueFailed, &kProcessorAccepted, &kProcessorRefused}) {
    all.insert(all.end(), specs->begin(), specs->end());
  }
  for (const MetricSpec* spec : {&kReceiverRequests,
                                 &kExporterInFlightRequests,
                                 &kExporterQueueSize,
                                 &kExporterQueueCapacity,
                                 &kExporterQueueBatchSendSize,
                                 &kExporterQueueBatchSendSizeBytes,
                                 &kProcessorIncomingItems,
                                 &kProcessorOutgoingItems,
                                 &kBatchSendSize,
                                 &kBatchSendSizeBytes,
                                 &kBatchSizeTriggerSend,
                                 &kBatchTimeoutTriggerSend,
                                 &kBatchMetadataCardinality,
                                 &kProcessUptime,
                                 &kProcessCpuSeconds,
                                 &kProcessMemoryRss,
                                 &kProcessRuntimeHeapAllocBytes,
                                 &kProcessRuntimeTotalSysMemoryBytes,
                                 &kQueueOldestAge,
                                 &kBudgetBytes,
                                 &kBudgetLimitBytes,
                                 &kBudgetRefusals,
                                 &kBatchItems,
                                 &kEdgeLatency,
                                 &kDroppedItems,
                                 &kLedgerItems,
                                 &kLedgerHeldItems,
                                 &kUnsettledTokens,
                                 &kLogLines,
                                 &kLogSuppressed,
                                 &kBuildInfo,
                                 &kConfigInfo,
                                 &kConfigReloads,
                                 &kConfigLastReloadSuccessful,
                                 &kConfigLastReloadTimestamp,
                                 &kProcessOpenFds,
                                 &kProcessThreads}) {
    all.push_back(*spec);
  }
  std::ranges::sort(all, {}, &MetricSpec::name);
  return all;
}

ReceiverMetrics::ReceiverMetrics(MetricScope& scope, std::string_view receiver,
                                 std::string_view transport, Signal signal)
    : accepted(scope.GetCounter(
          kReceiverAccepted[SignalIndex(signal)],
          {{"receiver", std::string(receiver)}, {"transport", std::string(transport)}})),
      refused(scope.GetCounter(
          kReceiverRefused[SignalIndex(signal)],
          {{"receiver", std::string(receiver)}, {"transport", std::string(transport)}})),
      failed(scope.GetCounter(
          kReceiverFailed[SignalIndex(signal)],
          {{"receiver", std::string(receiver)}, {"transport", std::string(transport)}})) {}

ProcessorMetrics::ProcessorMetrics(MetricScope& scope, std::string_view processor, Signal signal)
    : incoming(scope.GetCounter(kProcessorIncomingItems,
                                {{"processor", std::string(processor)},
                                 {"otel_signal", std::string(SignalName(signal))}})),
      outgoing(scope.GetCounter(kProcessorOutgoingItems,
                                {{"processor", std::string(processor)},
                                 {"otel_signal", std::string(SignalName(signal))}})) {}

MemoryLimiterMetrics::MemoryLimiterMetrics(MetricScope& scope, std::string_view processor,
                                           Signal signal)
    : accepted(scope.GetCounter(kProcessorAccepted[SignalIndex(signal)],
                                {{"processor", std::string(processor)}})),
      refused(scope.GetCounter(kProcessorRefused[SignalIndex(signal)],
                               {{"processor", std::string(processor)}})) {}

BatchMetrics::BatchMetrics(MetricScope& scope, std::string_view processor)
    : send_size(scope.GetHistogram(kBatchSendSize, {{"processor", std::string(processor)}},
                                   BatchSizeBounds())),
      send_size_bytes(scope.GetHistogram(
          kBatchSendSizeBytes, {{"processor", std::string(processor)}}, BatchBytesBounds())),
      size_trigger_send(
          scope.GetCounter(kBatchSizeTriggerSend, {{"processor", std::string(processor)}})),
      timeout_trigger_send(
          scope.GetCounter(kBatchTimeoutTriggerSend, {{"processor", std::string(processor)}})),
      metadata_cardinality(scope.GetUpDownCounter(kBatchMetadataCardinality,
                                                  {{"processor", std::string(processor)}})) {}

ExporterMetrics::ExporterMetrics(MetricScope& scope, std::string_view exporter, Signal signal)
    : sent(scope.GetCounter(kExporterSent[SignalIndex(signal)],
                            {{"exporter", std::string(exporter)}})),
      send_failed(scope.GetCounter(kExporterSendFailed[SignalIndex(signal)],
                                   {{"exporter", std::string(exporter)}})),
      in_flight_requests(
          scope.GetUpDownCounter(kExporterInFlightRequests, ExporterQueueLabels(exporter, signal))),
      batch_items(scope.GetHistogram(kBatchItems, ExporterQueueLabels(exporter, signal),
                                     BatchSizeBounds())) {}

QueueMetrics::QueueMetrics(MetricScope& scope, std::string_view exporter, Signal signal,
                           MetricRegistry::Observe size, MetricRegistry::Observe capacity,
                           MetricRegistry::Observe oldest_age_seconds)
    : enqueue_failed(scope.GetCounter(kExporterEnqueueFailed[SignalIndex(signal)],
                                      {{"exporter", std::string(exporter)}})),
      batch_send_size(scope.GetHistogram(kExporterQueueBatchSendSize,
                                         ExporterQueueLabels(exporter, signal), BatchSizeBounds())),
      batch_send_size_bytes(scope.GetHistogram(kExporterQueueBatchSendSizeBytes,
                                               ExporterQueueLabels(exporter, signal),
                                               BatchBytesBounds())) {
  const MetricLabels labels = ExporterQueueLabels(exporter, signal);
  scope.Observe(kExporterQueueSize, labels, std::move(size));
  scope.Observe(kExporterQueueCapacity, labels, std::move(capacity));
  scope.Observe(kQueueOldestAge, labels, std::move(oldest_age_seconds));
}

Histogram& EdgeLatency(MetricScope& scope, std::string_view node, std::string_view kind,
                       Signal signal) {
  return scope.GetHistogram(kEdgeLatency,
                            {{"node", std::string(node)},
                             {"kind", std::string(kind)},
                             {"signal", std::string(SignalName(signal))}},
                            LatencyBounds());
}

}  // namespace weir

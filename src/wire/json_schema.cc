// The rows are the published OTLP schema (opentelemetry-proto), message by message.

#include "wire/json_schema.h"

#include "weir/base/check.h"

namespace weir::wire::json {
namespace {

constexpr EnumName kStatusCodeNames[] = {
    {"STATUS_CODE_UNSET", 0},
    {"STATUS_CODE_OK", 1},
    {"STATUS_CODE_ERROR", 2},
};

constexpr EnumName kSpanKindNames[] = {
    {"SPAN_KIND_UNSPECIFIED", 0}, {"SPAN_KIND_INTERNAL", 1}, {"SPAN_KIND_SERVER", 2},
    {"SPAN_KIND_CLIENT", 3},      {"SPAN_KIND_PRODUCER", 4}, {"SPAN_KIND_CONSUMER", 5},
};

constexpr EnumName kAggregationTemporalityNames[] = {
    {"AGGREGATION_TEMPORALITY_UNSPECIFIED", 0},
    {"AGGREGATION_TEMPORALITY_DELTA", 1},
    {"AGGREGATION_TEMPORALITY_CUMULATIVE", 2},
};

constexpr EnumName kSeverityNumberNames[] = {
    {"SEVERITY_NUMBER_UNSPECIFIED", 0}, {"SEVERITY_NUMBER_TRACE", 1},
    {"SEVERITY_NUMBER_TRACE2", 2},      {"SEVERITY_NUMBER_TRACE3", 3},
    {"SEVERITY_NUMBER_TRACE4", 4},      {"SEVERITY_NUMBER_DEBUG", 5},
    {"SEVERITY_NUMBER_DEBUG2", 6},      {"SEVERITY_NUMBER_DEBUG3", 7},
    {"SEVERITY_NUMBER_DEBUG4", 8},      {"SEVERITY_NUMBER_INFO", 9},
    {"SEVERITY_NUMBER_INFO2", 10},      {"SEVERITY_NUMBER_INFO3", 11},
    {"SEVERITY_NUMBER_INFO4", 12},      {"SEVERITY_NUMBER_WARN", 13},
    {"SEVERITY_NUMBER_WARN2", 14},      {"SEVERITY_NUMBER_WARN3", 15},
    {"SEVERITY_NUMBER_WARN4", 16},      {"SEVERITY_NUMBER_ERROR", 17},
    {"SEVERITY_NUMBER_ERROR2", 18},     {"SEVERITY_NUMBER_ERROR3", 19},
    {"SEVERITY_NUMBER_ERROR4", 20},     {"SEVERITY_NUMBER_FATAL", 21},
    {"SEVERITY_NUMBER_FATAL2", 22},     {"SEVERITY_NUMBER_FATAL3", 23},
    {"SEVERITY_NUMBER_FATAL4", 24},
};

// A message and the fields it finds by number.
constexpr Message Make(std::string_view name, std::uint8_t length_width, bool is_item,
                       std::span<const Field> fields) {
  Message message{name, length_width, is_item, fields, {}};
  message.index_by_number.fill(-1);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    message.index_by_number[fields[i].number] = static_cast<std::int8_t>(i);
  }
  return message;
}

constexpr bool kItem = true;
constexpr bool kPlain = false;

extern const Message kEntityRef;
extern const Message kAnyValue;
extern const Message kArrayValue;
extern const Message kKeyValueList;
extern const Message kKeyValue;
extern const Message kInstrumentationScope;
extern const Message kResource;
extern const Message kSpanEvent;
extern const Message kSpanLink;
extern const Message kStatus;
extern const Message kSpan;
extern const Message kScopeSpans;
extern const Message kResourceSpans;
extern const Message kExportTraceServiceRequest;
extern const Message kLogRecord;
extern const Message kScopeLogs;
extern const Message kResourceLogs;
extern const Message kExportLogsServiceRequest;
extern const Message kExemplar;
extern const Message kNumberDataPoint;
extern const Message kHistogramDataPoint;
extern const Message kBuckets;
extern const Message kExponentialHistogramDataPoint;
extern const Message kValueAtQuantile;
extern const Message kSummaryDataPoint;
extern const Message kGauge;
extern const Message kSum;
extern const Message kHistogram;
extern const Message kExponentialHistogram;
extern const Message kSummary;
extern const Message kMetric;
extern const Message kScopeMetrics;
extern const Message kResourceMetrics;
extern const Message kExportMetricsServiceRequest;

constexpr Field kEntityRefFields[] = {
    {R"("schemaUrl":)", "schema_url", 1, Kind::kString},
    {R"("type":)", "type", 2, Kind::kString},
    {R"("idKeys":)", "id_keys", 3, Kind::kString, Cardinality::kRepeated},
    {R"("descriptionKeys":)", "description_keys", 4, Kind::kString, Cardinality::kRepeated},
};
constexpr Message kEntityRef = Make("EntityRef", 1, kPlain, kEntityRefFields);

constexpr Field kAnyValueFields[] = {
    {R"("stringValue":)", "string_value", 1, Kind::kString, Cardinality::kOneof},
    {R"("boolValue":)", "bool_value", 2, Kind::kBool, Cardinality::kOneof},
    {R"("intValue":)", "int_value", 3, Kind::kInt64, Cardinality::kOneof},
    {R"("doubleValue":)", "double_value", 4, Kind::kDouble, Cardinality::kOneof},
    {R"("arrayValue":)", "array_value", 5, Kind::kMessage, Cardinality::kOneof, &kArrayValue},
    {R"("kvlistValue":)", "kvlist_value", 6, Kind::kMessage, Cardinality::kOneof, &kKeyValueList},
    {R"("bytesValue":)", "bytes_value", 7, Kind::kBase64Bytes, Cardinality::kOneof},
    {R"("stringValueStrindex":)", "string_value_strindex", 8, Kind::kInt32, Cardinality::kOneof},
};
constexpr Message kAnyValue = Make("AnyValue", 1, kPlain, kAnyValueFields);

constexpr Field kArrayValueFields[] = {
    {R"("values":)", "values", 1, Kind::kMessage, Cardinality::kRepeated, &kAnyValue},
};
constexpr Message kArrayValue = Make("ArrayValue", 1, kPlain, kArrayValueFields);

constexpr Field kKeyValueListFields[] = {
    {R"("values":)", "values", 1, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
};
constexpr Message kKeyValueList = Make("KeyValueList", 1, kPlain, kKeyValueListFields);

constexpr Field kKeyValueFields[] = {
    {R"("key":)", "key", 1, Kind::kString},
    {R"("value":)", "value", 2, Kind::kMessage, Cardinality::kSingular, &kAnyValue},
    {R"("keyStrindex":)", "key_strindex", 3, Kind::kInt32},
};
constexpr Message kKeyValue = Make("KeyValue", 1, kPlain, kKeyValueFields);

constexpr Field kInstrumentationScopeFields[] = {
    {R"("name":)", "name", 1, Kind::kString},
    {R"("version":)", "version", 2, Kind::kString},
    {R"("attributes":)", "attributes", 3, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("droppedAttributesCount":)", "dropped_attributes_count", 4, Kind::kUint32},
};
constexpr Message kInstrumentationScope =
    Make("InstrumentationScope", 1, kPlain, kInstrumentationScopeFields);

constexpr Field kResourceFields[] = {
    {R"("attributes":)", "attributes", 1, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("droppedAttributesCount":)", "dropped_attributes_count", 2, Kind::kUint32},
    {R"("entityRefs":)", "entity_refs", 3, Kind::kMessage, Cardinality::kRepeated, &kEntityRef},
};
constexpr Message kResource = Make("Resource", 2, kPlain, kResourceFields);

constexpr Field kSpanEventFields[] = {
    {R"("timeUnixNano":)", "time_unix_nano", 1, Kind::kFixed64},
    {R"("name":)", "name", 2, Kind::kString},
    {R"("attributes":)", "attributes", 3, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("droppedAttributesCount":)", "dropped_attributes_count", 4, Kind::kUint32},
};
constexpr Message kSpanEvent = Make("SpanEvent", 1, kPlain, kSpanEventFields);

constexpr Field kSpanLinkFields[] = {
    {R"("traceId":)", "trace_id", 1, Kind::kHexBytes},
    {R"("spanId":)", "span_id", 2, Kind::kHexBytes},
    {R"("traceState":)", "trace_state", 3, Kind::kString},
    {R"("attributes":)", "attributes", 4, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("droppedAttributesCount":)", "dropped_attributes_count", 5, Kind::kUint32},
    {R"("flags":)", "flags", 6, Kind::kFixed32},
};
constexpr Message kSpanLink = Make("SpanLink", 1, kPlain, kSpanLinkFields);

constexpr Field kStatusFields[] = {
    {R"("message":)", "message", 2, Kind::kString},
    {R"("code":)", "code", 3, Kind::kEnum, Cardinality::kSingular, nullptr, kStatusCodeNames},
};
constexpr Message kStatus = Make("Status", 1, kPlain, kStatusFields);

constexpr Field kSpanFields[] = {
    {R"("traceId":)", "trace_id", 1, Kind::kHexBytes},
    {R"("spanId":)", "span_id", 2, Kind::kHexBytes},
    {R"("traceState":)", "trace_state", 3, Kind::kString},
    {R"("parentSpanId":)", "parent_span_id", 4, Kind::kHexBytes},
    {R"("flags":)", "flags", 16, Kind::kFixed32},
    {R"("name":)", "name", 5, Kind::kString},
    {R"("kind":)", "kind", 6, Kind::kEnum, Cardinality::kSingular, nullptr, kSpanKindNames},
    {R"("startTimeUnixNano":)", "start_time_unix_nano", 7, Kind::kFixed64},
    {R"("endTimeUnixNano":)", "end_time_unix_nano", 8, Kind::kFixed64},
    {R"("attributes":)", "attributes", 9, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("droppedAttributesCount":)", "dropped_attributes_count", 10, Kind::kUint32},
    {R"("events":)", "events", 11, Kind::kMessage, Cardinality::kRepeated, &kSpanEvent},
    {R"("droppedEventsCount":)", "dropped_events_count", 12, Kind::kUint32},
    {R"("links":)", "links", 13, Kind::kMessage, Cardinality::kRepeated, &kSpanLink},
    {R"("droppedLinksCount":)", "dropped_links_count", 14, Kind::kUint32},
    {R"("status":)", "status", 15, Kind::kMessage, Cardinality::kSingular, &kStatus},
};
constexpr Message kSpan = Make("Span", 2, kItem, kSpanFields);

constexpr Field kScopeSpansFields[] = {
    {R"("scope":)", "scope", 1, Kind::kMessage, Cardinality::kSingular, &kInstrumentationScope},
    {R"("spans":)", "spans", 2, Kind::kMessage, Cardinality::kRepeated, &kSpan},
    {R"("schemaUrl":)", "schema_url", 3, Kind::kString},
};
constexpr Message kScopeSpans = Make("ScopeSpans", 3, kPlain, kScopeSpansFields);

constexpr Field kResourceSpansFields[] = {
    {R"("resource":)", "resource", 1, Kind::kMessage, Cardinality::kSingular, &kResource},
    {R"("scopeSpans":)", "scope_spans", 2, Kind::kMessage, Cardinality::kRepeated, &kScopeSpans},
    {R"("schemaUrl":)", "schema_url", 3, Kind::kString},
};
constexpr Message kResourceSpans = Make("ResourceSpans", 3, kPlain, kResourceSpansFields);

constexpr Field kExportTraceServiceRequestFields[] = {
    {R"("resourceSpans":)", "resource_spans", 1, Kind::kMessage, Cardinality::kRepeated,
     &kResourceSpans},
};
constexpr Message kExportTraceServiceRequest =
    Make("ExportTraceServiceRequest", 3, kPlain, kExportTraceServiceRequestFields);

constexpr Field kLogRecordFields[] = {
    {R"("timeUnixNano":)", "time_unix_nano", 1, Kind::kFixed64},
    {R"("observedTimeUnixNano":)", "observed_time_unix_nano", 11, Kind::kFixed64},
    {R"("severityNumber":)", "severity_number", 2, Kind::kEnum, Cardinality::kSingular, nullptr,
     kSeverityNumberNames},
    {R"("severityText":)", "severity_text", 3, Kind::kString},
    {R"("body":)", "body", 5, Kind::kMessage, Cardinality::kSingular, &kAnyValue},
    {R"("attributes":)", "attributes", 6, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("droppedAttributesCount":)", "dropped_attributes_count", 7, Kind::kUint32},
    {R"("flags":)", "flags", 8, Kind::kFixed32},
    {R"("traceId":)", "trace_id", 9, Kind::kHexBytes},
    {R"("spanId":)", "span_id", 10, Kind::kHexBytes},
    {R"("eventName":)", "event_name", 12, Kind::kString},
};
constexpr Message kLogRecord = Make("LogRecord", 2, kItem, kLogRecordFields);

constexpr Field kScopeLogsFields[] = {
    {R"("scope":)", "scope", 1, Kind::kMessage, Cardinality::kSingular, &kInstrumentationScope},
    {R"("logRecords":)", "log_records", 2, Kind::kMessage, Cardinality::kRepeated, &kLogRecord},
    {R"("schemaUrl":)", "schema_url", 3, Kind::kString},
};
constexpr Message kScopeLogs = Make("ScopeLogs", 3, kPlain, kScopeLogsFields);

constexpr Field kResourceLogsFields[] = {
    {R"("resource":)", "resource", 1, Kind::kMessage, Cardinality::kSingular, &kResource},
    {R"("scopeLogs":)", "scope_logs", 2, Kind::kMessage, Cardinality::kRepeated, &kScopeLogs},
    {R"("schemaUrl":)", "schema_url", 3, Kind::kString},
};
constexpr Message kResourceLogs = Make("ResourceLogs", 3, kPlain, kResourceLogsFields);

constexpr Field kExportLogsServiceRequestFields[] = {
    {R"("resourceLogs":)", "resource_logs", 1, Kind::kMessage, Cardinality::kRepeated,
     &kResourceLogs},
};
constexpr Message kExportLogsServiceRequest =
    Make("ExportLogsServiceRequest", 3, kPlain, kExportLogsServiceRequestFields);

constexpr Field kExemplarFields[] = {
    {R"("filteredAttributes":)", "filtered_attributes", 7, Kind::kMessage, Cardinality::kRepeated,
     &kKeyValue},
    {R"("timeUnixNano":)", "time_unix_nano", 2, Kind::kFixed64},
    {R"("asDouble":)", "as_double", 3, Kind::kDouble, Cardinality::kOneof},
    {R"("asInt":)", "as_int", 6, Kind::kSfixed64, Cardinality::kOneof},
    {R"("spanId":)", "span_id", 4, Kind::kHexBytes},
    {R"("traceId":)", "trace_id", 5, Kind::kHexBytes},
};
constexpr Message kExemplar = Make("Exemplar", 1, kPlain, kExemplarFields);

constexpr Field kNumberDataPointFields[] = {
    {R"("attributes":)", "attributes", 7, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("startTimeUnixNano":)", "start_time_unix_nano", 2, Kind::kFixed64},
    {R"("timeUnixNano":)", "time_unix_nano", 3, Kind::kFixed64},
    {R"("asDouble":)", "as_double", 4, Kind::kDouble, Cardinality::kOneof},
    {R"("asInt":)", "as_int", 6, Kind::kSfixed64, Cardinality::kOneof},
    {R"("exemplars":)", "exemplars", 5, Kind::kMessage, Cardinality::kRepeated, &kExemplar},
    {R"("flags":)", "flags", 8, Kind::kUint32},
};
constexpr Message kNumberDataPoint = Make("NumberDataPoint", 1, kItem, kNumberDataPointFields);

constexpr Field kHistogramDataPointFields[] = {
    {R"("attributes":)", "attributes", 9, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("startTimeUnixNano":)", "start_time_unix_nano", 2, Kind::kFixed64},
    {R"("timeUnixNano":)", "time_unix_nano", 3, Kind::kFixed64},
    {R"("count":)", "count", 4, Kind::kFixed64},
    {R"("sum":)", "sum", 5, Kind::kDouble, Cardinality::kOptional},
    {R"("bucketCounts":)", "bucket_counts", 6, Kind::kFixed64, Cardinality::kRepeated},
    {R"("explicitBounds":)", "explicit_bounds", 7, Kind::kDouble, Cardinality::kRepeated},
    {R"("exemplars":)", "exemplars", 8, Kind::kMessage, Cardinality::kRepeated, &kExemplar},
    {R"("flags":)", "flags", 10, Kind::kUint32},
    {R"("min":)", "min", 11, Kind::kDouble, Cardinality::kOptional},
    {R"("max":)", "max", 12, Kind::kDouble, Cardinality::kOptional},
};
constexpr Message kHistogramDataPoint =
    Make("HistogramDataPoint", 2, kItem, kHistogramDataPointFields);

constexpr Field kBucketsFields[] = {
    {R"("offset":)", "offset", 1, Kind::kSint32},
    {R"("bucketCounts":)", "bucket_counts", 2, Kind::kUint64, Cardinality::kRepeated},
};
constexpr Message kBuckets = Make("Buckets", 1, kPlain, kBucketsFields);

constexpr Field kExponentialHistogramDataPointFields[] = {
    {R"("attributes":)", "attributes", 1, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("startTimeUnixNano":)", "start_time_unix_nano", 2, Kind::kFixed64},
    {R"("timeUnixNano":)", "time_unix_nano", 3, Kind::kFixed64},
    {R"("count":)", "count", 4, Kind::kFixed64},
    {R"("sum":)", "sum", 5, Kind::kDouble, Cardinality::kOptional},
    {R"("scale":)", "scale", 6, Kind::kSint32},
    {R"("zeroCount":)", "zero_count", 7, Kind::kFixed64},
    {R"("positive":)", "positive", 8, Kind::kMessage, Cardinality::kSingular, &kBuckets},
    {R"("negative":)", "negative", 9, Kind::kMessage, Cardinality::kSingular, &kBuckets},
    {R"("flags":)", "flags", 10, Kind::kUint32},
    {R"("exemplars":)", "exemplars", 11, Kind::kMessage, Cardinality::kRepeated, &kExemplar},
    {R"("min":)", "min", 12, Kind::kDouble, Cardinality::kOptional},
    {R"("max":)", "max", 13, Kind::kDouble, Cardinality::kOptional},
    {R"("zeroThreshold":)", "zero_threshold", 14, Kind::kDouble},
};
constexpr Message kExponentialHistogramDataPoint =
    Make("ExponentialHistogramDataPoint", 2, kItem, kExponentialHistogramDataPointFields);

constexpr Field kValueAtQuantileFields[] = {
    {R"("quantile":)", "quantile", 1, Kind::kDouble},
    {R"("value":)", "value", 2, Kind::kDouble},
};
constexpr Message kValueAtQuantile = Make("ValueAtQuantile", 1, kPlain, kValueAtQuantileFields);

constexpr Field kSummaryDataPointFields[] = {
    {R"("attributes":)", "attributes", 7, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
    {R"("startTimeUnixNano":)", "start_time_unix_nano", 2, Kind::kFixed64},
    {R"("timeUnixNano":)", "time_unix_nano", 3, Kind::kFixed64},
    {R"("count":)", "count", 4, Kind::kFixed64},
    {R"("sum":)", "sum", 5, Kind::kDouble},
    {R"("quantileValues":)", "quantile_values", 6, Kind::kMessage, Cardinality::kRepeated,
     &kValueAtQuantile},
    {R"("flags":)", "flags", 8, Kind::kUint32},
};
constexpr Message kSummaryDataPoint = Make("SummaryDataPoint", 2, kItem, kSummaryDataPointFields);

constexpr Field kGaugeFields[] = {
    {R"("dataPoints":)", "data_points", 1, Kind::kMessage, Cardinality::kRepeated,
     &kNumberDataPoint},
};
constexpr Message kGauge = Make("Gauge", 2, kPlain, kGaugeFields);

constexpr Field kSumFields[] = {
    {R"("dataPoints":)", "data_points", 1, Kind::kMessage, Cardinality::kRepeated,
     &kNumberDataPoint},
    {R"("aggregationTemporality":)", "aggregation_temporality", 2, Kind::kEnum,
     Cardinality::kSingular, nullptr, kAggregationTemporalityNames},
    {R"("isMonotonic":)", "is_monotonic", 3, Kind::kBool},
};
constexpr Message kSum = Make("Sum", 2, kPlain, kSumFields);

constexpr Field kHistogramFields[] = {
    {R"("dataPoints":)", "data_points", 1, Kind::kMessage, Cardinality::kRepeated,
     &kHistogramDataPoint},
    {R"("aggregationTemporality":)", "aggregation_temporality", 2, Kind::kEnum,
     Cardinality::kSingular, nullptr, kAggregationTemporalityNames},
};
constexpr Message kHistogram = Make("Histogram", 2, kPlain, kHistogramFields);

constexpr Field kExponentialHistogramFields[] = {
    {R"("dataPoints":)", "data_points", 1, Kind::kMessage, Cardinality::kRepeated,
     &kExponentialHistogramDataPoint},
    {R"("aggregationTemporality":)", "aggregation_temporality", 2, Kind::kEnum,
     Cardinality::kSingular, nullptr, kAggregationTemporalityNames},
};
constexpr Message kExponentialHistogram =
    Make("ExponentialHistogram", 2, kPlain, kExponentialHistogramFields);

constexpr Field kSummaryFields[] = {
    {R"("dataPoints":)", "data_points", 1, Kind::kMessage, Cardinality::kRepeated,
     &kSummaryDataPoint},
};
constexpr Message kSummary = Make("Summary", 2, kPlain, kSummaryFields);

constexpr Field kMetricFields[] = {
    {R"("name":)", "name", 1, Kind::kString},
    {R"("description":)", "description", 2, Kind::kString},
    {R"("unit":)", "unit", 3, Kind::kString},
    {R"("gauge":)", "gauge", 5, Kind::kMessage, Cardinality::kOneof, &kGauge},
    {R"("sum":)", "sum", 7, Kind::kMessage, Cardinality::kOneof, &kSum},
    {R"("histogram":)", "histogram", 9, Kind::kMessage, Cardinality::kOneof, &kHistogram},
    {R"("exponentialHistogram":)", "exponential_histogram", 10, Kind::kMessage, Cardinality::kOneof,
     &kExponentialHistogram},
    {R"("summary":)", "summary", 11, Kind::kMessage, Cardinality::kOneof, &kSummary},
    {R"("metadata":)", "metadata", 12, Kind::kMessage, Cardinality::kRepeated, &kKeyValue},
};
constexpr Message kMetric = Make("Metric", 2, kItem, kMetricFields);

constexpr Field kScopeMetricsFields[] = {
    {R"("scope":)", "scope", 1, Kind::kMessage, Cardinality::kSingular, &kInstrumentationScope},
    {R"("metrics":)", "metrics", 2, Kind::kMessage, Cardinality::kRepeated, &kMetric},
    {R"("schemaUrl":)", "schema_url", 3, Kind::kString},
};
constexpr Message kScopeMetrics = Make("ScopeMetrics", 3, kPlain, kScopeMetricsFields);

constexpr Field kResourceMetricsFields[] = {
    {R"("resource":)", "resource", 1, Kind::kMessage, Cardinality::kSingular, &kResource},
    {R"("scopeMetrics":)", "scope_metrics", 2, Kind::kMessage, Cardinality::kRepeated,
     &kScopeMetrics},
    {R"("schemaUrl":)", "schema_url", 3, Kind::kString},
};
constexpr Message kResourceMetrics = Make("ResourceMetrics", 3, kPlain, kResourceMetricsFields);

constexpr Field kExportMetricsServiceRequestFields[] = {
    {R"("resourceMetrics":)", "resource_metrics", 1, Kind::kMessage, Cardinality::kRepeated,
     &kResourceMetrics},
};
constexpr Message kExportMetricsServiceRequest =
    Make("ExportMetricsServiceRequest", 3, kPlain, kExportMetricsServiceRequestFields);

constexpr const Message* kMessages[] = {
    &kEntityRef,
    &kAnyValue,
    &kArrayValue,
    &kKeyValueList,
    &kKeyValue,
    &kInstrumentationScope,
    &kResource,
    &kSpanEvent,
    &kSpanLink,
    &kStatus,
    &kSpan,
    &kScopeSpans,
    &kResourceSpans,
    &kExportTraceServiceRequest,
    &kLogRecord,
    &kScopeLogs,
    &kResourceLogs,
    &kExportLogsServiceRequest,
    &kExemplar,
    &kNumberDataPoint,
    &kHistogramDataPoint,
    &kBuckets,
    &kExponentialHistogramDataPoint,
    &kValueAtQuantile,
    &kSummaryDataPoint,
    &kGauge,
    &kSum,
    &kHistogram,
    &kExponentialHistogram,
    &kSummary,
    &kMetric,
    &kScopeMetrics,
    &kResourceMetrics,
    &kExportMetricsServiceRequest,
};

}  // namespace

const Message& RequestMessage(Signal signal) {
  switch (signal) {
    case Signal::kTraces:
      return kExportTraceServiceRequest;
    case Signal::kMetrics:
      return kExportMetricsServiceRequest;
    case Signal::kLogs:
      return kExportLogsServiceRequest;
  }
  WEIR_CHECK(false);
  return kExportTraceServiceRequest;
}

const Message& AnyValueMessage() { return kAnyValue; }
const Message& MetricMessage() { return kMetric; }

std::span<const Message* const> AllMessages() { return kMessages; }

}  // namespace weir::wire::json

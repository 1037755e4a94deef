// Field numbers of OTLP's messages, as the specification assigns them. The three signals share the
// outer levels: request > resource > scope > item, where an item of metrics is a metric that holds
// data points one level further down.

#ifndef WEIR_WIRE_OTLP_H_
#define WEIR_WIRE_OTLP_H_

#include <cstdint>

#include "weir/wire/signal.h"

namespace weir::wire::otlp {

using FieldNumber = std::uint32_t;

// Export{Trace,Metrics,Logs}ServiceRequest, Resource{Spans,Metrics,Logs},
// Scope{Spans,Metrics,Logs}.
inline constexpr FieldNumber kRequestResources = 1;
inline constexpr FieldNumber kResourceResource = 1;
inline constexpr FieldNumber kResourceScopes = 2;
inline constexpr FieldNumber kResourceSchemaUrl = 3;
inline constexpr FieldNumber kScopeScope = 1;
inline constexpr FieldNumber kScopeItems = 2;
inline constexpr FieldNumber kScopeSchemaUrl = 3;

// Resource.
inline constexpr FieldNumber kResourceAttributes = 1;
inline constexpr FieldNumber kResourceDroppedAttributes = 2;

// InstrumentationScope.
inline constexpr FieldNumber kScopeName = 1;
inline constexpr FieldNumber kScopeVersion = 2;
inline constexpr FieldNumber kScopeAttributes = 3;
inline constexpr FieldNumber kScopeDroppedAttributes = 4;

// KeyValue, AnyValue, ArrayValue, KeyValueList.
inline constexpr FieldNumber kKeyValueKey = 1;
inline constexpr FieldNumber kKeyValueValue = 2;
inline constexpr FieldNumber kAnyString = 1;
inline constexpr FieldNumber kAnyBool = 2;
inline constexpr FieldNumber kAnyInt = 3;
inline constexpr FieldNumber kAnyDouble = 4;
inline constexpr FieldNumber kAnyArray = 5;
inline constexpr FieldNumber kAnyKvlist = 6;
inline constexpr FieldNumber kAnyBytes = 7;
inline constexpr FieldNumber kArrayValues = 1;
inline constexpr FieldNumber kKvlistValues = 1;

// Span, Span.Event, Span.Link, Status.
inline constexpr FieldNumber kSpanTraceId = 1;
inline constexpr FieldNumber kSpanSpanId = 2;
inline constexpr FieldNumber kSpanTraceState = 3;
inline constexpr FieldNumber kSpanParentSpanId = 4;
inline constexpr FieldNumber kSpanName = 5;
inline constexpr FieldNumber kSpanKind = 6;
inline constexpr FieldNumber kSpanStartTime = 7;
inline constexpr FieldNumber kSpanEndTime = 8;
inline constexpr FieldNumber kSpanAttributes = 9;
inline constexpr FieldNumber kSpanDroppedAttributes = 10;
inline constexpr FieldNumber kSpanEvents = 11;
inline constexpr FieldNumber kSpanDroppedEvents = 12;
inline constexpr FieldNumber kSpanLinks = 13;
inline constexpr FieldNumber kSpanDroppedLinks = 14;
inline constexpr FieldNumber kSpanStatus = 15;
inline constexpr FieldNumber kSpanFlags = 16;
inline constexpr FieldNumber kEventTime = 1;
inline constexpr FieldNumber kEventName = 2;
inline constexpr FieldNumber kEventAttributes = 3;
inline constexpr FieldNumber kEventDroppedAttributes = 4;
inline constexpr FieldNumber kLinkTraceId = 1;
inline constexpr FieldNumber kLinkSpanId = 2;
inline constexpr FieldNumber kLinkTraceState = 3;
inline constexpr FieldNumber kLinkAttributes = 4;
inline constexpr FieldNumber kLinkDroppedAttributes = 5;
inline constexpr FieldNumber kLinkFlags = 6;
inline constexpr FieldNumber kStatusMessage = 2;
inline constexpr FieldNumber kStatusCode = 3;

// LogRecord.
inline constexpr FieldNumber kLogTime = 1;
inline constexpr FieldNumber kLogSeverityNumber = 2;
inline constexpr FieldNumber kLogSeverityText = 3;
inline constexpr FieldNumber kLogBody = 5;
inline constexpr FieldNumber kLogAttributes = 6;
inline constexpr FieldNumber kLogDroppedAttributes = 7;
inline constexpr FieldNumber kLogFlags = 8;
inline constexpr FieldNumber kLogTraceId = 9;
inline constexpr FieldNumber kLogSpanId = 10;
inline constexpr FieldNumber kLogObservedTime = 11;
inline constexpr FieldNumber kLogEventName = 12;

// Metric and the five kinds of data it may hold (a oneof).
inline constexpr FieldNumber kMetricName = 1;
inline constexpr FieldNumber kMetricDescription = 2;
inline constexpr FieldNumber kMetricUnit = 3;
inline constexpr FieldNumber kMetricGauge = 5;
inline constexpr FieldNumber kMetricSum = 7;
inline constexpr FieldNumber kMetricHistogram = 9;
inline constexpr FieldNumber kMetricExponentialHistogram = 10;
inline constexpr FieldNumber kMetricSummary = 11;
inline constexpr FieldNumber kMetricMetadata = 12;
inline constexpr FieldNumber kDataPoints = 1;  // Of each of the five.
inline constexpr FieldNumber kDataTemporality = 2;
inline constexpr FieldNumber kSumIsMonotonic = 3;

// Data points; start and time have the same numbers in all five kinds.
inline constexpr FieldNumber kPointStartTime = 2;
inline constexpr FieldNumber kPointTime = 3;
inline constexpr FieldNumber kNumberAsDouble = 4;
inline constexpr FieldNumber kNumberExemplars = 5;
inline constexpr FieldNumber kNumberAsInt = 6;
inline constexpr FieldNumber kNumberAttributes = 7;
inline constexpr FieldNumber kNumberFlags = 8;
inline constexpr FieldNumber kHistogramCount = 4;
inline constexpr FieldNumber kHistogramSum = 5;
inline constexpr FieldNumber kHistogramBucketCounts = 6;
inline constexpr FieldNumber kHistogramExplicitBounds = 7;
inline constexpr FieldNumber kHistogramExemplars = 8;
inline constexpr FieldNumber kHistogramAttributes = 9;
inline constexpr FieldNumber kHistogramFlags = 10;
inline constexpr FieldNumber kHistogramMin = 11;
inline constexpr FieldNumber kHistogramMax = 12;
inline constexpr FieldNumber kExponentialAttributes = 1;
inline constexpr FieldNumber kExponentialCount = 4;
inline constexpr FieldNumber kExponentialSum = 5;
inline constexpr FieldNumber kExponentialScale = 6;
inline constexpr FieldNumber kExponentialZeroCount = 7;
inline constexpr FieldNumber kExponentialPositive = 8;
inline constexpr FieldNumber kExponentialNegative = 9;
inline constexpr FieldNumber kExponentialFlags = 10;
inline constexpr FieldNumber kExponentialExemplars = 11;
inline constexpr FieldNumber kExponentialMin = 12;
inline constexpr FieldNumber kExponentialMax = 13;
inline constexpr FieldNumber kExponentialZeroThreshold = 14;
inline constexpr FieldNumber kBucketsOffset = 1;
inline constexpr FieldNumber kBucketsCounts = 2;
inline constexpr FieldNumber kSummaryCount = 4;
inline constexpr FieldNumber kSummarySum = 5;
inline constexpr FieldNumber kSummaryQuantiles = 6;
inline constexpr FieldNumber kSummaryAttributes = 7;
inline constexpr FieldNumber kSummaryFlags = 8;
inline constexpr FieldNumber kQuantileQuantile = 1;
inline constexpr FieldNumber kQuantileValue = 2;

// Whether `field` of a Metric is one of its five kinds of data.
constexpr bool IsMetricData(FieldNumber field) {
  return field == kMetricGauge || field == kMetricSum || field == kMetricHistogram ||
         field == kMetricExponentialHistogram || field == kMetricSummary;
}

// Where the attributes of a data point are, by the Metric's field that holds its data.
constexpr FieldNumber PointAttributes(FieldNumber data_field) {
  switch (data_field) {
    case kMetricHistogram:
      return kHistogramAttributes;
    case kMetricExponentialHistogram:
      return kExponentialAttributes;
    case kMetricSummary:
      return kSummaryAttributes;
    default:
      return kNumberAttributes;
  }
}

}  // namespace weir::wire::otlp

#endif  // WEIR_WIRE_OTLP_H_

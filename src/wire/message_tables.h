// What the scanner does with each field of each OTLP message, as tables indexed by tag.
//
// A table starts out with what protobuf does to an unknown field of each wire type, and only fields
// that need more than that are listed: strings, messages and packed numbers. Scalars are skipped by
// wire type whether they are known or not, so they are left out. The same rule makes a known field
// of another wire type an unknown field.
//
// The `Outline` messages are the structure depth: the same levels, with all else opaque.

#ifndef WEIR_WIRE_MESSAGE_TABLES_H_
#define WEIR_WIRE_MESSAGE_TABLES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "weir/wire/varint.h"

namespace weir::wire::internal {

enum class Message : std::uint8_t {
  kOpaque,
  // common
  kAnyValue,
  kArrayValue,
  kKeyValueList,
  kKeyValue,
  kScope,
  kEntityRef,
  kResource,
  // traces
  kTracesRequest,
  kResourceSpans,
  kScopeSpans,
  kSpan,
  kSpanEvent,
  kSpanLink,
  kSpanStatus,
  // logs
  kLogsRequest,
  kResourceLogs,
  kScopeLogs,
  kLogRecord,
  // metrics
  kMetricsRequest,
  kResourceMetrics,
  kScopeMetrics,
  kMetric,
  kNumbers,  // Gauge and Sum: what they hold beside their points needs no look.
  kHistogram,
  kExponentialHistogram,
  kSummary,
  kNumberPoint,
  kHistogramPoint,
  kExponentialPoint,
  kBuckets,
  kSummaryPoint,
  kExemplar,
  // structure depth
  kTracesRequestOutline,
  kLogsRequestOutline,
  kResourceOutline,  // Traces and logs look alike down to the item.
  kScopeOutline,
  kMetricsRequestOutline,
  kResourceMetricsOutline,
  kScopeMetricsOutline,
  kMetricOutline,
  kDataOutline,
};
inline constexpr std::size_t kMessageCount = static_cast<std::size_t>(Message::kDataOutline) + 1;

enum class Op : std::uint8_t {
  kVarint,
  kFixed64,
  kFixed32,
  kGroup,
  kBadTag,
  kBytes,
  kString,
  kPackedVarint,
  kPackedFixed64,
  kWalk,          // Walk it.
  kWalkKeyValue,  // Walk it, by the short cut where its bytes are as encoders write them.
  kCountAndWalk,  // Count it and walk it.
  kCount,         // Count it.
  kWalkMetric,    // Walk it, remembering which kind of data it ends up with.
  kWalkData,      // Walk it as a member of the metric's oneof.
};

struct Field {
  std::uint8_t number;
  Op op;
  Message message = Message::kOpaque;
};

struct Entry {
  Op op;
  Message message;
};

// Tags below 256 are fields 1 to 31, which is all that OTLP has.
inline constexpr std::size_t kTableTags = 256;
using Table = std::array<Entry, kTableTags>;

// What happens to an unknown field, by wire type.
inline constexpr std::array<Op, 8> kUnknownOps = {Op::kVarint, Op::kFixed64, Op::kBytes,
                                                  Op::kGroup,  Op::kBadTag,  Op::kFixed32,
                                                  Op::kBadTag, Op::kBadTag};

constexpr Table MakeTable(std::initializer_list<Field> fields) {
  Table table{};
  for (std::size_t tag = 0; tag < kTableTags; ++tag) {
    const Op op = tag < 8 ? Op::kBadTag : kUnknownOps[tag & 7];
    table[tag] = {op, Message::kOpaque};
  }
  for (const Field& field : fields) {
    // Everything a table lists is length-delimited on the wire.
    table[MakeTag(field.number, WireType::kLength)] = {field.op, field.message};
  }
  return table;
}

// tidy-allow(length): it is the table, an entry a message.
constexpr std::array<Table, kMessageCount> MakeTables() {
  std::array<Table, kMessageCount> tables{};
  const auto set = [&tables](Message message, std::initializer_list<Field> fields) {
    tables[static_cast<std::size_t>(message)] = MakeTable(fields);
  };
  using enum Message;
  using enum Op;

  set(kOpaque, {});
  set(kAnyValue, {{1, kString}, {5, kWalk, kArrayValue}, {6, kWalk, kKeyValueList}});
  set(kArrayValue, {{1, kWalk, kAnyValue}});
  set(kKeyValueList, {{1, kWalkKeyValue}});
  set(kKeyValue, {{1, kString}, {2, kWalk, kAnyValue}});
  set(kScope, {{1, kString}, {2, kString}, {3, kWalkKeyValue}});
  set(kEntityRef, {{1, kString}, {2, kString}, {3, kString}, {4, kString}});
  set(kResource, {{1, kWalkKeyValue}, {3, kWalk, kEntityRef}});

  set(kTracesRequest, {{1, kWalk, kResourceSpans}});
  set(kResourceSpans, {{1, kWalk, kResource}, {2, kWalk, kScopeSpans}, {3, kString}});
  set(kScopeSpans, {{1, kWalk, kScope}, {2, kCountAndWalk, kSpan}, {3, kString}});
  set(kSpan, {{3, kString},
              {5, kString},
              {9, kWalkKeyValue},
              {11, kWalk, kSpanEvent},
              {13, kWalk, kSpanLink},
              {15, kWalk, kSpanStatus}});
  set(kSpanEvent, {{2, kString}, {3, kWalkKeyValue}});
  set(kSpanLink, {{3, kString}, {4, kWalkKeyValue}});
  set(kSpanStatus, {{2, kString}});

  set(kLogsRequest, {{1, kWalk, kResourceLogs}});
  set(kResourceLogs, {{1, kWalk, kResource}, {2, kWalk, kScopeLogs}, {3, kString}});
  set(kScopeLogs, {{1, kWalk, kScope}, {2, kCountAndWalk, kLogRecord}, {3, kString}});
  set(kLogRecord, {{3, kString}, {5, kWalk, kAnyValue}, {6, kWalkKeyValue}, {12, kString}});

  set(kMetricsRequest, {{1, kWalk, kResourceMetrics}});
  set(kResourceMetrics, {{1, kWalk, kResource}, {2, kWalk, kScopeMetrics}, {3, kString}});
  set(kScopeMetrics, {{1, kWalk, kScope}, {2, kWalkMetric, kMetric}, {3, kString}});
  set(kMetric, {{1, kString},
                {2, kString},
                {3, kString},
                {5, kWalkData, kNumbers},
                {7, kWalkData, kNumbers},
                {9, kWalkData, kHistogram},
                {10, kWalkData, kExponentialHistogram},
                {11, kWalkData, kSummary},
                {12, kWalkKeyValue}});
  set(kNumbers, {{1, kCountAndWalk, kNumberPoint}});
  set(kHistogram, {{1, kCountAndWalk, kHistogramPoint}});
  set(kExponentialHistogram, {{1, kCountAndWalk, kExponentialPoint}});
  set(kSummary, {{1, kCountAndWalk, kSummaryPoint}});
  set(kNumberPoint, {{5, kWalk, kExemplar}, {7, kWalkKeyValue}});
  set(kHistogramPoint,
      {{6, kPackedFixed64}, {7, kPackedFixed64}, {8, kWalk, kExemplar}, {9, kWalkKeyValue}});
  set(kExponentialPoint,
      {{1, kWalkKeyValue}, {8, kWalk, kBuckets}, {9, kWalk, kBuckets}, {11, kWalk, kExemplar}});
  set(kBuckets, {{2, kPackedVarint}});
  set(kSummaryPoint, {{6, kWalk, kOpaque}, {7, kWalkKeyValue}});
  set(kExemplar, {{7, kWalkKeyValue}});

  set(kTracesRequestOutline, {{1, kWalk, kResourceOutline}});
  set(kLogsRequestOutline, {{1, kWalk, kResourceOutline}});
  set(kResourceOutline, {{2, kWalk, kScopeOutline}});
  set(kScopeOutline, {{2, kCount}});
  set(kMetricsRequestOutline, {{1, kWalk, kResourceMetricsOutline}});
  set(kResourceMetricsOutline, {{2, kWalk, kScopeMetricsOutline}});
  set(kScopeMetricsOutline, {{2, kWalkMetric, kMetricOutline}});
  set(kMetricOutline, {{5, kWalkData, kDataOutline},
                       {7, kWalkData, kDataOutline},
                       {9, kWalkData, kDataOutline},
                       {10, kWalkData, kDataOutline},
                       {11, kWalkData, kDataOutline}});
  set(kDataOutline, {{1, kCount}});
  return tables;
}

inline constexpr std::array<Table, kMessageCount> kTables = MakeTables();

}  // namespace weir::wire::internal

#endif  // WEIR_WIRE_MESSAGE_TABLES_H_

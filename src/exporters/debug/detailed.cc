#include <array>
#include <bit>

#include "exporters/debug/fields.h"
#include "exporters/debug/points.h"
#include "exporters/debug/text.h"
#include "fmt/format.h"

namespace weir::exporters::debug {

namespace otlp = wire::otlp;

namespace {

template <std::size_t kCount>
std::string_view NameOf(const std::array<std::string_view, kCount>& names, std::uint64_t value) {
  return value < kCount ? names[value] : std::string_view();
}

constexpr std::array<std::string_view, 6> kSpanKinds = {"Unspecified", "Internal", "Server",
                                                        "Client",      "Producer", "Consumer"};
constexpr std::array<std::string_view, 3> kStatusCodes = {"Unset", "Ok", "Error"};
constexpr std::array<std::string_view, 3> kTemporalities = {"Unspecified", "Delta", "Cumulative"};
constexpr std::array<std::string_view, 25> kSeverities = {
    "Unspecified", "Trace",  "Trace2", "Trace3", "Trace4", "Debug",  "Debug2", "Debug3", "Debug4",
    "Info",        "Info2",  "Info3",  "Info4",  "Warn",   "Warn2",  "Warn3",  "Warn4",  "Error",
    "Error2",      "Error3", "Error4", "Fatal",  "Fatal2", "Fatal3", "Fatal4"};

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <typename... Args>
  void Line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }

  // `indent` stands in front of the header and of each attribute. Headers that end with a colon get
  // a second one, which is how the Collector prints them.
  void Attributes(std::string_view header, std::string_view message, FieldNumber field,
                  std::string_view indent = "") {
    bool first = true;
    wire::AttributeReader attributes(message, field);
    for (wire::AttributeView attribute; attributes.Next(attribute); first = false) {
      if (first) {
        Line("{}{}:", indent.empty() ? "" : "     -> ", header);
      }
      Line("{}     -> {}: {}", indent, attribute.key, TypedText(attribute.value));
    }
  }

  void Resource(std::string_view group);
  void Scope(std::string_view inner);
  void Span(std::string_view span);
  void Log(std::string_view log);
  void Metric(std::string_view contents);

 private:
  void Attribute(std::string_view name, std::string_view value) {
    Line("    {:<15}: {}", name, value);
  }
  void Entities(std::string_view resource);
  void Keys(std::string_view header, std::string_view entity, FieldNumber field);
  void Events(std::string_view span);
  void Links(std::string_view span);
  void Point(FieldNumber data_field, std::string_view point);
  void Number(std::string_view message, FieldNumber as_int, FieldNumber as_double,
              std::string_view indent);
  void Totals(std::string_view point, FieldNumber min, FieldNumber max);
  void Histogram(std::string_view point);
  void Exponential(std::string_view point);
  void Summary(std::string_view point);
  void Exemplars(std::string_view point, FieldNumber field);

  std::string& out_;
};

constexpr std::string_view kIndent = "     ";

void Writer::Resource(std::string_view group) {
  const std::string resource = Merged(group, otlp::kResourceResource);
  Line("Resource SchemaURL: {}", Bytes(group, otlp::kResourceSchemaUrl));
  Attributes("Resource attributes", resource, otlp::kResourceAttributes);
  Entities(resource);
}

void Writer::Keys(std::string_view header, std::string_view entity, FieldNumber field) {
  bool first = true;
  wire::ListReader keys(entity, field);
  for (std::string_view key; keys.Next(key); first = false) {
    if (first) {
      Line("          -> {}:", header);
    }
    Line("               -> {}", key);
  }
}

void Writer::Entities(std::string_view resource) {
  // EntityRef of the schema's resource: schema_url, type, id_keys, description_keys.
  constexpr FieldNumber kEntities = 3, kUrl = 1, kType = 2, kIds = 3, kDescriptions = 4;
  wire::ListReader entities(resource, kEntities);
  std::string_view entity;
  for (std::size_t i = 0; entities.Next(entity); ++i) {
    if (i == 0) {
      Line("Resource entity refs:");
    }
    Line("     -> Entity ref #{}:", i);
    Line("          -> Type: {}", Bytes(entity, kType));
    if (const std::string_view url = Bytes(entity, kUrl); !url.empty()) {
      Line("          -> Schema URL: {}", url);
    }
    Keys("ID keys", entity, kIds);
    Keys("Description keys", entity, kDescriptions);
  }
}

void Writer::Scope(std::string_view inner) {
  const std::string scope = Merged(inner, otlp::kScopeScope);
  Line("InstrumentationScope {} {}", Bytes(scope, otlp::kScopeName),
       Bytes(scope, otlp::kScopeVersion));
  Attributes("InstrumentationScope attributes", scope, otlp::kScopeAttributes);
}

void Writer::Span(std::string_view span) {
  Attribute("Trace ID", Hex(Bytes(span, otlp::kSpanTraceId)));
  Attribute("Parent ID", Hex(Bytes(span, otlp::kSpanParentSpanId)));
  Attribute("ID", Hex(Bytes(span, otlp::kSpanSpanId)));
  Attribute("Name", Bytes(span, otlp::kSpanName));
  Attribute("Kind", NameOf(kSpanKinds, Varint(span, otlp::kSpanKind)));
  if (const std::string_view state = Bytes(span, otlp::kSpanTraceState); !state.empty()) {
    Attribute("TraceState", state);
  }
  Attribute("Start time", TimeText(Fixed64(span, otlp::kSpanStartTime)));
  Attribute("End time", TimeText(Fixed64(span, otlp::kSpanEndTime)));
  const std::string status = Merged(span, otlp::kSpanStatus);
  Attribute("Status code", NameOf(kStatusCodes, Varint(status, otlp::kStatusCode)));
  Attribute("Status message", Bytes(status, otlp::kStatusMessage));
  Attribute("DroppedAttributesCount", std::to_string(Varint(span, otlp::kSpanDroppedAttributes)));
  Attribute("DroppedEventsCount", std::to_string(Varint(span, otlp::kSpanDroppedEvents)));
  Attribute("DroppedLinksCount", std::to_string(Varint(span, otlp::kSpanDroppedLinks)));
  Attributes("Attributes", span, otlp::kSpanAttributes);
  Events(span);
  Links(span);
}

void Writer::Events(std::string_view span) {
  wire::ListReader events(span, otlp::kSpanEvents);
  std::string_view event;
  for (std::size_t i = 0; events.Next(event); ++i) {
    if (i == 0) {
      Line("Events:");
    }
    Line("SpanEvent #{}", i);
    Line("     -> Name: {}", Bytes(event, otlp::kEventName));
    Line("     -> Timestamp: {}", TimeText(Fixed64(event, otlp::kEventTime)));
    Line("     -> DroppedAttributesCount: {}", Varint(event, otlp::kEventDroppedAttributes));
    Attributes("Attributes:", event, otlp::kEventAttributes, kIndent);
  }
}

void Writer::Links(std::string_view span) {
  wire::ListReader links(span, otlp::kSpanLinks);
  std::string_view link;
  for (std::size_t i = 0; links.Next(link); ++i) {
    if (i == 0) {
      Line("Links:");
    }
    Line("SpanLink #{}", i);
    Line("     -> Trace ID: {}", Hex(Bytes(link, otlp::kLinkTraceId)));
    Line("     -> ID: {}", Hex(Bytes(link, otlp::kLinkSpanId)));
    Line("     -> TraceState: {}", Bytes(link, otlp::kLinkTraceState));
    Line("     -> DroppedAttributesCount: {}", Varint(link, otlp::kLinkDroppedAttributes));
    Attributes("Attributes:", link, otlp::kLinkAttributes, kIndent);
  }
}

void Writer::Log(std::string_view log) {
  const std::uint64_t severity = Varint(log, otlp::kLogSeverityNumber);
  Line("ObservedTimestamp: {}", TimeText(Fixed64(log, otlp::kLogObservedTime)));
  Line("Timestamp: {}", TimeText(Fixed64(log, otlp::kLogTime)));
  Line("SeverityText: {}", Bytes(log, otlp::kLogSeverityText));
  Line("SeverityNumber: {}({})", NameOf(kSeverities, severity),
       static_cast<std::int32_t>(severity));
  if (const std::string_view name = Bytes(log, otlp::kLogEventName); !name.empty()) {
    Line("EventName: {}", name);
  }
  Line("Body: {}", TypedText(Bytes(log, otlp::kLogBody)));
  Attributes("Attributes", log, otlp::kLogAttributes);
  Line("Trace ID: {}", Hex(Bytes(log, otlp::kLogTraceId)));
  Line("Span ID: {}", Hex(Bytes(log, otlp::kLogSpanId)));
  Line("Flags: {}", Fixed32(log, otlp::kLogFlags));
}

void Writer::Metric(std::string_view contents) {
  wire::MetricView metric;
  static_cast<void>(metric.Parse(contents));
  const std::string data = Merged(contents, metric.data_field);
  const std::string_view type = metric.data_field == otlp::kMetricGauge       ? "Gauge"
                                : metric.data_field == otlp::kMetricSum       ? "Sum"
                                : metric.data_field == otlp::kMetricHistogram ? "Histogram"
                                : metric.data_field == otlp::kMetricExponentialHistogram
                                    ? "ExponentialHistogram"
                                : metric.data_field == otlp::kMetricSummary ? "Summary"
                                                                            : "Empty";
  Line("Descriptor:");
  Line("     -> Name: {}", metric.name);
  Line("     -> Description: {}", metric.description);
  Line("     -> Unit: {}", metric.unit);
  Line("     -> DataType: {}", type);
  Attributes("Metadata", contents, otlp::kMetricMetadata, kIndent);
  if (metric.data_field == otlp::kMetricSum) {
    Line("     -> IsMonotonic: {}", Varint(data, otlp::kSumIsMonotonic) != 0);
  }
  if (metric.data_field == otlp::kMetricSum || metric.data_field == otlp::kMetricHistogram ||
      metric.data_field == otlp::kMetricExponentialHistogram) {
    Line("     -> AggregationTemporality: {}",
         NameOf(kTemporalities, Varint(data, otlp::kDataTemporality)));
  }
  const std::string_view kind = type == "Gauge" || type == "Sum" ? "Number" : type;
  wire::ListReader points(data, otlp::kDataPoints);
  std::string_view point;
  for (std::size_t i = 0; points.Next(point); ++i) {
    Line("{}DataPoints #{}", kind, i);
    Point(metric.data_field, point);
  }
}

void Writer::Point(FieldNumber data_field, std::string_view point) {
  Attributes("Data point attributes", point, otlp::PointAttributes(data_field));
  Line("StartTimestamp: {}", TimeText(Fixed64(point, otlp::kPointStartTime)));
  Line("Timestamp: {}", TimeText(Fixed64(point, otlp::kPointTime)));
  switch (data_field) {
    case otlp::kMetricHistogram:
      Histogram(point);
      break;
    case otlp::kMetricExponentialHistogram:
      Exponential(point);
      break;
    case otlp::kMetricSummary:
      return Summary(point);
    default:
      Number(point, otlp::kNumberAsInt, otlp::kNumberAsDouble, "");
  }
  Exemplars(point, PointExemplars(data_field));
}

void Writer::Number(std::string_view message, FieldNumber as_int, FieldNumber as_double,
                    std::string_view indent) {
  std::string text;
  wire::FieldReader fields(message);
  while (fields.Next()) {
    if (fields.Is(as_int, wire::WireType::kFixed64)) {
      text = fmt::format("{}", static_cast<std::int64_t>(fields.fixed64()));
    } else if (fields.Is(as_double, wire::WireType::kFixed64)) {
      text = FixedText(std::bit_cast<double>(fields.fixed64()));
    }
  }
  if (!text.empty()) {
    Line("{}Value: {}", indent, text);
  }
}

void Writer::Totals(std::string_view point, FieldNumber min, FieldNumber max) {
  Line("Count: {}", Fixed64(point, otlp::kHistogramCount));
  const auto add = [&](std::string_view name, FieldNumber field) {
    if (const auto bits = FindFixed64(point, field)) {
      Line("{}: {}", name, FixedText(std::bit_cast<double>(*bits)));
    }
  };
  add("Sum", otlp::kHistogramSum);
  add("Min", min);
  add("Max", max);
}

void Writer::Histogram(std::string_view point) {
  Totals(point, otlp::kHistogramMin, otlp::kHistogramMax);
  const auto bounds = Numbers(point, otlp::kHistogramExplicitBounds, wire::WireType::kFixed64);
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    Line("ExplicitBounds #{}: {}", i, FixedText(std::bit_cast<double>(bounds[i])));
  }
  const auto counts = Numbers(point, otlp::kHistogramBucketCounts, wire::WireType::kFixed64);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    Line("Buckets #{}, Count: {}", i, counts[i]);
  }
}

void Writer::Exponential(std::string_view point) {
  Totals(point, otlp::kExponentialMin, otlp::kExponentialMax);
  const ExponentialBuckets buckets = ReadBuckets(point);
  for (const Bucket& bucket : buckets.negative) {
    Line("Bucket [{}, {}), Count: {}", FixedText(bucket.lower), FixedText(bucket.upper),
         bucket.count);
  }
  if (const std::uint64_t zeros = Fixed64(point, otlp::kExponentialZeroCount); zeros != 0) {
    Line("Bucket [0, 0], Count: {}", zeros);
  }
  for (const Bucket& bucket : buckets.positive) {
    Line("Bucket ({}, {}], Count: {}", FixedText(bucket.lower), FixedText(bucket.upper),
         bucket.count);
  }
}

void Writer::Summary(std::string_view point) {
  Line("Count: {}", Fixed64(point, otlp::kSummaryCount));
  Line("Sum: {}", FixedText(Double(point, otlp::kSummarySum)));
  wire::ListReader quantiles(point, otlp::kSummaryQuantiles);
  std::string_view quantile;
  for (std::size_t i = 0; quantiles.Next(quantile); ++i) {
    Line("QuantileValue #{}: Quantile {}, Value {}", i,
         FixedText(Double(quantile, otlp::kQuantileQuantile)),
         FixedText(Double(quantile, otlp::kQuantileValue)));
  }
}

void Writer::Exemplars(std::string_view point, FieldNumber field) {
  wire::ListReader exemplars(point, field);
  std::string_view exemplar;
  for (std::size_t i = 0; exemplars.Next(exemplar); ++i) {
    if (i == 0) {
      Line("Exemplars:");
    }
    Line("Exemplar #{}", i);
    Line("     -> Trace ID: {}", Hex(Bytes(exemplar, kExemplarTraceId)));
    Line("     -> Span ID: {}", Hex(Bytes(exemplar, kExemplarSpanId)));
    Line("     -> Timestamp: {}", TimeText(Fixed64(exemplar, kExemplarTime)));
    Number(exemplar, kExemplarAsInt, kExemplarAsDouble, "     -> ");
    Attributes("FilteredAttributes", exemplar, kExemplarAttributes, kIndent);
  }
}

}  // namespace

void AppendDetailed(Signal signal, std::string_view request, TextCounts& counts, std::string& out) {
  // In the order of Signal.
  constexpr std::array<std::string_view, kSignalCount> kResource = {
      "ResourceSpans", "ResourceMetrics", "ResourceLog"};
  constexpr std::array<std::string_view, kSignalCount> kScope = {"ScopeSpans", "ScopeMetrics",
                                                                 "ScopeLogs"};
  constexpr std::array<std::string_view, kSignalCount> kItem = {"Span", "Metric", "LogRecord"};
  const std::size_t index = SignalIndex(signal);
  Writer writer(out);
  wire::ListReader resources(request, otlp::kRequestResources);
  for (std::string_view group; resources.Next(group); ++counts.resources) {
    writer.Line("{} #{}", kResource[index], counts.resources);
    writer.Resource(group);
    wire::ListReader scopes(group, otlp::kResourceScopes);
    std::string_view inner;
    for (std::size_t j = 0; scopes.Next(inner); ++j) {
      writer.Line("{} #{}", kScope[index], j);
      writer.Line("{} SchemaURL: {}", kScope[index], Bytes(inner, otlp::kScopeSchemaUrl));
      writer.Scope(inner);
      wire::ListReader items(inner, otlp::kScopeItems);
      std::string_view item;
      for (std::size_t k = 0; items.Next(item); ++k, ++counts.metrics) {
        if (!IsWellFormed(item)) {
          ++counts.malformed;
          continue;
        }
        writer.Line("{} #{}", kItem[index], k);
        switch (signal) {
          case Signal::kTraces:
            writer.Span(item);
            break;
          case Signal::kMetrics:
            writer.Metric(item);
            break;
          case Signal::kLogs:
            writer.Log(item);
            break;
        }
      }
    }
  }
  counts.malformed += resources.malformed() ? 1 : 0;
}

}  // namespace weir::exporters::debug

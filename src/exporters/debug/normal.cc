#include <array>
#include <bit>

#include "exporters/debug/fields.h"
#include "exporters/debug/points.h"
#include "exporters/debug/text.h"
#include "fmt/format.h"

namespace weir::exporters::debug {

namespace otlp = wire::otlp;

namespace {

// "a=1 b=x", with `separator` between and `before` in front where there is any.
std::string AttributeText(std::string_view message, FieldNumber field, std::string_view separator,
                          std::string_view before = "") {
  std::string text;
  wire::AttributeReader attributes(message, field);
  for (wire::AttributeView attribute; attributes.Next(attribute);) {
    text += text.empty() ? before : separator;
    text += fmt::format("{}={}", attribute.key, ValueText(attribute.value));
  }
  return text;
}

std::string ScopeText(const std::string& scope, std::string_view schema_url) {
  std::string text(Bytes(scope, otlp::kScopeName));
  if (const std::string_view version = Bytes(scope, otlp::kScopeVersion); !version.empty()) {
    text += fmt::format("@{}", version);
  }
  if (!schema_url.empty()) {
    text += fmt::format("{}[{}]", text.empty() ? "" : " ", schema_url);
  }
  return text.empty() ? text : " " + text;
}

// count=, sum=, min= and max= of the histograms; those that are there.
std::string SummaryOf(std::string_view point, FieldNumber min, FieldNumber max) {
  std::string text = fmt::format("count={}", Fixed64(point, otlp::kHistogramCount));
  const auto add = [&](std::string_view name, FieldNumber field) {
    if (const auto bits = FindFixed64(point, field)) {
      text += fmt::format(" {}={}", name, ShortText(std::bit_cast<double>(*bits)));
    }
  };
  add("sum", otlp::kHistogramSum);
  add("min", min);
  add("max", max);
  return text;
}

std::string HistogramText(std::string_view point) {
  std::string text = SummaryOf(point, otlp::kHistogramMin, otlp::kHistogramMax);
  const auto bounds = Numbers(point, otlp::kHistogramExplicitBounds, wire::WireType::kFixed64);
  const auto counts = Numbers(point, otlp::kHistogramBucketCounts, wire::WireType::kFixed64);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::string bound =
        i < bounds.size() ? "le" + ShortText(std::bit_cast<double>(bounds[i])) + "=" : "";
    text += fmt::format(" {}{}", bound, counts[i]);
  }
  return text;
}

std::string ExponentialText(std::string_view point) {
  std::string text = SummaryOf(point, otlp::kExponentialMin, otlp::kExponentialMax);
  const ExponentialBuckets buckets = ReadBuckets(point);
  const auto add = [&](const Bucket& bucket) {
    text += fmt::format(" le{}={}", ShortText(bucket.upper), bucket.count);
  };
  for (const Bucket& bucket : buckets.negative) {
    add(bucket);
  }
  if (const std::uint64_t zeros = Fixed64(point, otlp::kExponentialZeroCount); zeros != 0) {
    text += fmt::format(" zero={}", zeros);
  }
  for (const Bucket& bucket : buckets.positive) {
    add(bucket);
  }
  return text;
}

std::string SummaryText(std::string_view point) {
  std::string text = fmt::format("count={} sum={}", Fixed64(point, otlp::kSummaryCount),
                                 FixedText(Double(point, otlp::kSummarySum)));
  wire::ListReader quantiles(point, otlp::kSummaryQuantiles);
  for (std::string_view quantile; quantiles.Next(quantile);) {
    text += fmt::format(" q{}={}", ShortText(Double(quantile, otlp::kQuantileQuantile)),
                        ShortText(Double(quantile, otlp::kQuantileValue)));
  }
  return text;
}

std::string NumberText(std::string_view point) {
  std::string text;
  wire::FieldReader fields(point);
  while (fields.Next()) {
    if (fields.Is(otlp::kNumberAsInt, wire::WireType::kFixed64)) {
      text = fmt::format("{}", static_cast<std::int64_t>(fields.fixed64()));
    } else if (fields.Is(otlp::kNumberAsDouble, wire::WireType::kFixed64)) {
      text = ShortText(std::bit_cast<double>(fields.fixed64()));
    }
  }
  return text;
}

void AppendMetric(std::string_view contents, const wire::MetricView& metric, std::string& out) {
  const std::string data = Merged(contents, metric.data_field);
  wire::ListReader points(data, otlp::kDataPoints);
  for (std::string_view point; points.Next(point);) {
    std::string text;
    switch (metric.data_field) {
      case otlp::kMetricHistogram:
        text = HistogramText(point);
        break;
      case otlp::kMetricExponentialHistogram:
        text = ExponentialText(point);
        break;
      case otlp::kMetricSummary:
        text = SummaryText(point);
        break;
      default:
        text = NumberText(point);
    }
    out += fmt::format("{}{{{}}} {}\n", metric.name,
                       AttributeText(point, otlp::PointAttributes(metric.data_field), ","), text);
  }
}

// False when the item is malformed.
bool AppendItem(Signal signal, std::string_view item, std::string& out) {
  switch (signal) {
    case Signal::kTraces: {
      wire::SpanView span;
      if (!span.Parse(item)) {
        return false;
      }
      out += fmt::format("{} {} {}{}\n", span.name, Hex(span.trace_id), Hex(span.span_id),
                         AttributeText(item, otlp::kSpanAttributes, " ", " "));
      return true;
    }
    case Signal::kLogs: {
      wire::LogView log;
      if (!log.Parse(item)) {
        return false;
      }
      out += fmt::format("{} {}\n", ValueText(log.body),
                         AttributeText(item, otlp::kLogAttributes, " "));
      return true;
    }
    case Signal::kMetrics: {
      wire::MetricView metric;
      if (!metric.Parse(item)) {
        return false;
      }
      AppendMetric(item, metric, out);
      return true;
    }
  }
  return false;
}

}  // namespace

void AppendNormal(Signal signal, std::string_view request, TextCounts& counts, std::string& out) {
  // In the order of Signal.
  constexpr std::array<std::string_view, kSignalCount> kResource = {
      "ResourceTraces", "ResourceMetrics", "ResourceLog"};
  constexpr std::array<std::string_view, kSignalCount> kScope = {"ScopeTraces", "ScopeMetrics",
                                                                 "ScopeLog"};
  wire::ListReader resources(request, otlp::kRequestResources);
  for (std::string_view group; resources.Next(group); ++counts.resources) {
    const std::string_view url = Bytes(group, otlp::kResourceSchemaUrl);
    out += fmt::format(
        "{} #{}{}{}\n", kResource[SignalIndex(signal)], counts.resources,
        url.empty() ? std::string() : fmt::format(" [{}]", url),
        AttributeText(Merged(group, otlp::kResourceResource), otlp::kResourceAttributes, " ", " "));
    wire::ListReader scopes(group, otlp::kResourceScopes);
    std::string_view inner;
    for (std::size_t j = 0; scopes.Next(inner); ++j) {
      const std::string scope = Merged(inner, otlp::kScopeScope);
      out += fmt::format("{} #{}{}{}\n", kScope[SignalIndex(signal)], j,
                         ScopeText(scope, Bytes(inner, otlp::kScopeSchemaUrl)),
                         AttributeText(scope, otlp::kScopeAttributes, " ", " "));
      wire::ListReader items(inner, otlp::kScopeItems);
      for (std::string_view item; items.Next(item); ++counts.metrics) {
        counts.malformed += AppendItem(signal, item, out) ? 0 : 1;
      }
    }
  }
  counts.malformed += resources.malformed() ? 1 : 0;
}

void CountOnly(Signal, std::string_view request, TextCounts& counts) {
  wire::ListReader resources(request, otlp::kRequestResources);
  for (std::string_view group; resources.Next(group); ++counts.resources) {
    wire::ListReader scopes(group, otlp::kResourceScopes);
    for (std::string_view scope; scopes.Next(scope);) {
      wire::ListReader items(scope, otlp::kScopeItems);
      for (std::string_view item; items.Next(item);) {
        ++counts.metrics;
      }
    }
  }
}

}  // namespace weir::exporters::debug

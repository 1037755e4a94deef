#include "telemetry/prometheus_text.h"

#include <limits>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "telemetry/json_text.h"
#include "weir/wire/utf8.h"

namespace weir {

namespace {

std::string LabelName(std::string_view name) {
  std::string safe;
  for (const char c : name) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool is_digit = c >= '0' && c <= '9';
    if (safe.empty() && is_digit) {
      safe += '_';
    }
    safe += is_letter || is_digit ? c : '_';
  }
  return safe.empty() ? "_" : safe;
}

// A scraper refuses a whole page for one byte that is no UTF-8.
std::string ValidUtf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const std::size_t length = wire::Utf8SequenceLength(text);
    valid.append(length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

// The serializer writes help texts as they are.
std::string EscapedHelp(std::string_view help) {
  std::string escaped;
  for (const char c : help) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void AppendLabels(const MetricLabels& labels, prometheus::ClientMetric& metric) {
  for (const auto& [name, value] : labels) {
    metric.label.push_back({LabelName(name), ValidUtf8(value)});
  }
}

void SetHistogram(const HistogramValue& value, prometheus::ClientMetric& metric) {
  metric.histogram.sample_count = value.count;
  metric.histogram.sample_sum = value.sum;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < value.bucket_counts.size(); ++i) {
    cumulative += value.bucket_counts[i];
    const double upper =
        i < value.upper.size() ? value.upper[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, upper});
  }
}

prometheus::MetricType PrometheusType(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric ToClientMetric(MetricType type, const MetricSample& sample,
                                        const MetricLabels& constant_labels) {
  prometheus::ClientMetric metric;
  AppendLabels(sample.labels, metric);
  AppendLabels(constant_labels, metric);
  switch (type) {
    case MetricType::kCounter:
      metric.counter.value = sample.value;
      break;
    case MetricType::kGauge:
      metric.gauge.value = sample.value;
      break;
    case MetricType::kHistogram:
      SetHistogram(sample.histogram, metric);
      break;
  }
  return metric;
}

// The registry as prometheus-cpp wants to see it.
class RegistryCollectable final : public prometheus::Collectable {
 public:
  RegistryCollectable(const MetricRegistry& registry, const PrometheusTextOptions& options)
      : registry_(registry), options_(options) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> shown;
    for (const MetricFamily& family : registry_.Collect()) {
      if (family.samples.empty()) {
        continue;
      }
      prometheus::MetricFamily& target = shown.emplace_back();
      target.name = PrometheusName(family.name, family.type, family.unit, options_);
      target.help = EscapedHelp(family.help);
      target.type = PrometheusType(family.type);
      for (const MetricSample& sample : family.samples) {
        target.metric.push_back(ToClientMetric(family.type, sample, options_.constant_labels));
      }
    }
    if (!options_.target_info.empty()) {
      prometheus::MetricFamily& target = shown.emplace_back();
      target.name = "target_info";
      target.help = "Target metadata";
      target.type = prometheus::MetricType::Gauge;
      target.metric.push_back(
          ToClientMetric(MetricType::kGauge, {options_.target_info, 1.0, {}}, {}));
    }
    return shown;
  }

 private:
  const MetricRegistry& registry_;
  const PrometheusTextOptions& options_;
};

// As OpenTelemetry's exporter for Prometheus spells units; annotations in braces have no suffix.
std::string_view UnitSuffix(std::string_view unit, MetricType type) {
  if (unit == "s") {
    return "_seconds";
  }
  if (unit == "ms") {
    return "_milliseconds";
  }
  if (unit == "By") {
    return "_bytes";
  }
  if (unit == "1" && type != MetricType::kCounter) {
    return "_ratio";
  }
  return "";
}

}  // namespace

std::string PrometheusName(std::string_view name, MetricType type, std::string_view unit,
                           const PrometheusTextOptions& options) {
  constexpr std::string_view kTotal = "_total";
  const bool had_total = type == MetricType::kCounter && name.ends_with(kTotal);
  std::string shown(had_total ? name.substr(0, name.size() - kTotal.size()) : name);
  const std::string_view suffix = options.without_units ? "" : UnitSuffix(unit, type);
  if (!shown.ends_with(suffix)) {
    shown += suffix;
  }
  if (had_total || (type == MetricType::kCounter && !options.without_type_suffix)) {
    shown += kTotal;
  }
  return shown;
}

std::string RenderPrometheusText(const MetricRegistry& registry,
                                 const PrometheusTextOptions& options) {
  const RegistryCollectable collectable(registry, options);
  const prometheus::TextSerializer serializer;
  return serializer.Serialize(collectable.Collect());
}

}  // namespace weir

#include "weir/telemetry/metrics.h"

#include <algorithm>
#include <cmath>

#include "weir/base/check.h"

namespace weir {

namespace {

// Separates label values in a series' key; no UTF-8 text holds it.
constexpr char kKeySeparator = '\xff';

std::string JoinLabelNames(const MetricLabels& labels) {
  std::string joined;
  for (const auto& [name, value] : labels) {
    joined += joined.empty() ? name : "," + name;
  }
  return joined;
}

std::string SeriesKey(const MetricLabels& labels) {
  std::string key;
  for (const auto& [name, value] : labels) {
    key += value;
    key += kKeySeparator;
  }
  return key;
}

bool IsNameValid(std::string_view name) {
  const auto is_valid = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::ranges::all_of(name, is_valid);
}

MetricFamily& FamilyNamed(std::vector<MetricFamily>& families, const MetricFamily& like) {
  const auto found = std::ranges::find(families, like.name, &MetricFamily::name);
  if (found != families.end()) {
    return *found;
  }
  families.push_back({like.name, like.help, like.unit, like.type, {}});
  return families.back();
}

}  // namespace

std::string_view MetricTypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "unknown";
}

HistogramBounds ExponentialBounds(std::uint64_t first, double factor, std::size_t count,
                                  double scale) {
  WEIR_CHECK(factor > 1.0 && first > 0 && count >= 1 && count <= kHistogramBoundsMax);
  HistogramBounds bounds;
  bounds.scale = scale;
  double bound = static_cast<double>(first);
  for (std::size_t i = 0; i < count; ++i, bound *= factor) {
    const auto rounded = static_cast<std::uint64_t>(std::llround(bound));
    if (bounds.upper.empty() || rounded > bounds.upper.back()) {
      bounds.upper.push_back(rounded);
    }
  }
  return bounds;
}

HistogramBounds LatencyBounds() { return ExponentialBounds(10'000, 2.0, 24, 1e-9); }

Histogram::Histogram(CellRun cells, HistogramBounds bounds)
    : cells_(cells), bounds_(std::move(bounds)) {
  WEIR_CHECK(cells_.size() == bounds_.upper.size() + 2);
}

void Histogram::Record(std::uint64_t value) {
  const auto bucket = static_cast<std::size_t>(
      std::lower_bound(bounds_.upper.begin(), bounds_.upper.end(), value) - bounds_.upper.begin());
  cells_.Add(bucket, 1);
  cells_.Add(cells_.size() - 1, value);
}

HistogramValue Histogram::Value() const {
  HistogramValue value;
  for (const std::uint64_t bound : bounds_.upper) {
    value.upper.push_back(static_cast<double>(bound) * bounds_.scale);
  }
  for (std::size_t bucket = 0; bucket + 1 < cells_.size(); ++bucket) {
    value.bucket_counts.push_back(cells_.Sum(bucket));
    value.count += value.bucket_counts.back();  // So the count always equals the buckets.
  }
  value.sum = static_cast<double>(cells_.Sum(cells_.size() - 1)) * bounds_.scale;
  return value;
}

MetricRegistry::MetricRegistry() : cells_(std::make_unique<CellPool>()) {}
MetricRegistry::~MetricRegistry() = default;

MetricRegistry::Instance& MetricRegistry::Reference(const MetricSpec& spec,
                                                    const MetricLabels& labels) {
  auto family = families_.find(spec.name);
  if (family == families_.end()) {
    WEIR_CHECK(IsNameValid(spec.name));
    MetricFamily described{
        std::string(spec.name), std::string(spec.help), std::string(spec.unit), spec.type, {}};
    family =
        families_.emplace(spec.name, Family{std::move(described), std::string(spec.labels), {}})
            .first;
  }
  WEIR_CHECK(family->second.described.type == spec.type);
  WEIR_CHECK(family->second.described.help == spec.help);
  WEIR_CHECK(family->second.label_names == spec.labels);
  WEIR_CHECK(JoinLabelNames(labels) == spec.labels);
  Instance& instance = family->second.instances[SeriesKey(labels)];
  instance.labels = labels;
  ++instance.references;
  return instance;
}

Counter& MetricRegistry::ReferenceCounter(const MetricSpec& spec, const MetricLabels& labels) {
  WEIR_CHECK(spec.type == MetricType::kCounter);
  const std::lock_guard lock(mutex_);
  Instance& instance = Reference(spec, labels);
  WEIR_CHECK(instance.observations.empty());
  if (instance.counter == nullptr) {
    instance.counter = std::make_unique<Counter>(cells_->Allocate(1));
  }
  return *instance.counter;
}

UpDownCounter& MetricRegistry::ReferenceUpDownCounter(const MetricSpec& spec,
                                                      const MetricLabels& labels) {
  WEIR_CHECK(spec.type == MetricType::kGauge);
  const std::lock_guard lock(mutex_);
  Instance& instance = Reference(spec, labels);
  WEIR_CHECK(instance.gauge == nullptr && instance.observations.empty());
  if (instance.up_down == nullptr) {
    instance.up_down = std::make_unique<UpDownCounter>(cells_->Allocate(1));
  }
  return *instance.up_down;
}

Gauge& MetricRegistry::ReferenceGauge(const MetricSpec& spec, const MetricLabels& labels) {
  WEIR_CHECK(spec.type == MetricType::kGauge);
  const std::lock_guard lock(mutex_);
  Instance& instance = Reference(spec, labels);
  WEIR_CHECK(instance.up_down == nullptr && instance.observations.empty());
  if (instance.gauge == nullptr) {
    instance.gauge = std::make_unique<Gauge>();
  }
  return *instance.gauge;
}

Histogram& MetricRegistry::ReferenceHistogram(const MetricSpec& spec, const MetricLabels& labels,
                                              const HistogramBounds& bounds) {
  WEIR_CHECK(spec.type == MetricType::kHistogram);
  WEIR_CHECK(!bounds.upper.empty() && bounds.upper.size() <= kHistogramBoundsMax);
  WEIR_CHECK(std::ranges::is_sorted(bounds.upper));
  const std::lock_guard lock(mutex_);
  Instance& instance = Reference(spec, labels);
  if (instance.histogram == nullptr) {
    instance.histogram =
        std::make_unique<Histogram>(cells_->Allocate(bounds.upper.size() + 2), bounds);
  }
  WEIR_CHECK(instance.histogram->bounds() == bounds);
  return *instance.histogram;
}

std::uint64_t MetricRegistry::ReferenceObservation(const MetricSpec& spec,
                                                   const MetricLabels& labels, Observe observe) {
  WEIR_CHECK(spec.type != MetricType::kHistogram);
  const std::lock_guard lock(mutex_);
  Instance& instance = Reference(spec, labels);
  WEIR_CHECK(instance.counter == nullptr && instance.gauge == nullptr &&
             instance.up_down == nullptr);
  instance.observations.push_back({++observation_id_last_, std::move(observe)});
  return observation_id_last_;
}

void MetricRegistry::Release(std::string_view name, const MetricLabels& labels,
                             std::uint64_t observation_id) {
  const std::lock_guard lock(mutex_);
  const auto family = families_.find(name);
  WEIR_CHECK(family != families_.end());
  const auto found = family->second.instances.find(SeriesKey(labels));
  WEIR_CHECK(found != family->second.instances.end());
  Instance& instance = found->second;
  std::erase_if(instance.observations,
                [&](const Observation& o) { return o.id == observation_id; });
  if (--instance.references > 0) {
    return;
  }
  FreeInstance(instance);
  family->second.instances.erase(found);
  if (family->second.instances.empty()) {
    families_.erase(family);
  }
}

void MetricRegistry::FreeInstance(Instance& instance) {
  if (instance.counter != nullptr) {
    cells_->Free(instance.counter->cells_);
  }
  if (instance.up_down != nullptr) {
    cells_->Free(instance.up_down->cells_);
  }
  if (instance.histogram != nullptr) {
    cells_->Free(instance.histogram->cells_);
  }
}

Counter& MetricRegistry::GetCounter(const MetricSpec& spec, const MetricLabels& labels) {
  return ReferenceCounter(spec, labels);
}

UpDownCounter& MetricRegistry::GetUpDownCounter(const MetricSpec& spec,
                                                const MetricLabels& labels) {
  return ReferenceUpDownCounter(spec, labels);
}

Gauge& MetricRegistry::GetGauge(const MetricSpec& spec, const MetricLabels& labels) {
  return ReferenceGauge(spec, labels);
}

Histogram& MetricRegistry::GetHistogram(const MetricSpec& spec, const MetricLabels& labels,
                                        const HistogramBounds& bounds) {
  return ReferenceHistogram(spec, labels, bounds);
}

void MetricRegistry::ObserveForever(const MetricSpec& spec, const MetricLabels& labels,
                                    Observe observe) {
  ReferenceObservation(spec, labels, std::move(observe));
}

void MetricRegistry::AddSource(const MetricSource& source) {
  const std::lock_guard lock(mutex_);
  sources_.push_back(&source);
}

void MetricRegistry::RemoveSource(const MetricSource& source) {
  const std::lock_guard lock(mutex_);
  std::erase(sources_, &source);
}

void MetricRegistry::CollectInstance(const Instance& instance, MetricFamily& family) const {
  MetricSample sample{instance.labels, 0, {}};
  if (!instance.observations.empty()) {
    sample.value = instance.observations.back().observe();
  } else if (instance.counter != nullptr) {
    sample.value = static_cast<double>(instance.counter->Value());
  } else if (instance.up_down != nullptr) {
    sample.value = static_cast<double>(instance.up_down->Value());
  } else if (instance.gauge != nullptr) {
    sample.value = instance.gauge->Value();
  } else if (instance.histogram != nullptr) {
    sample.histogram = instance.histogram->Value();
  } else {
    return;
  }
  family.samples.push_back(std::move(sample));
}

std::vector<MetricFamily> MetricRegistry::Collect() const {
  std::vector<MetricFamily> families;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) {
    families.push_back(family.described);
    for (const auto& [key, instance] : family.instances) {
      CollectInstance(instance, families.back());
    }
  }
  std::vector<MetricFamily> sourced;
  for (const MetricSource* source : sources_) {
    source->Collect(sourced);
  }
  for (MetricFamily& family : sourced) {
    MetricFamily& target = FamilyNamed(families, family);
    std::ranges::move(family.samples, std::back_inserter(target.samples));
  }
  std::ranges::sort(families, {}, &MetricFamily::name);
  return families;
}

MetricScope::~MetricScope() {
  for (const Held& held : held_) {
    registry_.Release(held.name, held.labels, held.observation_id);
  }
}

Counter& MetricScope::GetCounter(const MetricSpec& spec, const MetricLabels& labels) {
  held_.push_back({std::string(spec.name), labels, 0});
  return registry_.ReferenceCounter(spec, labels);
}

UpDownCounter& MetricScope::GetUpDownCounter(const MetricSpec& spec, const MetricLabels& labels) {
  held_.push_back({std::string(spec.name), labels, 0});
  return registry_.ReferenceUpDownCounter(spec, labels);
}

Gauge& MetricScope::GetGauge(const MetricSpec& spec, const MetricLabels& labels) {
  held_.push_back({std::string(spec.name), labels, 0});
  return registry_.ReferenceGauge(spec, labels);
}

Histogram& MetricScope::GetHistogram(const MetricSpec& spec, const MetricLabels& labels,
                                     const HistogramBounds& bounds) {
  held_.push_back({std::string(spec.name), labels, 0});
  return registry_.ReferenceHistogram(spec, labels, bounds);
}

void MetricScope::Observe(const MetricSpec& spec, const MetricLabels& labels,
                          MetricRegistry::Observe observe) {
  const std::uint64_t id = registry_.ReferenceObservation(spec, labels, std::move(observe));
  held_.push_back({std::string(spec.name), labels, id});
}

}  // namespace weir

// Own metrics: counters, gauges and histograms that cost a hot path one plain store.
//
//   constexpr MetricSpec kReads{"weir_file_reads_total", MetricType::kCounter, "{read}",
//                               "component", "Files read."};
//   Counter& reads = scope.GetCounter(kReads, {{"component", "file/2"}});   // at start-up
//   reads.Add();                                                            // per batch
//
// Every counter is a column in a table whose rows belong to threads: a thread writes its own row,
// so no cache line is shared and nothing locks. A scrape sums the column. Rows are lent to threads
// at their first write and returned when they end; when all are lent, further threads share the
// last few rows and add atomically.
//
// Threads: instruments are thread-safe and wait-free to write. MetricRegistry and MetricScope lock;
// they are for start-up, reload and scrapes, never for an item.
// Ownership: an instrument lives until the last MetricScope that asked for it is gone, or as long
// as the registry when the registry itself was asked. The registry outlives every scope.
// Invariants: one name has one type, unit, help and set of label names. Label values come from
// configuration or from enums, never from data, so the number of series is bounded.

#ifndef WEIR_TELEMETRY_METRICS_H_
#define WEIR_TELEMETRY_METRICS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/telemetry/cells.h"

namespace weir {

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };
std::string_view MetricTypeName(MetricType type);

// What a metric is, declared once as a constant.
struct MetricSpec {
  // As the Collector names it in /metrics by default, without a type or unit suffix where the
  // Collector has none.
  std::string_view name;
  MetricType type = MetricType::kCounter;
  std::string_view unit;    // UCUM, as OpenTelemetry writes it: "s", "By", "{spans}".
  std::string_view labels;  // Names, comma-separated, in order: "receiver,transport".
  std::string_view help;
};

// Label names with their values, in the order of MetricSpec::labels.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Only grows.
class Counter {
 public:
  explicit Counter(CellRun cells) : cells_(cells) {}
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void Add(std::uint64_t count = 1) { cells_.Add(0, count); }
  std::uint64_t Value() const { return cells_.Sum(0); }

 private:
  friend class MetricRegistry;
  CellRun cells_;
};

// A level that many threads raise and lower: items held, requests in flight.
class UpDownCounter {
 public:
  explicit UpDownCounter(CellRun cells) : cells_(cells) {}
  UpDownCounter(const UpDownCounter&) = delete;
  UpDownCounter& operator=(const UpDownCounter&) = delete;

  // Cells wrap, so a row may pass below zero while the sum is right.
  void Add(std::int64_t delta) { cells_.Add(0, static_cast<std::uint64_t>(delta)); }
  std::int64_t Value() const { return static_cast<std::int64_t>(cells_.Sum(0)); }

 private:
  friend class MetricRegistry;
  CellRun cells_;
};

// A level that is set. One cache line for all writers: for values that change now and then.
class Gauge {
 public:
  Gauge() = default;
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;

  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  double Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};  // Relaxed: a level orders nothing.
};

// Upper bounds of a histogram's buckets, in the integer unit that Record takes, and what one such
// unit is in the unit that is exported: 1e-9 for nanoseconds shown as seconds.
struct HistogramBounds {
  std::vector<std::uint64_t> upper;  // Ascending, at most kHistogramBoundsMax.
  double scale = 1.0;
  bool operator==(const HistogramBounds&) const = default;
};
inline constexpr std::size_t kHistogramBoundsMax = 64;

// first, first * factor, first * factor^2, ... rounded; `count` bounds. REQUIRES: factor > 1.
HistogramBounds ExponentialBounds(std::uint64_t first, double factor, std::size_t count,
                                  double scale = 1.0);
// 10 µs to about 80 s in powers of two, recorded in nanoseconds, exported in seconds.
HistogramBounds LatencyBounds();

struct HistogramValue {
  std::vector<std::uint64_t> bucket_counts;  // Not cumulative; one more than there are bounds.
  std::vector<double> upper;                 // In the exported unit.
  double sum = 0;                            // In the exported unit.
  std::uint64_t count = 0;
};

class Histogram {
 public:
  Histogram(CellRun cells, HistogramBounds bounds);
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void Record(std::uint64_t value);
  HistogramValue Value() const;
  const HistogramBounds& bounds() const { return bounds_; }

 private:
  friend class MetricRegistry;
  CellRun cells_;  // One a bucket, then the sum.
  const HistogramBounds bounds_;
};

// What a scrape sees.
struct MetricSample {
  MetricLabels labels;
  double value = 0;
  HistogramValue histogram;  // Where the family's type is kHistogram.
};

struct MetricFamily {
  std::string name;
  std::string help;
  std::string unit;
  MetricType type = MetricType::kCounter;
  std::vector<MetricSample> samples;
};

// Something that adds families of its own to a scrape.
class MetricSource {
 public:
  virtual ~MetricSource() = default;
  // Called under the registry's lock: neither blocks nor calls the registry.
  virtual void Collect(std::vector<MetricFamily>& families) const = 0;
};

class MetricRegistry {
 public:
  using Observe = std::function<double()>;

  MetricRegistry();
  ~MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;

  // The instrument of this name and these labels, made at the first call; the same one afterwards.
  // It stays as long as the registry. REQUIRES: spec.type fits, label names equal spec.labels, and
  // the name is not in use with another spec. An UpDownCounter and a Gauge both are kGauge.
  Counter& GetCounter(const MetricSpec& spec, const MetricLabels& labels = {});
  UpDownCounter& GetUpDownCounter(const MetricSpec& spec, const MetricLabels& labels = {});
  Gauge& GetGauge(const MetricSpec& spec, const MetricLabels& labels = {});
  Histogram& GetHistogram(const MetricSpec& spec, const MetricLabels& labels,
                          const HistogramBounds& bounds);

  // `observe` is called at each scrape, under the registry's lock: it neither blocks nor calls the
  // registry. A later observation of the same series hides an earlier one. For kCounter and kGauge.
  void ObserveForever(const MetricSpec& spec, const MetricLabels& labels, Observe observe);

  // Until RemoveSource, which waits for a scrape that is under way.
  void AddSource(const MetricSource& source);
  void RemoveSource(const MetricSource& source);

  // All families by name, their samples by labels. Sources' families are merged in by name.
  std::vector<MetricFamily> Collect() const;

  CellPool& cells() { return *cells_; }

 private:
  friend class MetricScope;

  struct Observation {
    std::uint64_t id;
    Observe observe;
  };
  // One series: a name with labels. Exactly one member is set.
  struct Instance {
    MetricLabels labels;
    std::uint64_t references = 0;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<UpDownCounter> up_down;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
    std::vector<Observation> observations;
  };
  struct Family {
    MetricFamily described;  // Without samples.
    std::string label_names;
    std::map<std::string, Instance> instances;  // By joined label values.
  };

  // All REQUIRE mutex_ held.
  Instance& Reference(const MetricSpec& spec, const MetricLabels& labels);
  void CollectInstance(const Instance& instance, MetricFamily& family) const;

  Counter& ReferenceCounter(const MetricSpec& spec, const MetricLabels& labels);
  UpDownCounter& ReferenceUpDownCounter(const MetricSpec& spec, const MetricLabels& labels);
  Gauge& ReferenceGauge(const MetricSpec& spec, const MetricLabels& labels);
  Histogram& ReferenceHistogram(const MetricSpec& spec, const MetricLabels& labels,
                                const HistogramBounds& bounds);
  std::uint64_t ReferenceObservation(const MetricSpec& spec, const MetricLabels& labels,
                                     Observe observe);
  void Release(std::string_view name, const MetricLabels& labels, std::uint64_t observation_id);
  void FreeInstance(Instance& instance);

  const std::unique_ptr<CellPool> cells_;

  mutable std::mutex mutex_;  // Guards all below.
  std::map<std::string, Family, std::less<>> families_;
  std::vector<const MetricSource*> sources_;
  std::uint64_t observation_id_last_ = 0;
};

// The instruments of one component: they leave the registry with it. Two scopes may hold the same
// series, as the old and the new graph do during a reload; it counts on.
//
// Threads: one at a time.
class MetricScope {
 public:
  explicit MetricScope(MetricRegistry& registry) : registry_(registry) {}
  ~MetricScope();
  MetricScope(const MetricScope&) = delete;
  MetricScope& operator=(const MetricScope&) = delete;

  Counter& GetCounter(const MetricSpec& spec, const MetricLabels& labels = {});
  UpDownCounter& GetUpDownCounter(const MetricSpec& spec, const MetricLabels& labels = {});
  Gauge& GetGauge(const MetricSpec& spec, const MetricLabels& labels = {});
  Histogram& GetHistogram(const MetricSpec& spec, const MetricLabels& labels,
                          const HistogramBounds& bounds);
  // Never called again once this scope is destroyed. See MetricRegistry::ObserveForever.
  void Observe(const MetricSpec& spec, const MetricLabels& labels, MetricRegistry::Observe observe);

  MetricRegistry& registry() { return registry_; }

 private:
  struct Held {
    std::string name;
    MetricLabels labels;
    std::uint64_t observation_id;  // 0 when it is an instrument.
  };

  MetricRegistry& registry_;
  std::vector<Held> held_;
};

}  // namespace weir

#endif  // WEIR_TELEMETRY_METRICS_H_

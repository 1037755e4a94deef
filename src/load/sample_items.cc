#include "load/sample_items.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "load/options.h"
#include "weir/base/check.h"
#include "weir/wire/otlp.h"
#include "weir/wire/varint.h"
#include "weir/wire/writer.h"

namespace weir::load {
namespace {

namespace otlp = wire::otlp;

constexpr std::uint64_t kMillisecond = 1000000;  // In nanoseconds.

constexpr std::array<std::string_view, 6> kServices = {"frontend", "checkout", "cart",
                                                       "payment",  "shipping", "inventory"};
constexpr std::array<std::string_view, 6> kOperations = {
    "GET /api/products/{id}", "POST /api/cart", "SELECT shop.orders",
    "POST /api/checkout",     "orders publish", "GET /api/recommendations"};

// An attribute and what it may say.
struct Choice {
  std::string_view key;
  std::array<std::string_view, 4> values;
};
constexpr std::array<Choice, 7> kAttributes = {{
    {"http.request.method", {"GET", "POST", "PUT", "DELETE"}},
    {"http.route", {"/api/products/{id}", "/api/cart", "/api/checkout", "/api/orders/{id}"}},
    {"server.address", {"shop.internal", "cart.internal", "pay.internal", "db-0.internal"}},
    {"network.protocol.version", {"1.1", "2", "3", "1.0"}},
    {"client.address", {"10.4.18.7", "10.4.22.19", "10.7.3.240", "192.168.12.4"}},
    {"user_agent.original",
     {"Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5.0", "okhttp/4.12.0", "shop-app/3.2 (iPhone)"}},
    {"feature_flag.key", {"new-checkout", "fast-search", "dark-mode", "none"}},
}};
constexpr std::array<std::string_view, 16> kWords = {
    "order",    "accepted", "customer", "retry",  "warehouse", "price", "timeout", "session",
    "discount", "request",  "parcel",   "region", "invoice",   "queue", "refund",  "stock"};

struct Severity {
  std::uint32_t number;
  std::string_view text;
};
constexpr std::array<Severity, 5> kSeverities = {
    {{9, "INFO"}, {9, "INFO"}, {5, "DEBUG"}, {13, "WARN"}, {17, "ERROR"}}};

template <typename T, std::size_t kSize>
const T& Pick(const std::array<T, kSize>& values, Random& random) {
  return values[random.Below(kSize)];
}

std::string Words(std::size_t bytes, Random& random) {
  std::string text;
  while (text.size() < bytes) {
    text += Pick(kWords, random);
    text += random.Below(4) == 0 ? fmt::format(" {} ", random.Below(100000)) : " ";
  }
  text.resize(bytes);
  return text;
}

// The attributes of one item at `field`: known ones while they fit, then text up to the size.
// `instance` comes first, so that data points of one metric are different series.
void WriteAttributes(wire::Writer& writer, otlp::FieldNumber field, const SampleShape& shape,
                     std::uint32_t instance, Random& random) {
  if (shape.numbered) {
    std::array<char, 1 + kSequenceBytes> value{};
    value[0] = static_cast<char>(wire::MakeTag(otlp::kAnyInt, wire::WireType::kVarint));
    wire::WritePaddedVarint(value.data() + 1, 0, kSequenceBytes);
    writer.AnyAttribute(field, kSequenceAttribute, {value.data(), value.size()});
  }
  std::size_t left = shape.item_bytes;
  const auto write = [&](std::string_view key, std::string_view value) {
    if (key.size() + value.size() <= left) {
      writer.StringAttribute(field, key, value);
      left -= key.size() + value.size();
    }
  };
  write("session.id", fmt::format("s{:06}", instance));
  for (const Choice& choice : kAttributes) {
    write(choice.key, Pick(choice.values, random));
  }
  constexpr std::string_view kStatus = "http.response.status_code";
  if (kStatus.size() + 2 <= left) {
    writer.IntAttribute(field, kStatus, random.Below(20) == 0 ? 503 : 200);
    left -= kStatus.size() + 2;
  }
  constexpr std::string_view kText = "note";
  if (kText.size() < left) {
    writer.StringAttribute(field, kText, Words(left - kText.size(), random));
  }
}

// When a span of the tree began and ended, as ages. A child lies inside its parent.
struct Ages {
  std::uint64_t start;
  std::uint64_t end;
};

Ages SpanAges(std::span<const Ages> tree, std::uint32_t place, Random& random) {
  if (place == 0) {
    const std::uint64_t end = random.Below(5 * kMillisecond);
    return {end + kMillisecond + random.Below(250 * kMillisecond), end};
  }
  const Ages& parent = tree[(place - 1) / 2];
  const std::uint64_t quarter = (parent.start - parent.end) / 4;
  return {parent.start - random.Below(quarter + 1), parent.end + random.Below(quarter + 1)};
}

// A span id that says its place; 1 and up, since 0 is no id.
std::array<char, kSpanIdBytes> SpanPlace(std::uint32_t place) {
  return {static_cast<char>(place + 1)};
}

void WriteSpans(wire::Writer& writer, const SampleShape& shape, Random& random) {
  const std::array<char, kTraceIdBytes> trace_id{};
  std::array<Ages, kSpansPerTrace> tree{};
  for (std::uint32_t i = 0; i < shape.items; ++i) {
    const std::uint32_t place = i % kSpansPerTrace;
    tree[place] = SpanAges(tree, place, random);
    const wire::Writer::Message span = writer.Open(otlp::kScopeItems);
    writer.Bytes(otlp::kSpanTraceId, {trace_id.data(), trace_id.size()});
    const std::array<char, kSpanIdBytes> id = SpanPlace(place);
    writer.Bytes(otlp::kSpanSpanId, {id.data(), id.size()});
    if (place > 0) {
      const std::array<char, kSpanIdBytes> parent = SpanPlace((place - 1) / 2);
      writer.Bytes(otlp::kSpanParentSpanId, {parent.data(), parent.size()});
    }
    writer.String(otlp::kSpanName, Pick(kOperations, random));
    writer.Uint(otlp::kSpanKind, place == 0 ? 2 : 1 + 2 * random.Below(2));  // Server; inner.
    writer.Fixed64(otlp::kSpanStartTime, tree[place].start);
    writer.Fixed64(otlp::kSpanEndTime, tree[place].end);
    WriteAttributes(writer, otlp::kSpanAttributes, shape, i, random);
    if (random.Below(20) == 0) {
      const wire::Writer::Message status = writer.Open(otlp::kSpanStatus);
      writer.String(otlp::kStatusMessage, "upstream answered 503");
      writer.Uint(otlp::kStatusCode, 2);
    }
  }
}

void WriteLogs(wire::Writer& writer, const SampleShape& shape, Random& random) {
  const std::array<char, kTraceIdBytes> trace_id{};
  for (std::uint32_t i = 0; i < shape.items; ++i) {
    const wire::Writer::Message record = writer.Open(otlp::kScopeItems);
    writer.Fixed64(otlp::kLogTime, random.Below(20 * kMillisecond));
    const Severity severity = Pick(kSeverities, random);
    writer.Uint(otlp::kLogSeverityNumber, severity.number);
    writer.String(otlp::kLogSeverityText, severity.text);
    writer.StringValue(otlp::kLogBody,
                       fmt::format("{} took {} ms: {}", Pick(kOperations, random),
                                   random.Below(500), Words(20 + random.Below(60), random)));
    WriteAttributes(writer, otlp::kLogAttributes, shape, i, random);
    writer.Bytes(otlp::kLogTraceId, {trace_id.data(), trace_id.size()});
    const std::array<char, kSpanIdBytes> span_id = SpanPlace(0);
    writer.Bytes(otlp::kLogSpanId, {span_id.data(), span_id.size()});
    writer.Fixed64(otlp::kLogObservedTime, 0);
  }
}

void WritePointTimes(wire::Writer& writer) {
  writer.Fixed64(otlp::kPointStartTime, 0);
  writer.Fixed64(otlp::kPointTime, 0);
}

void WriteHistogramPoint(wire::Writer& writer, const SampleShape& shape, std::uint32_t instance,
                         Random& random) {
  constexpr std::array<double, 8> kBounds = {1, 5, 10, 25, 50, 100, 250, 1000};
  std::array<char, (kBounds.size() + 1) * sizeof(std::uint64_t)> counts{};
  std::array<char, kBounds.size() * sizeof(double)> bounds{};
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= kBounds.size(); ++i) {
    const std::uint64_t count = random.Below(40);
    total += count;
    wire::WriteFixed64(counts.data() + i * sizeof count, count);
    if (i < kBounds.size()) {
      wire::WriteFixed64(bounds.data() + i * sizeof count,
                         std::bit_cast<std::uint64_t>(kBounds[i]));
    }
  }
  WritePointTimes(writer);
  writer.Fixed64(otlp::kHistogramCount, total);
  writer.Double(otlp::kHistogramSum, static_cast<double>(total) * 42.5);
  writer.Bytes(otlp::kHistogramBucketCounts, {counts.data(), counts.size()});
  writer.Bytes(otlp::kHistogramExplicitBounds, {bounds.data(), bounds.size()});
  WriteAttributes(writer, otlp::kHistogramAttributes, shape, instance, random);
}

void WriteNumberPoint(wire::Writer& writer, const SampleShape& shape, bool counter,
                      std::uint32_t instance, Random& random) {
  WritePointTimes(writer);
  if (counter) {
    writer.Fixed64(otlp::kNumberAsInt, random.Below(100000));
  } else {
    writer.Double(otlp::kNumberAsDouble, 10 + 90 * random.Fraction());
  }
  WriteAttributes(writer, otlp::kNumberAttributes, shape, instance, random);
}

// The metrics take turns: a cumulative counter, a gauge, a histogram of deltas.
void WriteMetrics(wire::Writer& writer, const SampleShape& shape, Random& random) {
  struct Kind {
    std::string_view name;
    std::string_view unit;
    otlp::FieldNumber data;
    std::uint32_t temporality;  // 0: a gauge has none.
  };
  constexpr std::array<Kind, 3> kKinds = {
      {{"http.server.requests", "{request}", otlp::kMetricSum, 2},
       {"process.cpu.utilization", "%", otlp::kMetricGauge, 0},
       {"http.server.request.duration", "ms", otlp::kMetricHistogram, 1}}};
  constexpr std::uint32_t kPointsPerMetric = 5;
  for (std::uint32_t first = 0; first < shape.items; first += kPointsPerMetric) {
    const Kind& kind = kKinds[first / kPointsPerMetric % kKinds.size()];
    const wire::Writer::Message metric = writer.Open(otlp::kScopeItems);
    writer.String(otlp::kMetricName, kind.name);
    writer.String(otlp::kMetricUnit, kind.unit);
    const wire::Writer::Message data = writer.Open(kind.data);
    for (std::uint32_t i = first; i < std::min(first + kPointsPerMetric, shape.items); ++i) {
      const wire::Writer::Message point = writer.Open(otlp::kDataPoints);
      if (kind.data == otlp::kMetricHistogram) {
        WriteHistogramPoint(writer, shape, i, random);
      } else {
        WriteNumberPoint(writer, shape, kind.data == otlp::kMetricSum, i, random);
      }
    }
    if (kind.temporality > 0) {
      writer.Uint(otlp::kDataTemporality, kind.temporality);
    }
    if (kind.data == otlp::kMetricSum) {
      writer.Bool(otlp::kSumIsMonotonic, true);
    }
  }
}

void WriteResource(wire::Writer& writer, const SampleShape& shape) {
  const std::string_view service = kServices[shape.service % kServices.size()];
  const wire::Writer::Message resource = writer.Open(otlp::kResourceResource);
  const auto write = [&](std::string_view key, std::string_view value) {
    writer.StringAttribute(otlp::kResourceAttributes, key, value);
  };
  write("service.name", service);
  write("service.namespace", "shop");
  write("service.version", "2.7.1");
  write("service.instance.id", fmt::format("{}-{}", service, shape.service));
  write("deployment.environment.name", "load-test");
  write("host.name", fmt::format("node-{}.shop.internal", shape.service));
  write("telemetry.sdk.name", "weir-load");
}

}  // namespace

Slice WriteSample(const SampleShape& shape, Random& random) {
  WEIR_CHECK(shape.items >= 1);
  wire::Writer writer(std::size_t{shape.items} * (shape.item_bytes + std::size_t{256}));
  {
    const wire::Writer::Message group = writer.Open(otlp::kRequestResources);
    WriteResource(writer, shape);
    const wire::Writer::Message scoped = writer.Open(otlp::kResourceScopes);
    {
      const wire::Writer::Message scope = writer.Open(otlp::kScopeScope);
      writer.String(otlp::kScopeName, "weir.load");
      writer.String(otlp::kScopeVersion, "1");
    }
    switch (shape.signal) {
      case Signal::kTraces:
        WriteSpans(writer, shape, random);
        break;
      case Signal::kMetrics:
        WriteMetrics(writer, shape, random);
        break;
      case Signal::kLogs:
        WriteLogs(writer, shape, random);
        break;
    }
  }
  WEIR_CHECK(!writer.failed());
  return std::move(writer).Finish();
}

}  // namespace weir::load

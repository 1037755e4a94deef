// What editing costs: nanoseconds a span to delete one attribute and insert another, on requests of
// 100 spans of 520 bytes with 12 attributes, and what a rewrite costs that changes nothing.
//
//   cmake --build <release build with BUILD_TESTING=ON> --target rewrite_bench
//   taskset -c 1 <build>/tests/bench/micro/rewrite_bench
//   rewrite_bench --dump FILE    writes the request instead, for other programs

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "weir/base/budget.h"
#include "weir/component/attribute_actions.h"
#include "weir/wire/attribute_search.h"
#include "weir/wire/rewriter.h"
#include "weir/wire/writer.h"

namespace weir::wire {
namespace {

constexpr int kSpans = 100;

std::string RandomBytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(random());
  }
  return bytes;
}

void WriteSpan(Writer& writer, std::mt19937& random, int index) {
  auto span = writer.Open(otlp::kScopeItems);
  writer.Bytes(otlp::kSpanTraceId, RandomBytes(random, 16));
  writer.Bytes(otlp::kSpanSpanId, RandomBytes(random, 8));
  writer.Bytes(otlp::kSpanParentSpanId, RandomBytes(random, 8));
  writer.String(otlp::kSpanName, "GET /api/v1/cart/{id}");
  writer.Uint(otlp::kSpanKind, 2);
  writer.Fixed64(otlp::kSpanStartTime, 1732400000000000000 + static_cast<std::uint64_t>(index));
  writer.Fixed64(otlp::kSpanEndTime, 1732400000001000000 + static_cast<std::uint64_t>(index));
  const auto text = [&](std::string_view key, std::string_view value) {
    writer.StringAttribute(otlp::kSpanAttributes, key, value);
  };
  text("http.request.method", "GET");
  text("url.path", fmt::format("/api/v1/cart/{}", random() % 100000));
  text("url.scheme", "https");
  writer.IntAttribute(otlp::kSpanAttributes, "http.response.status_code", 200);
  text("http.route", "/api/v1/cart/{id}");
  text("server.address", "checkout.shop.svc.cluster.local");
  writer.IntAttribute(otlp::kSpanAttributes, "server.port", 8443);
  text("client.address", fmt::format("10.4.{}.{}", random() % 256, random() % 256));
  text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
  text("network.protocol.version", "1.1");
  writer.IntAttribute(otlp::kSpanAttributes, "thread.id", random() % 300);
  text("thread.name", fmt::format("http-nio-8443-exec-{}", random() % 200));
}

Slice MakeRequest() {
  std::mt19937 random(7);
  Writer writer(64 * 1024);
  {
    auto resource_spans = writer.Open(otlp::kRequestResources);
    {
      auto resource = writer.Open(otlp::kResourceResource);
      writer.StringAttribute(otlp::kResourceAttributes, "service.name", "checkout");
      writer.StringAttribute(otlp::kResourceAttributes, "host.name", "node-17.eu-west-1");
    }
    auto scope_spans = writer.Open(otlp::kResourceScopes);
    for (int i = 0; i < kSpans; ++i) {
      WriteSpan(writer, random, i);
    }
  }
  return std::move(writer).Finish();
}

struct DeleteAndInsert : RewriteVisitor {
  DeleteAndInsert() { inserted.StringAttribute(otlp::kSpanAttributes, "env", "prod"); }
  Verdict OnItem(const Item& item, Edit& edit) {
    bool present = false;
    if (!SearchAttributes(item.contents, item.attributes_field, keys,
                          [&](std::size_t key, const AttributeView& attribute) {
                            if (key == 0) {
                              edit.Cut(attribute.field);
                            } else {
                              present = true;
                            }
                          })) {
      return Verdict::kMalformed;
    }
    if (!present) {
      edit.AppendStable(inserted.view());
    }
    return edit.empty() ? Verdict::kKeep : Verdict::kEdit;
  }
  KeyMatcher keys{std::vector<std::string>{"user_agent.original", "env"}};
  Writer inserted{64};
};

// The same by the actions of the attributes processor, which has this visitor.
struct Actions : RewriteVisitor {
  static std::vector<AttributeActionConfig> Configs() {
    AttributeActionConfig remove;
    remove.key = "user_agent.original";
    remove.action = AttributeActionKind::kDelete;
    AttributeActionConfig insert;
    insert.key = "env";
    insert.value = ConfigNode::String("prod");
    insert.action = AttributeActionKind::kInsert;
    return {remove, insert};
  }
  Verdict OnItem(const Item& item, Edit& edit) {
    if (!actions.Apply(item.contents, item.attributes_field, edit)) {
      return Verdict::kMalformed;
    }
    return edit.empty() ? Verdict::kKeep : Verdict::kEdit;
  }
  AttributeActions actions{Configs()};
};

struct DropHalf : RewriteVisitor {
  Verdict OnItem(const Item& item, Edit&) {
    SpanView span;
    if (!span.Parse(item.contents)) {
      return Verdict::kMalformed;
    }
    return (span.trace_id[0] & 1) != 0 ? Verdict::kDrop : Verdict::kKeep;
  }
};

struct LookOnly : RewriteVisitor {
  Verdict OnItem(const Item& item, Edit&) {
    return SearchAttributes(item.contents, item.attributes_field, keys,
                            [](std::size_t, const AttributeView&) {})
               ? Verdict::kKeep
               : Verdict::kMalformed;
  }
  KeyMatcher keys{std::vector<std::string>{"no.such.attribute"}};
};

// The process's own time, so that figures hold on a machine that does other things.
double CpuNanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <typename Visitor>
void Measure(const char* name, const Slice& request) {
  MemoryBudget budget;
  Rewriter rewriter(&budget);
  Visitor visitor;
  double best = 1e9;
  std::size_t size = 0;
  for (int round = 0; round < 7; ++round) {
    constexpr int kRequests = 2000;
    const double begin = CpuNanoseconds();
    for (int i = 0; i < kRequests; ++i) {
      size = rewriter.Rewrite(Signal::kTraces, request, visitor).payload.size();
    }
    best = std::min(best, (CpuNanoseconds() - begin) / kRequests / kSpans);
  }
  fmt::print("{:<22} {:6} -> {:6} bytes  {:6.1f} ns/span\n", name, request.size(), size, best);
}

}  // namespace
}  // namespace weir::wire

int main(int argc, char** argv) {
  const weir::Slice request = weir::wire::MakeRequest();
  if (argc == 3 && std::string_view(argv[1]) == "--dump") {
    std::ofstream(argv[2], std::ios::binary) << request.view();
    return 0;
  }
  weir::wire::Measure<weir::wire::LookOnly>("look", request);
  weir::wire::Measure<weir::wire::DeleteAndInsert>("delete and insert", request);
  weir::wire::Measure<weir::wire::Actions>("attributes processor", request);
  weir::wire::Measure<weir::wire::DropHalf>("drop half", request);
  return 0;
}

#include "extensions/zpages/pages.h"

#include <algorithm>
#include <iterator>

#include "fmt/format.h"
#include "net/html_page.h"

namespace weir::extensions::zpages {

namespace {

const NodeBooks* FindNode(const std::optional<Look>& look, const NodeKey& key) {
  if (!look.has_value()) {
    return nullptr;
  }
  const auto found = std::ranges::find(look->nodes, key, &NodeBooks::key);
  return found == look->nodes.end() ? nullptr : &*found;
}

std::string Rate(std::uint64_t before, std::uint64_t now, double seconds) {
  return fmt::format("{:.1f}", static_cast<double>(now - before) / seconds);
}

std::string DropsOf(const NodeBooks& books) {
  std::string text;
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    if (books.dropped_by_reason[i] != 0) {
      fmt::format_to(std::back_inserter(text), "{}{} {}", text.empty() ? "" : ", ",
                     books.dropped_by_reason[i], DropReasonName(static_cast<DropReason>(i)));
    }
  }
  return text.empty() ? "0" : text;
}

}  // namespace

std::string RenderPipelines(const std::optional<Look>& before, const Look& now) {
  std::string body =
      "<table><tr><th>node</th><th>signal</th><th>pipeline</th><th>in/s</th><th>out/s</th>"
      "<th>in</th><th>created</th><th>recovered</th><th>out</th><th>consumed</th><th>held</th>"
      "<th>dropped</th><th>refused at the door</th><th>missing</th></tr>";
  const double seconds =
      before.has_value() ? std::chrono::duration<double>(now.time - before->time).count() : 0;
  for (const NodeBooks& books : now.nodes) {
    const NodeBooks* const earlier = FindNode(before, books.key);
    const bool has_rate = earlier != nullptr && seconds > 0;
    fmt::format_to(
        std::back_inserter(body),
        "<tr><td>{} {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
        "<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td{}>{}</td></tr>",
        NodeKindName(books.key.kind), net::EscapeHtml(books.key.node), SignalName(books.key.signal),
        net::EscapeHtml(books.key.pipeline), has_rate ? Rate(earlier->in, books.in, seconds) : "",
        has_rate ? Rate(earlier->out, books.out, seconds) : "", books.in, books.created,
        books.recovered, books.out, books.consumed, books.held, DropsOf(books), books.refused,
        books.closes() ? "" : " class=\"bad\"", books.missing());
  }
  body +=
      "</table><p>in + created + recovered = out + consumed + held + dropped + missing. On a busy "
      "node items between two counts may show as missing for a moment. Rates are those since the "
      "page was looked at before.</p>";
  return net::DebugPage("pipelines", body);
}

std::string RenderMemory(const MemoryBudget& budget) {
  const std::string limit = budget.limit() == MemoryBudget::kUnlimited
                                ? std::string("none")
                                : fmt::format("{}", budget.limit());
  return net::DebugPage("memory",
                        fmt::format("<table><tr><th>telemetry in flight</th><th>bytes</th></tr>"
                                    "<tr><td>now</td><td>{}</td></tr>"
                                    "<tr><td>peak</td><td>{}</td></tr>"
                                    "<tr><td>limit</td><td>{}</td></tr>"
                                    "<tr><td>refusals</td><td>{}</td></tr></table>",
                                    budget.used(), budget.peak(), limit, budget.refusals()));
}

std::string RenderIndex() {
  return net::DebugPage(
      "debug pages",
      "<ul><li><a href=\"/debug/servicez\">service: build and configuration</a></li>"
      "<li><a href=\"/debug/pipelinez\">pipelines: rates and books of every node</a></li>"
      "<li><a href=\"/debug/queuez\">queues</a></li>"
      "<li><a href=\"/debug/memoryz\">memory</a></li>"
      "<li><a href=\"/debug/ledger.json\">the ledger as JSON</a></li></ul>");
}

}  // namespace weir::extensions::zpages

#include "service/debug_pages.h"

#include <iterator>

#include "fmt/format.h"
#include "service/service.h"

namespace weir::service {
namespace {

std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string Document(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html><html><head><meta charset=\"utf-8\"><title>weir: {0}</title></head>"
      "<body><h1>{0}</h1>{1}<p><a href=\"/debug/\">all pages</a></p></body></html>\n",
      title, body);
}

std::string RenderService(const Service& service) {
  const KnownComponents known = DescribeComponents(*service.options().registry);
  return Document("service",
                  fmt::format("<p>weir {} ({})</p><h2>Configuration</h2><pre>{}</pre>",
                              Escape(service.options().version), Escape(service.options().revision),
                              Escape(RenderEffective(service.options().root, known))));
}

std::string RenderQueues(const Service& service) {
  std::string rows;
  for (const auto& [id, node] : service.graph().exporters()) {
    for (const Signal signal : kSignals) {
      const pipeline::ExportQueue* queue = node->queues[SignalIndex(signal)].get();
      if (queue != nullptr) {
        fmt::format_to(
            std::back_inserter(rows),
            "<tr><td>{}</td><td>{}</td><td>{:.2f}</td><td>{:.0f}</td><td>{:.1f} s</td></tr>",
            Escape(id.ToString()), SignalName(signal), queue->size(), queue->capacity(),
            queue->oldest_age_seconds());
      }
    }
  }
  return Document("queues",
                  "<table><tr><th>exporter</th><th>signal</th><th>size</th><th>capacity</th>"
                  "<th>oldest</th></tr>" +
                      rows + "</table>");
}

}  // namespace

std::string RenderDebugPage(const Service& service, std::string_view path) {
  if (path == "servicez") {
    return RenderService(service);
  }
  if (path == "queuez") {
    return RenderQueues(service);
  }
  return std::string();
}

}  // namespace weir::service

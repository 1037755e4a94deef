#include "service/debug_pages.h"

#include <iterator>

#include "fmt/format.h"
#include "net/html_page.h"
#include "service/service.h"

namespace weir::service {
namespace {

std::string RenderService(const Service& service) {
  const KnownComponents known = DescribeComponents(*service.options().registry);
  return net::DebugPage("service",
                        fmt::format("<p>weir {} ({})</p><h2>Configuration</h2><pre>{}</pre>",
                                    net::EscapeHtml(service.options().version),
                                    net::EscapeHtml(service.options().revision),
                                    net::EscapeHtml(RenderEffective(service.root(), known))));
}

std::string RenderQueues(const Service& service) {
  std::string rows;
  service.graph().VisitQueues([&](const ComponentId& id, Signal signal,
                                  const pipeline::ExportQueue& queue) {
    fmt::format_to(std::back_inserter(rows),
                   "<tr><td>{}</td><td>{}</td><td>{:.2f}</td><td>{:.0f}</td><td>{:.1f} s</td></tr>",
                   net::EscapeHtml(id.ToString()), SignalName(signal), queue.size(),
                   queue.capacity(), queue.oldest_age_seconds());
  });
  return net::DebugPage("queues",
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

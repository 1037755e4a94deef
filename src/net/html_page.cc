#include "net/html_page.h"

#include "fmt/format.h"

namespace weir::net {

std::string EscapeHtml(std::string_view text) {
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

std::string DebugPage(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>weir: {0}</title>"
      "<style>body{{font:14px system-ui,sans-serif;margin:2em}}table{{border-collapse:collapse}}"
      "td,th{{padding:.3em .8em;border-bottom:1px solid #ccc;text-align:right}}"
      "td:first-child,th:first-child{{text-align:left}}.bad{{color:#b00;font-weight:bold}}</style>"
      "</head><body><h1>{0}</h1>{1}<p><a href=\"/debug/\">all pages</a></p></body></html>\n",
      title, body);
}

}  // namespace weir::net

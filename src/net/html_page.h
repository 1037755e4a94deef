// The plain HTML that our own pages are made of.
//
// Threads: pure functions.

#ifndef WEIR_NET_HTML_PAGE_H_
#define WEIR_NET_HTML_PAGE_H_

#include <string>
#include <string_view>

namespace weir::net {

std::string EscapeHtml(std::string_view text);

// A whole page below /debug/. `body` is HTML already; `title` holds nothing that needs escaping.
std::string DebugPage(std::string_view title, std::string_view body);

}  // namespace weir::net

#endif  // WEIR_NET_HTML_PAGE_H_

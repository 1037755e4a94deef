// The service's own pages below /debug/, shown by whatever extension has a server for them.

#ifndef WEIR_SERVICE_DEBUG_PAGES_H_
#define WEIR_SERVICE_DEBUG_PAGES_H_

#include <string>
#include <string_view>

namespace weir::service {

class Service;

// HTML of `servicez` (build, effective configuration) and `queuez`; empty for other paths.
// Threads: any, while the service runs.
std::string RenderDebugPage(const Service& service, std::string_view path);

}  // namespace weir::service

#endif  // WEIR_SERVICE_DEBUG_PAGES_H_

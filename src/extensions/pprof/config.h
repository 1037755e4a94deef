// Options of the pprof extension, with the Collector's keys and defaults.

#ifndef WEIR_EXTENSIONS_PPROF_CONFIG_H_
#define WEIR_EXTENSIONS_PPROF_CONFIG_H_

#include <string>

#include "net/page_server.h"
#include "weir/config/fields.h"

namespace weir::extensions::pprof {

struct Config {
  net::PageServerConfig server{.endpoint = "localhost:1777", .tls = {}};

  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.server);
    visit.Ignored("block_profile_fraction", "there are no goroutines to profile");
    visit.Ignored("mutex_profile_fraction", "there are no goroutines to profile");
    visit.Ignored("save_to_file", "use perf to record a CPU profile");
  }
  bool operator==(const Config&) const = default;
};

}  // namespace weir::extensions::pprof

#endif  // WEIR_EXTENSIONS_PPROF_CONFIG_H_

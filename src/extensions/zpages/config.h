// Options of the zpages extension, with the Collector's keys and defaults.

#ifndef WEIR_EXTENSIONS_ZPAGES_CONFIG_H_
#define WEIR_EXTENSIONS_ZPAGES_CONFIG_H_

#include "net/page_server.h"
#include "weir/config/fields.h"

namespace weir::extensions::zpages {

struct ExpvarConfig {
  bool enabled = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("enabled", self.enabled, "Read for compatibility: it shows variables of Go's runtime.");
  }
  bool operator==(const ExpvarConfig&) const = default;
};

struct Config {
  net::PageServerConfig server{.endpoint = "localhost:55679", .tls = {}};
  ExpvarConfig expvar;

  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.server);
    visit("expvar", self.expvar, "Read for compatibility.");
  }
  bool operator==(const Config&) const = default;
};

}  // namespace weir::extensions::zpages

#endif  // WEIR_EXTENSIONS_ZPAGES_CONFIG_H_

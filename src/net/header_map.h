// The `headers` of an exporter's configuration: a map, or a list of {name, value} as the Collector
// also takes. Values may be secrets and are shown redacted.
//
// Threads: plain values.

#ifndef WEIR_NET_HEADER_MAP_H_
#define WEIR_NET_HEADER_MAP_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/config/fields.h"

namespace weir::net {

struct HeaderMap {
  std::vector<std::pair<std::string, std::string>> entries;  // Names as written, in order.

  static HeaderMap ReadField(const ConfigNode& node, const std::string& path, ConfigErrors& errors);
  ConfigNode FormatField(SecretPolicy policy) const;
  static ConfigNode FieldSchema();
  static std::string FieldTypeName() { return "headers"; }
  static ConfigNode RedactField(const ConfigNode& node);
  bool operator==(const HeaderMap&) const = default;
};

}  // namespace weir::net

#endif  // WEIR_NET_HEADER_MAP_H_

// Options of the bearertokenauth extension, with the Collector's keys and defaults.

#ifndef WEIR_EXTENSIONS_BEARERTOKENAUTH_CONFIG_H_
#define WEIR_EXTENSIONS_BEARERTOKENAUTH_CONFIG_H_

#include <string>
#include <vector>

#include "weir/config/fields.h"

namespace weir::extensions::bearertokenauth {

struct Config {
  std::string header = "Authorization";
  std::string scheme = "Bearer";
  Secret token;
  std::vector<Secret> tokens;
  std::string filename;

  static void VisitFields(auto& self, auto& visit) {
    visit("header", self.header, "Header that carries the token.");
    visit("scheme", self.scheme, "Word in front of the token; empty for none.");
    visit("token", self.token, "The token.");
    visit("tokens", self.tokens,
          "Several tokens: a receiver takes any of them, an exporter sends the first.");
    visit("filename", self.filename,
          "File of tokens, one a line; wins over the others and is read again when it changes.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::extensions::bearertokenauth

#endif  // WEIR_EXTENSIONS_BEARERTOKENAUTH_CONFIG_H_

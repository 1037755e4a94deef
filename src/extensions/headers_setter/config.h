// Options of the headers_setter extension, with the Collector's keys and defaults.

#ifndef WEIR_EXTENSIONS_HEADERS_SETTER_CONFIG_H_
#define WEIR_EXTENSIONS_HEADERS_SETTER_CONFIG_H_

#include <optional>
#include <string>
#include <vector>

#include "weir/config/fields.h"

namespace weir::extensions::headers_setter {

enum class Action : std::uint8_t { kUpsert, kInsert, kUpdate, kDelete };

struct HeaderConfig {
  Action action = Action::kUpsert;
  std::string key;
  std::optional<std::string> value;
  std::optional<std::string> value_file;
  std::optional<std::string> from_context;
  std::optional<std::string> from_attribute;
  std::optional<Secret> default_value;

  static void VisitFields(auto& self, auto& visit) {
    visit("action", self.action,
          "`insert` where it is missing, `update` where it is there, `upsert` for both, `delete`.");
    visit("key", self.key, "Name of the header.");
    visit("value", self.value, "Its value.");
    visit("value_file", self.value_file, "File that holds its value; read again when it changes.");
    visit("from_context", self.from_context,
          "Metadata key of the incoming request whose value it takes (the receiver needs "
          "`include_metadata`).");
    visit("from_attribute", self.from_attribute,
          "Attribute of the incoming request's authentication whose value it takes.");
    visit("default_value", self.default_value,
          "Value where the context has none; without it the header is then left out.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const HeaderConfig&) const = default;
};

struct Config {
  std::vector<HeaderConfig> headers;
  std::optional<ComponentId> additional_auth;

  static void VisitFields(auto& self, auto& visit) {
    visit("headers", self.headers, "What to do, in order.");
    visit("additional_auth", self.additional_auth,
          "Another authenticator, whose headers are added first.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::extensions::headers_setter

template <>
struct weir::EnumNames<weir::extensions::headers_setter::Action> {
  using Action = weir::extensions::headers_setter::Action;
  static constexpr std::pair<std::string_view, Action> kNames[] = {{"upsert", Action::kUpsert},
                                                                   {"insert", Action::kInsert},
                                                                   {"update", Action::kUpdate},
                                                                   {"delete", Action::kDelete}};
};

#endif  // WEIR_EXTENSIONS_HEADERS_SETTER_CONFIG_H_

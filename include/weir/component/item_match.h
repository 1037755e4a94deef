// ItemMatch is the Collector's `include` and `exclude`: which items a processor acts on.
//
// An item is acted on when it matches `include` (or there is none) and does not match `exclude`. It
// matches when every property that is listed does; lists of names match when one of them does,
// `attributes`, `resources` and `libraries` when all of them do, as in the Collector. Metrics are
// matched by their names alone.
//
// Threads: one at a time; what a resource or scope is worth is remembered until the next one.
// Ownership: a resource or scope given stays where it is until the next one of its kind.

#ifndef WEIR_COMPONENT_ITEM_MATCH_H_
#define WEIR_COMPONENT_ITEM_MATCH_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/config/fields.h"
#include "weir/wire/signal.h"

namespace weir {

enum class MatchType : std::uint8_t { kStrict, kRegexp };

template <>
struct EnumNames<MatchType> {
  static constexpr std::pair<std::string_view, MatchType> kNames[] = {
      {"strict", MatchType::kStrict}, {"regexp", MatchType::kRegexp}};
};

struct MatchedAttribute {
  std::string key;
  ConfigNode value;

  static void VisitFields(auto& self, auto& visit) {
    visit("key", self.key, "The key that must be there.");
    visit("value", self.value, "The value it must have; any, where this is not set.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const MatchedAttribute&) const = default;
};

struct MatchedLibrary {
  std::string name;
  std::optional<std::string> version;

  static void VisitFields(auto& self, auto& visit) {
    visit("name", self.name, "Name of the instrumentation scope.");
    visit("version", self.version, "Its version; any, where this is not set.");
  }
  bool operator==(const MatchedLibrary&) const = default;
};

struct MatchedSeverity {
  std::int32_t min = 0;
  bool match_undefined = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("min", self.min, "The lowest severity number that matches.");
    visit("match_undefined", self.match_undefined, "Whether records without a severity match.");
  }
  bool operator==(const MatchedSeverity&) const = default;
};

// Accepted as the Collector has it; expressions are fast enough here without a cache.
struct MatchCache {
  bool cacheenabled = false;
  std::int64_t cachemaxnumentries = 0;

  static void VisitFields(auto& self, auto& visit) {
    visit("cacheenabled", self.cacheenabled, "Has no effect: nothing is cached.");
    visit("cachemaxnumentries", self.cachemaxnumentries, "Has no effect: nothing is cached.");
  }
  bool operator==(const MatchCache&) const = default;
};

struct MatchProperties {
  std::optional<MatchType> match_type;
  std::optional<MatchCache> regexp;
  std::vector<std::string> services;
  std::vector<std::string> span_names;
  std::vector<std::string> span_kinds;
  std::vector<std::string> log_bodies;
  std::vector<std::string> log_severity_texts;
  std::optional<MatchedSeverity> log_severity_number;
  std::vector<std::string> metric_names;
  std::vector<MatchedAttribute> attributes;
  std::vector<MatchedAttribute> resources;
  std::vector<MatchedLibrary> libraries;

  static void VisitFields(auto& self, auto& visit) {
    visit("match_type", self.match_type,
          "`strict` compares whole values, `regexp` looks for a regular expression in them.");
    visit("regexp", self.regexp, "Options of `match_type: regexp`.");
    visit("services", self.services, "Values of the resource's `service.name`. Spans only.");
    visit("span_names", self.span_names, "Names of spans.");
    visit("span_kinds", self.span_kinds, "Kinds of spans, such as `SPAN_KIND_SERVER`.");
    visit("log_bodies", self.log_bodies, "Bodies of log records, as text.");
    visit("log_severity_texts", self.log_severity_texts, "Severity texts of log records.");
    visit("log_severity_number", self.log_severity_number, "Severities of log records.");
    visit("metric_names", self.metric_names, "Names of metrics.");
    visit("attributes", self.attributes, "Attributes of the item, all of which must match.");
    visit("resources", self.resources, "Attributes of the resource, all of which must match.");
    visit("libraries", self.libraries, "Instrumentation scopes, all of which must match.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const MatchProperties&) const = default;
};

struct MatchConfig {
  std::optional<MatchProperties> include;
  std::optional<MatchProperties> exclude;

  static void VisitFields(auto& self, auto& visit) {
    visit("include", self.include, "Act only on items that match.");
    visit("exclude", self.exclude, "Do not act on items that match, whether included or not.");
  }
  bool operator==(const MatchConfig&) const = default;
};

class ItemMatch {
 public:
  enum class Result : std::uint8_t { kAct, kPass, kMalformed };

  // Fails where the properties have no meaning for the signal. REQUIRES: the config is valid.
  static absl::StatusOr<std::unique_ptr<ItemMatch>> Create(const MatchConfig& config,
                                                           Signal signal);
  ~ItemMatch();

  // True when every item is acted on.
  bool matches_all() const { return include_ == nullptr && exclude_ == nullptr; }

  // The contents of the Resource and InstrumentationScope that the next items belong to.
  void BeginResource(std::string_view resource);
  void BeginScope(std::string_view scope);
  // `item` is the contents of a span, a log record or a metric.
  Result Match(std::string_view item);

 private:
  class Matcher;

  ItemMatch();

  std::unique_ptr<Matcher> include_;
  std::unique_ptr<Matcher> exclude_;
};

}  // namespace weir

#endif  // WEIR_COMPONENT_ITEM_MATCH_H_

// The same edit twice: as a visitor of the rewriter, and on objects of the generated classes.
//
//   resources   "service.name" is deleted, {"env": "test"} inserted where "env" is absent
//   scopes      the version becomes "2" where it was not empty
//   items       the same edit of their attributes as of resources;
//               spans of kind 2 get the trace state "ot=th:8";
//               dropped where the first byte of the trace id is 1, points where their time is odd
//
// Threads: pure functions; a visitor belongs to one thread.

#ifndef WEIR_TESTS_WIRE_REWRITE_ORACLE_H_
#define WEIR_TESTS_WIRE_REWRITE_ORACLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/wire/attribute_search.h"
#include "weir/wire/rewriter.h"

namespace weir::wire::testing {

class OracleVisitor : public RewriteVisitor {
 public:
  static constexpr bool kVisitsResources = true;
  static constexpr bool kVisitsScopes = true;

  explicit OracleVisitor(Signal signal) : signal_(signal) {}

  Verdict OnResource(std::string_view resource, Edit& edit);
  Verdict OnScope(std::string_view scope, Edit& edit);
  Verdict OnItem(const Item& item, Edit& edit);

 private:
  bool EditAttributes(std::string_view message, FieldNumber field, Edit& edit);

  Signal signal_;
  KeyMatcher keys_{std::vector<std::string>{"service.name", "env"}};
};

struct DecodedRewrite {
  std::string bytes;
  std::uint64_t dropped = 0;
};

// nullopt when protobuf refuses the bytes.
std::optional<DecodedRewrite> RewriteByDecoding(Signal signal, std::string_view bytes);
// What protobuf writes after it has read `bytes`; a text that says so when it refuses them.
std::string Reencoded(Signal signal, std::string_view bytes);

}  // namespace weir::wire::testing

#endif  // WEIR_TESTS_WIRE_REWRITE_ORACLE_H_

// The oracle: what protobuf's generated classes make of a request.
//
// Threads: one thread.

#ifndef WEIR_TESTS_WIRE_DECODED_REQUEST_H_
#define WEIR_TESTS_WIRE_DECODED_REQUEST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "weir/wire/signal.h"

namespace weir::wire::testing {

// An empty request of the signal's generated class.
std::unique_ptr<google::protobuf::Message> NewRequest(Signal signal);

struct DecodedRequest {
  std::uint64_t items = 0;
  // One entry an item: its bytes and those of all that it belongs to (resource, scope, metric),
  // encoded anew by protobuf. A container without items is an entry as well.
  std::multiset<std::string> entries;
  std::set<std::string> trace_ids;  // Of spans and log records.
};

// nullopt when protobuf refuses the bytes.
std::optional<DecodedRequest> Decode(Signal signal, std::string_view bytes);
// The same without the entries: nullopt, or the count.
std::optional<std::uint64_t> DecodeItems(Signal signal, std::string_view bytes);

}  // namespace weir::wire::testing

#endif  // WEIR_TESTS_WIRE_DECODED_REQUEST_H_

// What `weir load` is told: where to send, what, and how much of it.
//
// Threads: plain values.

#ifndef WEIR_LOAD_OPTIONS_H_
#define WEIR_LOAD_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "net/compression.h"
#include "net/tls_config.h"
#include "weir/wire/signal.h"

namespace weir::load {

enum class Protocol : std::uint8_t { kGrpc, kHttp };

struct LoadOptions {
  // As an exporter's `endpoint`; https:// asks for TLS. Empty: the protocol's port of this machine.
  std::string endpoint;
  Protocol protocol = Protocol::kGrpc;
  // More than one: requests take turns.
  std::vector<Signal> signals = {Signal::kTraces};
  net::Compression compression = net::Compression::kNone;
  // Sent with every request; names in any case.
  std::vector<std::pair<std::string, std::string>> headers;
  // Clear text unless the endpoint says https or `tls.insecure` is false.
  net::TlsClientConfig tls = {.common = {}, .insecure = true};

  // Items a second over all signals; 0 is as fast as answers come. A run that fell behind its rate
  // catches up on at most a second of it.
  double rate = 0;
  // Requests without an answer at most, those that wait for their next try included.
  std::uint32_t concurrency = 16;
  std::uint32_t connections = 1;  // HTTP/1.1 opens one for each request in flight.
  std::uint32_t items_per_request = 100;
  // Bytes of keys and values of an item's attributes, roughly. 0: none.
  std::uint32_t item_bytes = 200;

  // Sending ends at whichever comes first; 0 sets no bound.
  std::chrono::nanoseconds duration{0};
  std::uint64_t count = 0;

  // For one try of one request.
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
  // Tries after the first of a request that was pushed back or not answered.
  std::uint32_t retries_max = 5;
  // After the end of sending, answers and retries are waited for so long; then they are given up.
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds(30);

  std::uint64_t seed = 1;  // Of everything random; equal seeds make equal payloads.
  bool numbered = false;   // Each item says its number: 0, 1, 2, ... over all signals.

  // InvalidArgument with all that is out of its range, option names as on the command line.
  absl::Status Validate() const;
};

// The attribute of numbered items.
inline constexpr std::string_view kSequenceAttribute = "weir.load.sequence";

}  // namespace weir::load

#endif  // WEIR_LOAD_OPTIONS_H_

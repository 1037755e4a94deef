// Transport sends the requests of a load run and says what became of them, in words that are the
// same for gRPC and HTTP.
//
// Threads: the loop's thread, construction and destruction included.
// Ownership: the loop outlives the transport.
// Loss: `done` is called exactly once for every request, never from within Send; the destructor
// may call it, too.

#ifndef WEIR_LOAD_TRANSPORT_H_
#define WEIR_LOAD_TRANSPORT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "load/options.h"
#include "weir/base/event_loop.h"
#include "weir/base/slice.h"
#include "weir/wire/signal.h"

namespace weir::load {

enum class Outcome : std::uint8_t {
  kAccepted,   // All but `rejected` items.
  kTryAgain,   // Pushed back, or never answered.
  kPermanent,  // The same request would fail again.
};

struct Answer {
  Outcome outcome = Outcome::kAccepted;
  std::uint64_t rejected = 0;  // Items, by a partial success.
  std::string code;            // "UNAVAILABLE", "503"; of every outcome but kAccepted.
  std::string message;
  std::optional<std::chrono::nanoseconds> retry_delay;  // As the server asked for.
};

using AnswerDone = absl::AnyInvocable<void(Answer)>;

class Transport {
 public:
  virtual ~Transport() = default;
  // `body` is compressed by WireCompression(options).
  virtual void Send(Signal signal, Slice body, TimePoint deadline, AnswerDone done) = 0;
};

// The form of a compression that the protocol's peers understand.
net::Compression WireCompression(const LoadOptions& options);

// Of an answer with success: the body is the signal's export response in protobuf.
Answer AnswerOfBody(Signal signal, std::string_view body);

// One transport for each of options.connections. An error when the endpoint or the TLS options
// don't work, such as a file that can't be read.
absl::StatusOr<std::vector<std::unique_ptr<Transport>>> MakeTransports(EventLoop& loop,
                                                                       const LoadOptions& options);

}  // namespace weir::load

#endif  // WEIR_LOAD_TRANSPORT_H_

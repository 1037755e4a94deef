// The two sides of one connection: the session speaks the protocol, its host owns the socket.
//
// ServerContext is what the connections of one loop share: options, handlers, pools, counters.
//
// Threads: the loop's, the counters apart.
// Ownership: the context outlives every session and every request; the host outlives its session.

#ifndef WEIR_NET_SERVER_SESSION_H_
#define WEIR_NET_SERVER_SESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/body_reader.h"
#include "net/grpc_server.h"
#include "net/request_head.h"
#include "net/server_options.h"
#include "net/server_request.h"
#include "weir/base/event_loop.h"

namespace weir::net {

// Requests are taken from a pool and returned to it; it owns them all the time, so that a request
// may outlive its connection.
template <typename T>
class RequestPool {
 public:
  T& Take() {
    if (free_.empty()) {
      all_.push_back(std::make_unique<T>());
      return *all_.back();
    }
    T* const taken = free_.back();
    free_.pop_back();
    return *taken;
  }
  void Return(T& request) { free_.push_back(&request); }
  // Requests that are in use.
  std::size_t lent() const { return all_.size() - free_.size(); }

 private:
  std::vector<std::unique_ptr<T>> all_;
  std::vector<T*> free_;
};

// Counts of one loop of a server. Relaxed: they order nothing.
struct ServerCounters {
  std::atomic<std::uint64_t> connections_accepted{0};
  std::atomic<std::uint64_t> connections_open{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> requests_refused{0};    // Answered before a handler heard of them.
  std::atomic<std::uint64_t> bodies_failed{0};       // OnBodyFault.
  std::atomic<std::uint64_t> requests_cancelled{0};  // The peer went, or reset.
  std::atomic<std::uint64_t> connection_errors{0};   // Closed for what the peer did.
};

// Every counter has one writer, its loop, so that counting takes no locked instruction.
inline void Count(std::atomic<std::uint64_t>& counter, std::uint64_t amount = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

struct Http2Stream;
class Http1Request;

struct ServerContext {
  ServerContext(const ServerOptions& server_options, EventLoop& event_loop, IncompleteBytes& bytes);
  ~ServerContext();

  // The Date field's value of this second.
  std::string_view Date();

  const ServerOptions& options;
  EventLoop& loop;
  IncompleteBytes& incomplete;
  ServerCounters counters;
  RequestHandler* http = nullptr;    // Null: plain HTTP is not served.
  const GrpcRouter* grpc = nullptr;  // Null: gRPC is not served.

  HeadPool heads;
  RequestPool<Http2Stream> streams;
  RequestPool<Http1Request> requests;

 private:
  std::string date_;
  std::int64_t date_second_ = -1;
};

class SessionHost {
 public:
  SessionHost(ServerContext& server_context, std::uint64_t id)
      : context(server_context), connection_id(id), share(server_context.incomplete) {}

  // Bytes for the peer, in order; the session appends and asks for a flush.
  std::string out;
  virtual void WantFlush() = 0;
  // Once what is in `out` has been sent. The session gets no more bytes.
  virtual void CloseAfterFlush() = 0;
  // While paused no more bytes are read.
  virtual void PauseReading(bool paused) = 0;

  ServerContext& context;
  const std::uint64_t connection_id;
  BodyShare share;
  std::shared_ptr<const PeerInfo> peer;

 protected:
  ~SessionHost() = default;
};

class ServerSession {
 public:
  virtual ~ServerSession() = default;

  // What was read, in order. Takes all of it.
  virtual void OnBytes(std::span<const char> bytes) = 0;
  // Where the next bytes could be read to instead, saving a copy; empty when there is no such
  // place. OnTargetFilled says how many were; OnBytes continues with what came after them.
  virtual std::span<char> Target() = 0;
  virtual void OnTargetFilled(std::size_t bytes) = 0;
  // The peer sends no more. The session decides when to close.
  virtual void OnReadClosed() = 0;
  // `out` was sent to the last byte.
  virtual void OnFlushed() = 0;
  // The connection is gone; requests that are not answered yet are cancelled.
  virtual void OnClosed() = 0;
  virtual void OnTick(TimePoint now) = 0;
  // No new requests; closes once those under way are answered.
  virtual void StartDrain() = 0;
};

// Content-Encoding undone as the options allow, under `bytes_max`.
BodyFault DecodeContent(const ServerContext& context, const RequestHead& head,
                        std::size_t bytes_max, MemoryBudget& budget, Slice& body);
// Answers a browser's question before its request, where CORS is on. False when this is none.
bool AnswerPreflight(const ServerContext& context, ServerRequest& request);
// gRPC's own compression undone.
BodyFault DecodeMessage(const RequestHead& head, std::size_t bytes_max, MemoryBudget& budget,
                        Slice& message);

}  // namespace weir::net

#endif  // WEIR_NET_SERVER_SESSION_H_

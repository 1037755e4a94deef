// Server listens on one endpoint and serves HTTP/1.1, HTTP/2 and gRPC there, on one or more loops.
//
//   WEIR_ASSIGN_OR_RETURN(std::unique_ptr<Server> server,
//                         Server::Open(options, {.http = &handler, .grpc = &router}, budget, 1));
//   server->Start({&thread.loop()});
//   ...
//   server->Shutdown(deadline);
//
// Each loop has its own listening socket, its own connections and its own buffers; loops share
// nothing but the budget and the account of incomplete bodies.
//
// Threads: Open, Start, Shutdown and the destructor belong to one thread, which is none of the
// loops. The counters are read by any.
// Ownership: handlers, budget and loops outlive the server; the loops run until it is destroyed.
// REQUIRES of whoever destroys it: every request was answered (server_request.h).

#ifndef WEIR_NET_SERVER_H_
#define WEIR_NET_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "net/server_options.h"
#include "net/server_session.h"
#include "net/tls.h"
#include "weir/base/budget.h"
#include "weir/base/event_loop.h"

namespace weir::net {

class Listener;

class Server {
 public:
  // Who answers. Null: that protocol is not served.
  struct Handlers {
    RequestHandler* http = nullptr;
    const GrpcRouter* grpc = nullptr;
  };
  // Sums over all loops.
  struct Stats {
    std::uint64_t connections_accepted = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t requests = 0;
    std::uint64_t requests_refused = 0;
    std::uint64_t bodies_failed = 0;
    std::uint64_t requests_cancelled = 0;
    std::uint64_t connection_errors = 0;
    std::size_t incomplete_bytes = 0;
  };

  // Binds `loops` sockets; clients may connect from here on and wait.
  static absl::StatusOr<std::unique_ptr<Server>> Open(ServerOptions options, Handlers handlers,
                                                      MemoryBudget& budget, std::size_t loops);
  ~Server();

  // REQUIRES: as many loops as were given to Open.
  void Start(std::span<EventLoop* const> loops);
  // Accepts no more and lets what is under way finish until `deadline`; then cuts it off.
  void Shutdown(TimePoint deadline);

  std::uint16_t port() const;  // The one that was bound; 0 for a Unix socket.
  Stats stats() const;

 private:
  Server(ServerOptions options, Handlers handlers, MemoryBudget& budget);
  void RunOnLoops(void (Listener::*step)());

  const ServerOptions options_;
  const Handlers handlers_;
  IncompleteBytes incomplete_;
  std::shared_ptr<TlsContext> tls_;
  std::vector<ListenSocket> sockets_;  // Until Start.
  std::uint16_t port_ = 0;
  std::vector<EventLoop*> loops_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  bool shut_down_ = false;
};

}  // namespace weir::net

#endif  // WEIR_NET_SERVER_H_

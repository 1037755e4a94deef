#include "net/server.h"

#include <algorithm>
#include <future>
#include <utility>

#include "net/listener.h"
#include "weir/base/check.h"
#include "weir/base/status.h"

namespace weir::net {

Server::Server(ServerOptions options, Handlers handlers, MemoryBudget& budget)
    : options_(std::move(options)), handlers_(handlers), incomplete_(budget) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Open(ServerOptions options, Handlers handlers,
                                                     MemoryBudget& budget, std::size_t loops) {
  WEIR_CHECK(loops > 0);
  WEIR_CHECK(options.http1 || options.http2);
  std::unique_ptr<Server> server(new Server(std::move(options), handlers, budget));
  const ServerOptions& kept = server->options_;
  if (kept.tls.has_value()) {
    std::vector<std::string> alpn;
    if (kept.http2) {
      alpn.push_back("h2");
    }
    if (kept.http1) {
      alpn.push_back("http/1.1");
    }
    WEIR_ASSIGN_OR_RETURN(server->tls_, TlsContext::NewServer(*kept.tls, std::move(alpn)));
  }
  const bool shared = loops > 1 && kept.endpoint.transport != Transport::kUnix;
  WEIR_ASSIGN_OR_RETURN(ListenSocket first, ListenSocket::Open(kept.endpoint, shared));
  server->port_ = first.port();
  server->sockets_.push_back(std::move(first));
  Endpoint bound = kept.endpoint;
  if (shared) {
    const std::size_t colon = bound.address.rfind(':');
    bound.address = bound.address.substr(0, colon + 1) + std::to_string(server->port_);
  }
  while (server->sockets_.size() < loops) {
    absl::StatusOr<ListenSocket> next =
        shared ? ListenSocket::Open(bound, shared) : server->sockets_.front().Duplicate();
    if (!next.ok()) {
      return next.status();
    }
    server->sockets_.push_back(*std::move(next));
  }
  return server;
}

Server::~Server() {
  Shutdown(TimePoint{});
  if (!loops_.empty()) {
    RunOnLoops(&Listener::Retire);  // Answers that are on their way to the loops arrive first.
  }
}

void Server::Start(std::span<EventLoop* const> loops) {
  WEIR_CHECK(loops.size() == sockets_.size());
  loops_.assign(loops.begin(), loops.end());
  const std::size_t connections_max =
      std::max<std::size_t>(1, options_.connections_max / loops.size());
  for (std::size_t i = 0; i < loops.size(); ++i) {
    listeners_.push_back(std::make_unique<Listener>(options_, *loops[i], incomplete_,
                                                    std::move(sockets_[i]), tls_, connections_max));
    ServerContext& context = listeners_.back()->context();
    context.http = handlers_.http;
    context.grpc = handlers_.grpc;
    loops[i]->Post([listener = listeners_.back().get()] { listener->StartAccepting(); });
  }
  sockets_.clear();
}

void Server::RunOnLoops(void (Listener::*step)()) {
  std::vector<std::promise<void>> done(listeners_.size());
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    loops_[i]->Post([listener = listeners_[i].get(), step, finished = &done[i]] {
      (listener->*step)();
      finished->set_value();
    });
  }
  for (std::promise<void>& finished : done) {
    finished.get_future().wait();
  }
}

void Server::Shutdown(TimePoint deadline) {
  sockets_.clear();
  if (loops_.empty() || std::exchange(shut_down_, true)) {
    return;
  }
  std::vector<std::future<void>> drained;
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    drained.push_back(listener->drained());
  }
  RunOnLoops(&Listener::StartDrain);
  bool late = false;
  for (const std::future<void>& one : drained) {
    late = one.wait_until(deadline) != std::future_status::ready || late;
  }
  if (late) {
    RunOnLoops(&Listener::AbortAll);
    for (const std::future<void>& one : drained) {
      one.wait();
    }
  }
  // The listeners stay until the end: requests that are not answered yet live in them.
}

std::uint16_t Server::port() const { return port_; }

Server::Stats Server::stats() const {
  Stats sum;
  const auto read = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    const ServerCounters& counters = listener->context().counters;
    sum.connections_accepted += read(counters.connections_accepted);
    sum.connections_open += read(counters.connections_open);
    sum.requests += read(counters.requests);
    sum.requests_refused += read(counters.requests_refused);
    sum.bodies_failed += read(counters.bodies_failed);
    sum.requests_cancelled += read(counters.requests_cancelled);
    sum.connection_errors += read(counters.connection_errors);
  }
  sum.incomplete_bytes = incomplete_.used();
  return sum;
}

}  // namespace weir::net

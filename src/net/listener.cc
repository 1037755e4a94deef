#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "net/http1_session.h"
#include "net/http2_stream.h"
#include "weir/base/check.h"

namespace weir::net {
namespace {

// Accepted in one go, before connections that are open get their turn.
constexpr int kAcceptedMax = 64;

// Timeouts are noticed at most a quarter of the shortest one late, and never cost more than a tick
// a second where all are long.
std::chrono::nanoseconds TickInterval(const ServerOptions& options) {
  std::chrono::nanoseconds shortest = std::chrono::seconds(4);
  for (const std::chrono::nanoseconds timeout :
       {options.keepalive.max_connection_idle, options.keepalive.max_connection_age,
        options.keepalive.max_connection_age_grace, options.keepalive.time,
        options.keepalive.timeout, options.head_timeout, options.idle_timeout, options.read_timeout,
        options.write_timeout, options.body_progress_window}) {
    if (timeout.count() > 0) {
      shortest = std::min(shortest, timeout);
    }
  }
  return std::max<std::chrono::nanoseconds>(shortest / 4, std::chrono::milliseconds(5));
}

std::uint64_t NextConnectionId() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;  // Relaxed: only distinct is asked for.
}

}  // namespace

Listener::Listener(const ServerOptions& options, EventLoop& loop, IncompleteBytes& incomplete,
                   ListenSocket socket, std::shared_ptr<TlsContext> tls,
                   std::size_t connections_max)
    : context_(options, loop, incomplete),
      socket_(std::move(socket)),
      tls_(std::move(tls)),
      connections_max_(connections_max),
      tick_(TickInterval(options)),
      read_buffer_(std::make_unique_for_overwrite<char[]>(options.read_buffer_bytes)) {}

Listener::~Listener() {
  WEIR_CHECK(connections_.empty());
  WEIR_CHECK(context_.streams.lent() == 0);
  WEIR_CHECK(context_.requests.lent() == 0);
}

void Listener::StartAccepting() { WatchSocket(true); }

void Listener::WatchSocket(bool watch) {
  if (watch == watching_) {
    return;
  }
  watching_ = watch;
  if (watch) {
    // Loops that share a socket are woken one at a time.
    context_.loop.Watch(socket_.fd(), EPOLLIN | EPOLLEXCLUSIVE, *this);
  } else {
    context_.loop.Unwatch(socket_.fd());
  }
}

void Listener::OnEvents(std::uint32_t) {
  for (int i = 0; i < kAcceptedMax && watching_; ++i) {
    if (connections_.size() >= connections_max_) {
      WatchSocket(false);  // Until one goes.
      return;
    }
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    const int fd = ::accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Accept(fd, {.address = FormatSocketAddress(reinterpret_cast<const sockaddr*>(&address)),
                  .tls_subject = {}});
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      WatchSocket(false);  // The tick tries again; until then this would spin.
      ScheduleTick();
    }
    if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

void Listener::Accept(int fd, PeerInfo peer) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // Answers are whole when written.
  const std::uint64_t id = NextConnectionId();
  std::unique_ptr<TlsStream> stream = tls_ != nullptr ? tls_->NewServerStream(fd) : nullptr;
  connections_.emplace(id, std::make_unique<ServerConnection>(context_, *this, id, fd,
                                                              std::move(stream), std::move(peer)));
  Count(context_.counters.connections_accepted);
  context_.counters.connections_open.store(connections_.size(), std::memory_order_relaxed);
  ScheduleTick();
}

void Listener::OnDirty(ServerConnection& connection) {
  if (dirty_.empty()) {
    context_.loop.Defer([this] { FlushDirty(); });
  }
  dirty_.push_back(&connection);
}

void Listener::FlushDirty() {
  // A flush may make others dirty, or the same again; those wait for the next turn.
  std::vector<ServerConnection*> due = std::exchange(dirty_, {});
  for (ServerConnection* const connection : due) {
    connection->Flush();
  }
  for (ServerConnection* const connection : due) {
    if (connection->finished() &&
        std::find(dirty_.begin(), dirty_.end(), connection) == dirty_.end()) {
      connections_.erase(connection->connection_id);
    }
  }
  context_.counters.connections_open.store(connections_.size(), std::memory_order_relaxed);
  if (dirty_.empty()) {
    due.clear();
    dirty_ = std::move(due);  // Keeps its memory for the next turn.
  }
  if (!draining_ && connections_.size() < connections_max_) {
    WatchSocket(true);
  }
  NoticeDrained();
}

void Listener::ScheduleTick() {
  if (timer_ == 0) {
    timer_ = context_.loop.ScheduleAfter(tick_, [this] { Tick(); });
  }
}

void Listener::Tick() {
  timer_ = 0;
  const TimePoint now = context_.loop.Now();
  for (const auto& [id, connection] : connections_) {
    connection->OnTick(now);
  }
  if (!draining_ && connections_.size() < connections_max_) {
    WatchSocket(true);
  }
  if (!connections_.empty()) {
    ScheduleTick();
  }
}

void Listener::StartDrain() {
  draining_ = true;
  WatchSocket(false);
  socket_.Close();
  for (const auto& [id, connection] : connections_) {
    connection->StartDrain();
  }
  NoticeDrained();
}

void Listener::AbortAll() {
  for (const auto& [id, connection] : connections_) {
    connection->Abort();
  }
}

void Listener::Retire() {
  WEIR_CHECK(connections_.empty());
  context_.loop.Cancel(std::exchange(timer_, 0));
}

void Listener::NoticeDrained() {
  if (draining_ && connections_.empty() && !drained_told_) {
    drained_told_ = true;
    drained_.set_value();
  }
}

}  // namespace weir::net

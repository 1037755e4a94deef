#include "net/grpc_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/grpc_session.h"
#include "weir/base/check.h"
#include "weir/base/status.h"

namespace weir::net {
namespace {

constexpr std::size_t kReadBytes = 65536;
constexpr std::size_t kTlsRecordBytes = 16384;
constexpr std::size_t kGatherMax = 256;
constexpr std::chrono::seconds kProbeTimeout{10};

// Read into and parsed at once, so one a thread serves all its connections.
std::span<char> ReadBuffer() {
  thread_local const auto buffer = std::make_unique<std::array<char, kReadBytes>>();
  return *buffer;
}

}  // namespace

GrpcConnection::GrpcConnection(EventLoop& loop, const GrpcConnectionOptions& options,
                               const SocketAddress& address, Listener& listener)
    : loop_(loop), options_(options), address_(address), listener_(listener) {}

GrpcConnection::~GrpcConnection() {
  alive_.reset();
  if (state_ != State::kClosed && session_ != nullptr) {
    nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
    Flush();  // A goodbye, as far as the socket takes it.
  }
  Close(absl::CancelledError("the client was shut down"));
  nghttp2_session_del(session_);
}

void GrpcConnection::Connect() {
  connect_timer_ = loop_.ScheduleAfter(options_.connect_timeout, [this] {
    connect_timer_ = 0;
    Close(absl::UnavailableError(fmt::format("{} did not answer in time", peer())));
  });
  fd_ = ::socket(address_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    Close(absl::UnavailableError(FromErrno(errno, "can't open a socket").message()));
    return;
  }
  if (address_.family() != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  if (::connect(fd_, address_.get(), address_.length) != 0 && errno != EINPROGRESS) {
    Close(absl::UnavailableError(FromErrno(errno, "can't connect to {}", peer()).message()));
    return;
  }
  loop_.Watch(fd_, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
}

void GrpcConnection::FinishConnect() {
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) {
    Close(absl::UnavailableError(FromErrno(error, "can't connect to {}", peer()).message()));
    return;
  }
  if (options_.tls == nullptr) {
    BeginSession();
    return;
  }
  tls_ = options_.tls->NewClientStream(fd_, options_.tls_host);
  state_ = State::kHandshaking;
  ContinueHandshake();
}

void GrpcConnection::ContinueHandshake() {
  switch (tls_->Handshake()) {
    case TlsStatus::kDone:
      if (tls_->alpn() != "h2") {
        Close(absl::UnavailableError(
            fmt::format("{} does not offer HTTP/2 over TLS (no ALPN \"h2\")", peer())));
        return;
      }
      BeginSession();
      return;
    case TlsStatus::kWantRead:
    case TlsStatus::kWantWrite:
      return;
    case TlsStatus::kClosed:
    case TlsStatus::kFailed:
      Close(absl::UnavailableError(
          fmt::format("TLS handshake with {} failed: {}", peer(), tls_->error())));
  }
}

void GrpcConnection::BeginSession() {
  session_ = NewGrpcSession(*this);
  state_ = State::kSettling;
  Flush();
  // What the peer said before we listened was reported, if at all, with the event that brought us
  // here.
  if (state_ != State::kClosed) {
    ReadAvailable(true);
  }
  if (state_ != State::kClosed) {
    Flush();
  }
}

void GrpcConnection::OnEvents(std::uint32_t events) {
  if (state_ == State::kConnecting) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
      FinishConnect();
    }
    return;
  }
  if (state_ == State::kHandshaking) {
    ContinueHandshake();
    return;
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    ReadAvailable((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
  }
  if (state_ != State::kClosed) {
    Flush();
  }
}

std::size_t GrpcConnection::ReadSome(std::span<char> into) {
  if (tls_ != nullptr) {
    const TlsResult result = tls_->Read(into);
    if (result.status == TlsStatus::kClosed) {
      Close(absl::UnavailableError(fmt::format("{} closed the connection", peer())));
    } else if (result.status == TlsStatus::kFailed) {
      Close(absl::UnavailableError(fmt::format("reading from {}: {}", peer(), tls_->error())));
    }
    return result.bytes;
  }
  const ssize_t result = ::recv(fd_, into.data(), into.size(), 0);
  if (result == 0) {
    Close(absl::UnavailableError(fmt::format("{} closed the connection", peer())));
  } else if (result < 0 && errno != EAGAIN && errno != EINTR) {
    Close(absl::UnavailableError(FromErrno(errno, "reading from {}", peer()).message()));
  }
  return result > 0 ? static_cast<std::size_t>(result) : 0;
}

// Edges are reported once, so reading goes on until the socket is empty; a short read says so
// without another system call, except when the end of the stream may follow it.
void GrpcConnection::ReadAvailable(bool until_end) {
  const std::span<char> buffer = ReadBuffer();
  while (true) {
    const std::size_t bytes = ReadSome(buffer);
    if (bytes == 0) {
      return;
    }
    last_read_ = loop_.Now();
    const ssize_t result = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(buffer.data()), bytes);
    if (result < 0) {
      Close(absl::UnavailableError(fmt::format("{} does not speak HTTP/2: {}", peer(),
                                               nghttp2_strerror(static_cast<int>(result)))));
      return;
    }
    if (state_ == State::kClosed || (tls_ == nullptr && bytes < buffer.size() && !until_end)) {
      return;
    }
  }
}

void GrpcConnection::ScheduleFlush() {
  if (!flush_scheduled_) {
    flush_scheduled_ = true;
    loop_.Defer([this, alive = std::weak_ptr<bool>(alive_)] {
      if (alive.lock() != nullptr) {
        flush_scheduled_ = false;
        if (state_ != State::kClosed) {
          Flush();
        }
      }
    });
  }
}

void GrpcConnection::Flush() {
  do {
    if (const int error = nghttp2_session_send(session_); error != 0) {
      Close(absl::UnavailableError(
          fmt::format("HTTP/2 with {}: {}", peer(), nghttp2_strerror(error))));
      return;
    }
  } while (!output_.empty() && WriteOutput());
  if (state_ != State::kClosed && output_.empty() && nghttp2_session_want_read(session_) == 0 &&
      nghttp2_session_want_write(session_) == 0) {
    Close(absl::UnavailableError(fmt::format("the connection to {} has ended", peer())));
  }
}

bool GrpcConnection::WriteOutput() {
  while (!output_.empty()) {
    const std::size_t written = tls_ == nullptr ? WriteClear() : WriteTls();
    if (written == 0) {
      return false;
    }
    output_.Consume(written);
  }
  return true;
}

std::size_t GrpcConnection::WriteClear() {
  std::array<iovec, kGatherMax> vectors;
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = output_.Gather(vectors);
  const ssize_t written = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
  if (written < 0 && errno != EAGAIN && errno != EINTR) {
    Close(absl::UnavailableError(FromErrno(errno, "writing to {}", peer()).message()));
  }
  return written > 0 ? static_cast<std::size_t>(written) : 0;
}

std::size_t GrpcConnection::WriteTls() {
  std::array<char, kTlsRecordBytes> record;
  const TlsResult result = tls_->Write(output_.Front(record));
  if (result.status == TlsStatus::kFailed || result.status == TlsStatus::kClosed) {
    Close(absl::UnavailableError(fmt::format("writing to {}: {}", peer(), tls_->error())));
  }
  return result.bytes;
}

void GrpcConnection::Begin(GrpcStream& stream) {
  WEIR_CHECK(ready());
  stream.piece_ = 0;
  stream.offset_ = 0;
  stream.headers_sent_ = false;
  stream.response.Reset();
  const std::int32_t id = SubmitGrpcRequest(session_, stream.headers);
  if (id < 0) {
    // Stream ids have run out: a new connection starts over.
    state_ = State::kDraining;
    Notify([this] { listener_.OnConnectionDraining(*this, false); });
    stream.OnEnd(GrpcStream::End::kUnprocessed, 0, nghttp2_strerror(id));
    return;
  }
  streams_.emplace(id, &stream);
  if (keepalive_timer_ == 0) {
    ScheduleKeepalive(loop_.Now());
  }
  ScheduleFlush();
}

void GrpcConnection::Cancel(GrpcStream& stream) {
  const auto found = std::find_if(streams_.begin(), streams_.end(),
                                  [&](const auto& entry) { return entry.second == &stream; });
  if (found == streams_.end()) {
    return;
  }
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, found->first, NGHTTP2_CANCEL);
  streams_.erase(found);
  ScheduleFlush();
}

GrpcStream* GrpcConnection::FindStream(std::int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

void GrpcConnection::EndStream(std::int32_t id, GrpcStream::End end, std::uint32_t error,
                               const std::string& why) {
  if (const auto found = streams_.find(id); found != streams_.end()) {
    GrpcStream* const stream = found->second;
    streams_.erase(found);
    stream->OnEnd(end, error, why);
  }
  if (state_ == State::kDraining && streams_.empty() && session_ != nullptr) {
    nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
    ScheduleFlush();
  }
}

void GrpcConnection::OnSettings() {
  if (state_ == State::kSettling) {
    loop_.Cancel(std::exchange(connect_timer_, 0));
    state_ = State::kReady;
    ScheduleKeepalive(loop_.Now());
    Notify([this] { listener_.OnConnectionReady(*this); });
  }
}

void GrpcConnection::OnGoAway(std::uint32_t error, std::string_view debug) {
  if (state_ != State::kReady && state_ != State::kSettling) {
    return;
  }
  state_ = State::kDraining;
  const bool too_many_pings =
      error == NGHTTP2_ENHANCE_YOUR_CALM && debug.find("too_many_pings") != std::string_view::npos;
  Notify([this, too_many_pings] { listener_.OnConnectionDraining(*this, too_many_pings); });
  if (streams_.empty()) {
    nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
    ScheduleFlush();
  }
}

void GrpcConnection::Notify(EventLoop::Task task) {
  loop_.Defer([alive = std::weak_ptr<bool>(alive_), task = std::move(task)]() mutable {
    if (alive.lock() != nullptr) {
      task();
    }
  });
}

void GrpcConnection::Close(absl::Status why) {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  for (EventLoop::TimerId* timer : {&connect_timer_, &keepalive_timer_, &pong_timer_}) {
    loop_.Cancel(std::exchange(*timer, 0));
  }
  if (fd_ >= 0) {
    if (tls_ != nullptr) {
      tls_->Shutdown();
    }
    loop_.Unwatch(fd_);
    ::close(std::exchange(fd_, -1));
  }
  output_.Clear();
  const std::string text(why.message());
  for (auto& [id, stream] : std::exchange(streams_, {})) {
    stream->OnEnd(stream->headers_sent_ ? GrpcStream::End::kLost : GrpcStream::End::kUnprocessed, 0,
                  text);
  }
  Notify([this, why = std::move(why)] {
    // Not before: Close may be called from within the session.
    nghttp2_session_del(std::exchange(session_, nullptr));
    listener_.OnConnectionClosed(*this, why);
  });
}

void GrpcConnection::ScheduleKeepalive(TimePoint since) {
  if (options_.keepalive.has_value() && state_ == State::kReady &&
      (options_.keepalive->permit_without_stream || !streams_.empty())) {
    keepalive_timer_ =
        loop_.ScheduleAt(since + options_.keepalive->time, [this] { KeepaliveTick(); });
  }
}

void GrpcConnection::KeepaliveTick() {
  keepalive_timer_ = 0;
  if (loop_.Now() - last_read_ >= options_.keepalive->time && pong_timer_ == 0) {
    SendPing(options_.keepalive->timeout);
    return;  // The answer, or its absence, goes on from here.
  }
  ScheduleKeepalive(last_read_);
}

void GrpcConnection::Probe() {
  if (state_ != State::kClosed && session_ != nullptr && pong_timer_ == 0) {
    SendPing(kProbeTimeout);
  }
}

void GrpcConnection::SendPing(std::chrono::nanoseconds timeout) {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  ScheduleFlush();
  pong_timer_ = loop_.ScheduleAfter(timeout, [this] {
    pong_timer_ = 0;
    Close(absl::UnavailableError(fmt::format("{} does not answer pings", peer())));
  });
}

void GrpcConnection::OnPong() {
  loop_.Cancel(std::exchange(pong_timer_, 0));
  if (keepalive_timer_ == 0) {
    ScheduleKeepalive(last_read_);
  }
}

}  // namespace weir::net

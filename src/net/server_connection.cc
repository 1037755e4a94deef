#include "net/server_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/http1_session.h"
#include "net/http2_frame.h"
#include "net/http2_session.h"

namespace weir::net {
namespace {

// A body's rest is read straight to its place where that saves a copy worth the second buffer.
constexpr std::size_t kTargetBytesMin = 8 * 1024;
// What `out` keeps between flushes, so that an idle connection is small.
constexpr std::size_t kKeptOutBytesMax = 4 * 1024;
// Rounds of a full buffer before other connections get their turn.
constexpr int kTlsRoundsMax = 4;
constexpr auto kLingerTime = std::chrono::seconds(2);
constexpr std::size_t kSniffBytes = 4;  // "PRI " is no method of HTTP/1.

bool IsTemporary(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

ServerConnection::ServerConnection(ServerContext& server_context, ConnectionOwner& owner,
                                   std::uint64_t id, int fd, std::unique_ptr<TlsStream> tls,
                                   PeerInfo peer_info)
    : SessionHost(server_context, id),
      owner_(owner),
      fd_(fd),
      tls_(std::move(tls)),
      phase_(tls_ != nullptr ? Phase::kHandshake : Phase::kSniff),
      phase_since_(server_context.loop.Now()),
      sent_at_(phase_since_) {
  peer = std::make_shared<const PeerInfo>(std::move(peer_info));
  if (phase_ == Phase::kSniff && !context.options.http1) {
    OpenSession(/*http2=*/true);  // A server that speaks one protocol may speak first.
  }
  interest_ = EPOLLIN;
  context.loop.Watch(fd_, interest_, *this);
}

ServerConnection::~ServerConnection() { Abort(); }

void ServerConnection::OnEvents(std::uint32_t events) {
  if (phase_ == Phase::kFinished) {
    return;
  }
  const bool reading = (interest_ & EPOLLIN) != 0;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (!reading || (events & EPOLLIN) == 0)) {
    Abort();
    return;
  }
  if ((events & EPOLLOUT) != 0) {
    want_write_ = false;
    tls_wants_write_ = false;
    WantFlush();
  }
  if (phase_ == Phase::kHandshake) {
    ContinueHandshake();
  } else if (reading && (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0) {
    tls_ != nullptr&& phase_ != Phase::kLinger ? ReadTls() : ReadPlain();
  }
  UpdateInterest();
}

void ServerConnection::ContinueHandshake() {
  switch (tls_->Handshake()) {
    case TlsStatus::kDone:
      break;
    case TlsStatus::kWantRead:
      return;
    case TlsStatus::kWantWrite:
      tls_wants_write_ = true;
      return;
    case TlsStatus::kClosed:
    case TlsStatus::kFailed:
      Count(context.counters.connection_errors);
      Abort();
      return;
  }
  if (std::string subject = tls_->PeerSubject(); !subject.empty()) {
    PeerInfo with_subject = *peer;
    with_subject.tls_subject = std::move(subject);
    peer = std::make_shared<const PeerInfo>(std::move(with_subject));
  }
  const std::string_view alpn = tls_->alpn();
  if (alpn == "h2" || alpn == "http/1.1") {
    OpenSession(alpn == "h2");
  } else {
    phase_ = Phase::kSniff;
  }
  ReadTls();  // The client may have sent its first request along.
}

void ServerConnection::ReadPlain() {
  const std::span<char> buffer = owner_.read_buffer();
  std::span<char> target =
      session_ != nullptr && phase_ == Phase::kOpen ? session_->Target() : std::span<char>();
  ssize_t count = 0;
  if (target.size() >= kTargetBytesMin) {
    const iovec parts[2] = {{target.data(), target.size()}, {buffer.data(), buffer.size()}};
    count = ::readv(fd_, parts, 2);
  } else {
    target = {};
    count = ::recv(fd_, buffer.data(), buffer.size(), 0);
  }
  if (count < 0) {
    if (!IsTemporary(errno)) {
      Abort();
    }
    return;
  }
  if (count == 0) {
    OnEndOfInput();
    return;
  }
  std::size_t left = static_cast<std::size_t>(count);
  if (!target.empty()) {
    const std::size_t filled = std::min(left, target.size());
    session_->OnTargetFilled(filled);
    left -= filled;
  }
  if (left != 0) {
    Deliver(buffer.first(left));
  }
}

void ServerConnection::ReadTls() {
  const std::span<char> buffer = owner_.read_buffer();
  tls_may_hold_input_ = true;
  for (int round = 0; round < kTlsRoundsMax; ++round) {
    std::size_t size = 0;
    TlsStatus status = TlsStatus::kDone;
    while (size < buffer.size()) {
      const TlsResult result = tls_->Read(buffer.subspan(size));
      status = result.status;
      if (status != TlsStatus::kDone) {
        break;
      }
      size += result.bytes;
    }
    if (size != 0) {
      Deliver(buffer.first(size));
    }
    if (status != TlsStatus::kDone) {
      tls_may_hold_input_ = false;
      tls_wants_write_ = tls_wants_write_ || status == TlsStatus::kWantWrite;
      if (status == TlsStatus::kClosed) {
        OnEndOfInput();
      } else if (status == TlsStatus::kFailed) {
        Abort();
      }
      return;
    }
    if (session_paused_ || output_paused_ || phase_ == Phase::kFinished || closing_) {
      return;
    }
  }
  WantFlush();  // Which comes back for the rest.
}

void ServerConnection::Deliver(std::span<const char> bytes) {
  switch (phase_) {
    case Phase::kSniff:
      Sniff(bytes);
      break;
    case Phase::kOpen:
      if (!closing_) {
        session_->OnBytes(bytes);
      }
      break;
    case Phase::kHandshake:
    case Phase::kLinger:
    case Phase::kFinished:
      break;
  }
}

void ServerConnection::OnEndOfInput() {
  input_ended_ = true;
  if (phase_ == Phase::kOpen && !closing_) {
    session_->OnReadClosed();
  } else if (phase_ == Phase::kSniff || phase_ == Phase::kLinger) {
    Abort();
  }
}

void ServerConnection::Sniff(std::span<const char> bytes) {
  sniffed_.append(bytes.data(), bytes.size());
  const std::string_view start = std::string_view(sniffed_).substr(0, kSniffBytes);
  const bool like_http2 = http2::kPreface.starts_with(start);
  if (like_http2 && start.size() < kSniffBytes) {
    return;
  }
  OpenSession(like_http2 && context.options.http2);
  const std::string first = std::exchange(sniffed_, {});
  Deliver(first);
}

void ServerConnection::OpenSession(bool http2) {
  if (http2) {
    session_ = std::make_unique<Http2Session>(*this);
  } else {
    session_ = std::make_unique<Http1Session>(*this);
  }
  phase_ = Phase::kOpen;
  phase_since_ = context.loop.Now();
  if (draining_) {
    session_->StartDrain();
  }
}

void ServerConnection::WantFlush() {
  if (!dirty_) {
    dirty_ = true;
    owner_.OnDirty(*this);
  }
}

void ServerConnection::CloseAfterFlush() {
  closing_ = true;
  WantFlush();
}

void ServerConnection::PauseReading(bool paused) {
  session_paused_ = paused;
  WantFlush();
}

void ServerConnection::Flush() {
  dirty_ = false;
  if (phase_ == Phase::kFinished) {
    return;
  }
  while (!out.empty()) {
    if (!WriteSome()) {
      break;
    }
    if (out.empty() && phase_ == Phase::kOpen) {
      session_->OnFlushed();
    }
  }
  if (phase_ == Phase::kFinished) {
    return;
  }
  output_paused_ = out.size() > context.options.unsent_bytes_max;
  if (out.empty()) {
    if (out.capacity() > kKeptOutBytesMax) {
      std::string().swap(out);
    }
    if (closing_ && phase_ != Phase::kLinger) {
      Linger();
    }
  }
  if (tls_may_hold_input_ && phase_ == Phase::kOpen && !session_paused_ && !output_paused_ &&
      !closing_) {
    ReadTls();
  }
  UpdateInterest();
}

// False when the socket takes no more for now, or is gone.
bool ServerConnection::WriteSome() {
  std::size_t written = 0;
  if (tls_ != nullptr) {
    const TlsResult result = tls_->Write(out);
    if (result.status == TlsStatus::kWantRead || result.status == TlsStatus::kWantWrite) {
      want_write_ = result.status == TlsStatus::kWantWrite;
      return false;
    }
    if (result.status != TlsStatus::kDone) {
      Abort();
      return false;
    }
    written = result.bytes;
  } else {
    const ssize_t count = ::send(fd_, out.data(), out.size(), MSG_NOSIGNAL);
    if (count < 0) {
      want_write_ = IsTemporary(errno);
      if (!want_write_) {
        Abort();
      }
      return false;
    }
    written = static_cast<std::size_t>(count);
  }
  out.erase(0, written);
  sent_at_ = context.loop.Now();
  return true;
}

void ServerConnection::Linger() {
  if (tls_ != nullptr) {
    tls_->Shutdown();
  }
  if (session_ != nullptr) {
    session_->OnClosed();
  }
  if (input_ended_ || ::shutdown(fd_, SHUT_WR) != 0) {
    Abort();
    return;
  }
  phase_ = Phase::kLinger;
  phase_since_ = context.loop.Now();
  session_paused_ = output_paused_ = false;
}

void ServerConnection::Abort() {
  if (phase_ == Phase::kFinished) {
    return;
  }
  phase_ = Phase::kFinished;
  if (session_ != nullptr) {
    session_->OnClosed();
  }
  context.loop.Unwatch(fd_);
  ::close(std::exchange(fd_, -1));
  out.clear();
  WantFlush();  // So that the owner notices.
}

void ServerConnection::UpdateInterest() {
  if (phase_ == Phase::kFinished) {
    return;
  }
  const bool read = !input_ended_ && !session_paused_ && !output_paused_ &&
                    (!closing_ || phase_ == Phase::kLinger);
  const bool write = want_write_ || tls_wants_write_;
  const std::uint32_t wanted = (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u);
  if (wanted != interest_) {
    interest_ = wanted;
    context.loop.Rewatch(fd_, interest_, *this);
  }
}

void ServerConnection::OnTick(TimePoint now) {
  const auto head_timeout = context.options.head_timeout;
  const auto write_timeout = context.options.write_timeout;
  switch (phase_) {
    case Phase::kHandshake:
    case Phase::kSniff:
      // A connection that has sent nothing yet is idle; it may be one that was opened in advance.
      if (head_timeout.count() > 0 && now - phase_since_ > head_timeout &&
          (phase_ == Phase::kHandshake || !sniffed_.empty())) {
        Abort();
        return;
      }
      break;
    case Phase::kOpen:
      if (!closing_) {
        session_->OnTick(now);
      }
      break;
    case Phase::kLinger:
      if (now - phase_since_ > kLingerTime) {
        Abort();
      }
      return;
    case Phase::kFinished:
      return;
  }
  if (out.empty()) {
    sent_at_ = now;
  } else if (write_timeout.count() > 0 && now - sent_at_ > write_timeout) {
    Abort();
  }
}

void ServerConnection::StartDrain() {
  draining_ = true;
  if (phase_ == Phase::kOpen && !closing_) {
    session_->StartDrain();
  } else if (phase_ == Phase::kSniff || phase_ == Phase::kHandshake) {
    Abort();
  }
}

}  // namespace weir::net

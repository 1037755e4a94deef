// ServerConnection is one accepted socket: it reads, finds out which protocol is spoken, feeds the
// session, and writes at the end of the loop's turn what the session left in `out`.
//
// Closing is orderly: what is in `out` is sent, then our end is shut down and what the peer still
// sends is thrown away for a moment, because a close with unread bytes makes the kernel send a
// reset that may overtake our last answer.
//
// Threads: the loop's.
// Ownership: owns its descriptor and its session. The owner destroys it once `finished()`, never
// from inside one of its calls.

#ifndef WEIR_NET_SERVER_CONNECTION_H_
#define WEIR_NET_SERVER_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/server_session.h"
#include "net/tls.h"
#include "weir/base/event_loop.h"

namespace weir::net {

class ServerConnection;

class ConnectionOwner {
 public:
  // The connection wants Flush to be called at the end of this turn.
  virtual void OnDirty(ServerConnection& connection) = 0;
  // The loop's one read buffer.
  virtual std::span<char> read_buffer() = 0;

 protected:
  ~ConnectionOwner() = default;
};

class ServerConnection final : public FdHandler, public SessionHost {
 public:
  // Takes over `fd`, which does not block. `tls` is null for clear text.
  ServerConnection(ServerContext& context, ConnectionOwner& owner, std::uint64_t id, int fd,
                   std::unique_ptr<TlsStream> tls, PeerInfo peer);
  ~ServerConnection();

  void OnEvents(std::uint32_t events) override;
  void Flush();
  void OnTick(TimePoint now);
  void StartDrain();
  void Abort();
  bool finished() const { return phase_ == Phase::kFinished; }

  void WantFlush() override;
  void CloseAfterFlush() override;
  void PauseReading(bool paused) override;

 private:
  enum class Phase : std::uint8_t {
    kHandshake,
    kSniff,  // The first bytes tell the protocol.
    kOpen,
    kLinger,  // Our end is shut; the peer's bytes are thrown away.
    kFinished,
  };

  void ContinueHandshake();
  void ReadPlain();
  void ReadTls();
  void Deliver(std::span<const char> bytes);
  void OnEndOfInput();
  void Sniff(std::span<const char> bytes);
  void OpenSession(bool http2);
  bool WriteSome();
  void Linger();
  void UpdateInterest();

  ConnectionOwner& owner_;
  int fd_;
  std::unique_ptr<TlsStream> tls_;
  std::unique_ptr<ServerSession> session_;
  Phase phase_;
  bool dirty_ = false;
  bool closing_ = false;
  bool draining_ = false;
  bool session_paused_ = false;
  bool output_paused_ = false;  // The peer does not read what we send.
  bool input_ended_ = false;
  bool want_write_ = false;
  bool tls_wants_write_ = false;  // Before it can read, or go on with the handshake.
  bool tls_may_hold_input_ = false;
  std::uint32_t interest_ = 0;
  std::string sniffed_;
  TimePoint phase_since_;
  TimePoint sent_at_;  // When the peer last took bytes, or there were none for it.
};

}  // namespace weir::net

#endif  // WEIR_NET_SERVER_CONNECTION_H_

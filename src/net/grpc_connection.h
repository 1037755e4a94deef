// One HTTP/2 connection of a gRPC client: connects, speaks TLS where asked to, carries unary calls
// as streams, keeps itself alive, and tells its listener when it is ready, draining or gone.
//
// Message bodies are sent from where they lie: nghttp2 only makes the frames, and the slices go to
// the socket in one gathering system call with the frame headers between them.
//
// Threads: the loop's thread.
// Ownership: streams and the listener outlive their use here; a stream is used until OnEnd or
// Cancel. The listener is called from a task of its own, so it may destroy the connection.

#ifndef WEIR_NET_GRPC_CONNECTION_H_
#define WEIR_NET_GRPC_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "net/address.h"
#include "net/grpc_response.h"
#include "net/output_queue.h"
#include "net/tls.h"
#include "weir/base/event_loop.h"
#include "weir/base/slice.h"

struct nghttp2_session;

namespace weir::net {

struct GrpcKeepalive {
  std::chrono::nanoseconds time = std::chrono::seconds(10);     // Silence before a ping.
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // Wait for its answer.
  bool permit_without_stream = false;
};

struct GrpcConnectionOptions {
  std::shared_ptr<TlsContext> tls;  // Null: clear text.
  std::string tls_host;
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(20);
  std::optional<GrpcKeepalive> keepalive;
};

// One try of a call.
class GrpcStream {
 public:
  enum class End {
    kAnswered,     // The response reader has the answer.
    kReset,        // By the peer, with an HTTP/2 error.
    kUnprocessed,  // The peer has done nothing with it: safe to send again.
    kLost,         // The connection broke; nobody knows.
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit GrpcStream(std::size_t response_bytes_max) : response(response_bytes_max) {}
  virtual ~GrpcStream() = default;
  virtual void OnEnd(End end, std::uint32_t http2_error, const std::string& why) = 0;

  Headers headers;            // In order, pseudo headers first.
  std::vector<Slice> pieces;  // The body, gRPC's prefix in front.
  GrpcResponseReader response;

 private:
  friend class GrpcConnection;
  friend struct GrpcSessionCallbacks;
  std::size_t piece_ = 0;   // How far the body is framed.
  std::size_t offset_ = 0;  // In that piece.
  bool headers_sent_ = false;
};

class GrpcConnection final : public FdHandler {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnConnectionReady(GrpcConnection& connection) = 0;
    // The peer takes no new streams; those there are go on. `too_many_pings`: that was why.
    virtual void OnConnectionDraining(GrpcConnection& connection, bool too_many_pings) = 0;
    // After all streams have ended. Called once.
    virtual void OnConnectionClosed(GrpcConnection& connection, const absl::Status& why) = 0;
  };

  GrpcConnection(EventLoop& loop, const GrpcConnectionOptions& options,
                 const SocketAddress& address, Listener& listener);
  ~GrpcConnection() override;

  void Connect();
  // REQUIRES: ready().
  void Begin(GrpcStream& stream);
  void Cancel(GrpcStream& stream);
  // Asks the peer for a sign of life; without one within ten seconds the connection is closed.
  void Probe();

  bool ready() const { return state_ == State::kReady; }
  bool closed() const { return state_ == State::kClosed; }
  std::size_t stream_count() const { return streams_.size(); }
  TimePoint last_read() const { return last_read_; }

  void OnEvents(std::uint32_t events) override;

 private:
  friend struct GrpcSessionCallbacks;
  enum class State { kConnecting, kHandshaking, kSettling, kReady, kDraining, kClosed };

  void FinishConnect();
  void ContinueHandshake();
  void BeginSession();
  void ReadAvailable(bool until_end);
  // Bytes read, 0 when there are none now; closes on errors.
  std::size_t ReadSome(std::span<char> into);
  void ScheduleFlush();
  void Flush();
  bool WriteOutput();  // False when the socket is full or the connection closed.
  std::size_t WriteClear();
  std::size_t WriteTls();
  void Close(absl::Status why);
  void Notify(EventLoop::Task task);
  void OnSettings();
  void OnGoAway(std::uint32_t error, std::string_view debug);
  void OnPong();
  void EndStream(std::int32_t id, GrpcStream::End end, std::uint32_t error, const std::string& why);
  GrpcStream* FindStream(std::int32_t id);
  void ScheduleKeepalive(TimePoint since);
  void KeepaliveTick();
  void SendPing(std::chrono::nanoseconds timeout);
  std::string peer() const { return address_.ToString(); }

  EventLoop& loop_;
  const GrpcConnectionOptions options_;
  const SocketAddress address_;
  Listener& listener_;

  State state_ = State::kConnecting;
  int fd_ = -1;
  std::unique_ptr<TlsStream> tls_;
  nghttp2_session* session_ = nullptr;
  OutputQueue output_;
  std::unordered_map<std::int32_t, GrpcStream*> streams_;
  bool flush_scheduled_ = false;
  TimePoint last_read_{};
  EventLoop::TimerId connect_timer_ = 0;
  EventLoop::TimerId keepalive_timer_ = 0;
  EventLoop::TimerId pong_timer_ = 0;
  // Deferred tasks hold it weakly: what outlives the connection does nothing.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace weir::net

#endif  // WEIR_NET_GRPC_CONNECTION_H_

// Http1Session serves one HTTP/1.1 connection: heads, bodies with a length or in chunks,
// keep-alive, and pipelined requests one after the other.
//
// While a request waits for its answer nothing behind it is read further than what one read
// brought.
//
// Threads: the loop's.
// Invariants: at most one request is under way; `backlog_` is empty unless it is.

#ifndef WEIR_NET_HTTP1_SESSION_H_
#define WEIR_NET_HTTP1_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "net/http1_parser.h"
#include "net/server_session.h"

namespace weir::net {

class Http1Session;

class Http1Request final : public ServerRequest {
 public:
  void Respond(const HttpResponse& response) override;
  void RespondGrpc(const GrpcStatus& status, std::string_view message) override;
  void RespondGrpcOk() override;

 private:
  friend class Http1Session;
  void Recycle();

  Http1Session* session_ = nullptr;  // Null once the connection has gone.
  ServerContext* context_ = nullptr;
};

class Http1Session final : public ServerSession {
 public:
  explicit Http1Session(SessionHost& host);

  void OnBytes(std::span<const char> bytes) override;
  std::span<char> Target() override;
  void OnTargetFilled(std::size_t bytes) override;
  void OnReadClosed() override;
  void OnFlushed() override;
  void OnClosed() override;
  void OnTick(TimePoint now) override;
  void StartDrain() override;

 private:
  friend class Http1Request;

  enum class State : std::uint8_t {
    kHead,  // Between requests, or in a head.
    kBody,  // Of known length.
    kChunks,
    kWaiting,  // The body is read (or not wanted); the handler owes an answer.
    kSkip,     // Answered before its body of known length was read.
    kSkipChunks,
    kClosing,
  };

  // A body that nobody wants is read past so that the connection can go on, up to this size.
  static constexpr std::uint64_t kSkippedBytesMax = 1024 * 1024;

  void Resume();
  void Parse(std::span<const char>& bytes);
  std::size_t ReadHead(std::span<const char> bytes);
  std::size_t ReadBody(std::span<const char> bytes);
  std::size_t ReadChunks(std::span<const char> bytes);
  void StartRequest(std::string_view raw);
  void StartBody(std::size_t bytes_max);
  void FinishBody();
  void FailBody(BodyFault fault);
  void Reject(int status);
  void Answer(Http1Request& request, const HttpResponse& response);
  void AppendAnswer(const RequestHead& head, const HttpResponse& response, bool close);
  void AfterAnswer();
  void Close();

  SessionHost& host_;
  ServerContext& context_;
  State state_ = State::kHead;
  bool parsing_ = false;
  bool owed_ = false;            // The handler owes an answer.
  bool answered_early_ = false;  // While the body is still coming.
  bool broken_ = false;          // What comes next can't be understood.
  bool draining_ = false;
  bool read_closed_ = false;

  std::string head_bytes_;  // Of a head that came in pieces.
  std::string known_raw_;   // The last head, as it came and as it was read.
  HeadRef known_head_;

  Http1Request* request_ = nullptr;  // Under way; the context's pool owns it.
  RequestHandler* handler_ = nullptr;
  BodyReader body_;
  ChunkReader chunks_;
  std::uint64_t skip_ = 0;  // Bytes of a body nobody wants.
  std::string backlog_;     // Of requests behind the one under way.

  TimePoint since_;          // When this state's clock began: idle, head or body.
  TimePoint request_since_;  // When the request's first byte came.
  std::uint64_t received_at_check_ = 0;
};

}  // namespace weir::net

#endif  // WEIR_NET_HTTP1_SESSION_H_

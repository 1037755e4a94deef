// One request of an HTTP/2 connection, and the table a session finds it by.
//
// Threads: the loop's.
// Ownership: the context's pool owns streams; table and handlers borrow them.
// Invariants: a stream is in its session's table while `session` is not null.

#ifndef WEIR_NET_HTTP2_STREAM_H_
#define WEIR_NET_HTTP2_STREAM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "net/server_session.h"

namespace weir::net {

class Http2Session;

struct Http2Stream final : ServerRequest {
  enum class State : std::uint8_t {
    kReceiving,  // The handler waits for the body.
    kOwed,       // The handler owes an answer.
    kSending,    // Answered; the peer's windows hold up the rest.
  };

  void Respond(const HttpResponse& response) override;
  void RespondGrpc(const GrpcStatus& status, std::string_view message) override;
  void RespondGrpcOk() override;

  Http2Session* session = nullptr;  // Null once the peer or the connection has gone.
  ServerContext* context = nullptr;
  RequestHandler* handler = nullptr;
  std::uint32_t id = 0;
  State state = State::kReceiving;
  bool remote_closed = false;
  bool grpc_pending = false;  // What is pending ends with gRPC's trailers.

  std::int64_t receive_window = 0;
  std::int64_t send_window = 0;
  BodyReader body;
  std::uint64_t received_at_check = 0;  // Bytes of the body at the last progress check.
  TimePoint checked_at{};

  Slice pending;  // Of the answer's body.
  std::size_t pending_sent = 0;

  Http2Stream* next_in_bucket = nullptr;

  // Into the pool, with nothing left in it.
  void Recycle();

  friend class Http2Session;
};

// Streams by id. A client's ids rise by two, so consecutive streams fall into consecutive buckets.
class Http2StreamTable {
 public:
  Http2Stream* Find(std::uint32_t id) const {
    Http2Stream* stream = buckets_[Bucket(id)];
    while (stream != nullptr && stream->id != id) {
      stream = stream->next_in_bucket;
    }
    return stream;
  }
  void Insert(Http2Stream& stream);
  void Remove(Http2Stream& stream);
  std::size_t size() const { return size_; }

  // Any one of them, or null: how all are taken out one by one.
  Http2Stream* Any() const;
  // `visit(Http2Stream&)` for each; it may remove the one it is given.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (Http2Stream* bucket : buckets_) {
      while (bucket != nullptr) {
        Http2Stream& stream = *bucket;
        bucket = stream.next_in_bucket;
        visit(stream);
      }
    }
  }

 private:
  static constexpr std::size_t kBuckets = 64;
  static std::size_t Bucket(std::uint32_t id) { return id / 2 % kBuckets; }

  std::array<Http2Stream*, kBuckets> buckets_{};
  std::size_t size_ = 0;
};

}  // namespace weir::net

#endif  // WEIR_NET_HTTP2_STREAM_H_

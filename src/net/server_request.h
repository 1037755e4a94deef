// One request at a server of ours, and the interface of whoever answers it. HTTP/1.1, HTTP/2 and
// gRPC calls look the same to a handler, apart from how it answers.
//
// A request takes one of these ways:
//
//   OnHead answers (Respond), now or later, and returns nullopt: nothing more is called.
//   OnHead returns the longest body it takes, then exactly one of
//     OnBody       the body is whole (and decompressed); the handler answers, now or later
//     OnBodyFault  it can't be had; the handler answers, now or later
//     OnCancelled  the peer went away; the request is gone when this returns
//   OnCancelled may also come after OnBody or OnBodyFault and before the answer: nobody will read
//   the answer any more, but Respond is still owed, because it frees the request.
//
// Threads: all calls in both directions are made on the request's loop thread. A handler that
// finishes elsewhere posts to `loop()`.
// Ownership: the server owns a request; it lives until it is answered (or, before its body was
// handed over, until OnCancelled returns), even when its connection goes first. Every request is
// answered before the server is destroyed.

#ifndef WEIR_NET_SERVER_REQUEST_H_
#define WEIR_NET_SERVER_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/body_reader.h"
#include "net/grpc_status.h"
#include "net/request_head.h"
#include "weir/base/event_loop.h"
#include "weir/base/slice.h"

namespace weir::net {

// The other end of a connection.
struct PeerInfo {
  std::string address;      // "10.1.2.3:4567", "[::1]:4567"; empty for Unix sockets.
  std::string tls_subject;  // Of its certificate, once verified ("CN=agent,O=shop").
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type;  // Empty sends none.
  Slice body;
  std::span<const HeaderField> fields;  // Names in lower case.
};

class RequestHandler;

class ServerRequest {
 public:
  ServerRequest(const ServerRequest&) = delete;
  ServerRequest& operator=(const ServerRequest&) = delete;

  // The head and the peer are kept until the answer.
  const RequestHead& head() const { return *head_; }
  const std::shared_ptr<const PeerInfo>& peer() const { return peer_; }
  EventLoop& loop() const { return *loop_; }
  // Equal for all requests of one connection, distinct from all others of this process.
  std::uint64_t connection_id() const { return connection_id_; }
  // Nobody waits for the answer any more.
  bool cancelled() const { return cancelled_; }

  // What the handler wants to find again, such as what an authenticator said in OnHead.
  void set_attachment(std::shared_ptr<const void> value) { attachment_ = std::move(value); }
  const std::shared_ptr<const void>& attachment() const { return attachment_; }

  // Exactly one of these, once; the request is gone afterwards.
  virtual void Respond(const HttpResponse& response) = 0;
  // REQUIRES: the request is a gRPC call. A message is sent with kOk only.
  virtual void RespondGrpc(const GrpcStatus& status, std::string_view message = {}) = 0;
  // The same as RespondGrpc with kOk and an empty message, without building a status.
  virtual void RespondGrpcOk() = 0;

 protected:
  ServerRequest() = default;
  ~ServerRequest() = default;

  HeadRef head_;
  std::shared_ptr<const PeerInfo> peer_;
  EventLoop* loop_ = nullptr;
  std::uint64_t connection_id_ = 0;
  std::shared_ptr<const void> attachment_;
  bool cancelled_ = false;
};

// Threads: called by every loop of the server it is given to.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  // The longest body to take, or nullopt when the handler answers without one.
  virtual std::optional<std::size_t> OnHead(ServerRequest& request) = 0;
  virtual void OnBody(ServerRequest& request, Slice body) = 0;
  // The default answers with the code of GrpcBodyFault or HttpBodyFault.
  virtual void OnBodyFault(ServerRequest& request, BodyFault fault);
  virtual void OnCancelled(ServerRequest&) {}
};

// What a fault means in the protocol's own words.
GrpcStatus GrpcBodyFault(BodyFault fault);
struct HttpFault {
  int status;
  std::string_view message;
};
HttpFault HttpBodyFault(BodyFault fault);

}  // namespace weir::net

#endif  // WEIR_NET_SERVER_REQUEST_H_

// A connection without a socket: what a session under the fuzzer talks to. Its handler answers
// every other request at once and keeps the rest until the connection is gone, which is the harder
// case.

#ifndef WEIR_TESTS_FUZZ_SESSION_HOST_H_
#define WEIR_TESTS_FUZZ_SESSION_HOST_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/grpc_server.h"
#include "net/http1_session.h"
#include "net/http2_stream.h"
#include "net/server_session.h"
#include "weir/base/check.h"
#include "weir/base/event_loop.h"

namespace weir::net {

class AlternatingHandler final : public RequestHandler {
 public:
  std::optional<std::size_t> OnHead(ServerRequest& request) override {
    if (request.head().path() == "/no") {
      request.Respond({.status = 401, .content_type = {}, .body = {}, .fields = {}});
      return std::nullopt;
    }
    return std::size_t{4096};
  }
  void OnBody(ServerRequest& request, Slice body) override {
    if (++count_ % 2 == 0) {
      kept_.push_back(&request);
    } else if (request.head().is_grpc()) {
      request.RespondGrpc({}, body.view());
    } else {
      request.Respond({.status = 200, .content_type = {}, .body = std::move(body), .fields = {}});
    }
  }
  void AnswerKept() {
    for (ServerRequest* const request : std::exchange(kept_, {})) {
      request->head().is_grpc() ? request->RespondGrpcOk() : request->Respond({});
    }
  }

 private:
  std::size_t count_ = 0;
  std::vector<ServerRequest*> kept_;
};

class LooseHost final : public SessionHost {
 public:
  explicit LooseHost(ServerContext& context) : SessionHost(context, 1) {
    peer = std::make_shared<const PeerInfo>();
  }
  void WantFlush() override {}
  void CloseAfterFlush() override { closing = true; }
  void PauseReading(bool pause) override { paused = pause; }

  bool closing = false;
  bool paused = false;
};

template <typename Session>
void FuzzSession(const std::uint8_t* data, std::size_t size, std::string_view preface = {}) {
  static const std::unique_ptr<EventLoop> loop = NewEpollLoop();
  if (size == 0) {
    return;
  }
  const std::size_t cut = std::max<std::size_t>(1, data[0]);
  std::string bytes(preface);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);

  MemoryBudget budget(1 << 20);
  IncompleteBytes incomplete(budget);
  AlternatingHandler handler;
  GrpcRouter router;
  router.Add("/s/m", handler);
  ServerOptions options;
  options.cors.emplace(CorsPolicy::Options{
      .allowed_origins = {"*"}, .allowed_headers = {}, .exposed_headers = {}, .max_age = {}});
  ServerContext context(options, *loop, incomplete);
  context.http = &handler;
  context.grpc = &router;
  {
    LooseHost host(context);
    Session session(host);
    for (std::size_t at = 0; at < bytes.size() && !host.closing && !host.paused;) {
      const std::size_t count = std::min(cut, bytes.size() - at);
      if (const std::span<char> target = session.Target(); !target.empty()) {
        const std::size_t filled = std::min(target.size(), count);
        std::copy_n(bytes.data() + at, filled, target.data());
        session.OnTargetFilled(filled);
        at += filled;
        continue;
      }
      session.OnBytes(std::span(bytes.data() + at, count));
      at += count;
      host.out.clear();
      session.OnFlushed();
    }
    session.OnClosed();
  }
  handler.AnswerKept();
  WEIR_CHECK(context.streams.lent() == 0);
  WEIR_CHECK(context.requests.lent() == 0);
  WEIR_CHECK(incomplete.used() == 0);
  WEIR_CHECK(budget.used() == 0);
}

}  // namespace weir::net

#endif  // WEIR_TESTS_FUZZ_SESSION_HOST_H_

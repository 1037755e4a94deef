// A server on loopback with a handler that does what the test says, and raw clients that send it
// whatever bytes a test wants. Clients wait for events with a generous limit, never for time.

#ifndef WEIR_TESTS_NET_TEST_SERVER_H_
#define WEIR_TESTS_NET_TEST_SERVER_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http2_frame.h"
#include "net/server.h"

namespace weir::net {

// Answers every request on the spot, or keeps it until the test says so.
class ScriptedHandler : public RequestHandler {
 public:
  std::size_t body_bytes_max = 1 << 20;
  std::function<bool(ServerRequest&)> on_head;  // True when it answered.
  std::function<void(ServerRequest&, Slice)> on_body;

  std::optional<std::size_t> OnHead(ServerRequest& request) override {
    const std::lock_guard lock(mutex_);
    heads_.push_back(std::string(request.head().path()));
    if (on_head && on_head(request)) {
      return std::nullopt;
    }
    return body_bytes_max;
  }
  void OnBody(ServerRequest& request, Slice body) override {
    {
      const std::lock_guard lock(mutex_);
      bodies_.push_back(std::string(body.view()));
      changed_.notify_all();
    }
    if (on_body) {
      on_body(request, std::move(body));
    } else if (request.head().is_grpc()) {
      request.RespondGrpc({}, body.view());
    } else {
      request.Respond(
          {.status = 200, .content_type = "text/plain", .body = std::move(body), .fields = {}});
    }
  }
  void OnBodyFault(ServerRequest& request, BodyFault fault) override {
    {
      const std::lock_guard lock(mutex_);
      faults_.push_back(fault);
      changed_.notify_all();
    }
    RequestHandler::OnBodyFault(request, fault);
  }
  void OnCancelled(ServerRequest&) override {
    const std::lock_guard lock(mutex_);
    ++cancelled_;
    changed_.notify_all();
  }

  std::vector<std::string> bodies() {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  std::vector<std::string> heads() {
    const std::lock_guard lock(mutex_);
    return heads_;
  }
  std::vector<BodyFault> faults() {
    const std::lock_guard lock(mutex_);
    return faults_;
  }
  bool WaitForBodies(std::size_t count) {
    return WaitFor([&] { return bodies_.size() >= count; });
  }
  bool WaitForCancelled(std::size_t count) {
    return WaitFor([&] { return cancelled_ >= count; });
  }

 private:
  bool WaitFor(const std::function<bool()>& reached) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), reached);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> heads_;
  std::vector<std::string> bodies_;
  std::vector<BodyFault> faults_;
  std::size_t cancelled_ = 0;
};

class TestServer {
 public:
  static constexpr const char* kGrpcPath = "/test.Service/Call";

  explicit TestServer(ServerOptions options = {},
                      std::size_t budget_bytes = MemoryBudget::kUnlimited, std::size_t loops = 1)
      : budget(budget_bytes) {
    router.Add(kGrpcPath, handler);
    if (options.endpoint.address.empty()) {
      options.endpoint.address = "127.0.0.1:0";
    }
    auto opened =
        Server::Open(std::move(options), {.http = &handler, .grpc = &router}, budget, loops);
    WEIR_CHECK(opened.ok());
    server = *std::move(opened);
    std::vector<EventLoop*> raw;
    for (std::size_t i = 0; i < loops; ++i) {
      threads.push_back(std::make_unique<LoopThread>("test"));
      raw.push_back(&threads.back()->loop());
    }
    server->Start(raw);
  }
  EventLoop& loop() { return threads.front()->loop(); }
  void OnLoop(EventLoop::Task task) { threads.front()->RunAndWait(std::move(task)); }

  // Until what all connections did has been counted.
  bool WaitFor(const std::function<bool(const Server::Stats&)>& reached) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!reached(server->stats())) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      OnLoop([] {});
      std::this_thread::yield();
    }
    return true;
  }

  MemoryBudget budget;
  ScriptedHandler handler;
  GrpcRouter router;
  std::vector<std::unique_ptr<LoopThread>> threads;
  std::unique_ptr<Server> server;
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    WEIR_CHECK(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False when the server has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Reads once more; false at the end or when nothing came in time.
  bool Receive() {
    char bytes[65536];
    const ssize_t count = ::recv(fd_, bytes, sizeof(bytes), 0);
    if (count <= 0) {
      ended_ = true;
      return false;
    }
    received.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  bool ReceiveUntil(std::string_view text) {
    while (received.find(text) == std::string::npos) {
      if (!Receive()) {
        return false;
      }
    }
    return true;
  }
  // Everything until the server closes.
  const std::string& ReceiveAll() {
    while (Receive()) {
    }
    return received;
  }
  void FinishSending() { ::shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  bool ended() const { return ended_; }

  std::string received;

 private:
  int fd_;
  bool ended_ = false;
};

// Frames by hand, answers decoded.
class RawHttp2 {
 public:
  struct Frame {
    http2::FrameHead head;
    std::string payload;
  };
  using Fields = std::multimap<std::string, std::string>;

  explicit RawHttp2(std::uint16_t port, bool greet = true) : client(port) {
    WEIR_CHECK(nghttp2_hd_inflate_new(&inflater_) == 0);
    if (greet) {
      client.Send(http2::kPreface);
      SendFrame(http2::kSettings, 0, 0, "");
    }
  }
  ~RawHttp2() { nghttp2_hd_inflate_del(inflater_); }

  static std::string Encode(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                            std::string_view payload) {
    std::string out;
    http2::AppendFrameHead(out, {.length = static_cast<std::uint32_t>(payload.size()),
                                 .type = type,
                                 .flags = flags,
                                 .stream = stream});
    out.append(payload);
    return out;
  }
  bool SendFrame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                 std::string_view payload) {
    return client.Send(Encode(type, flags, stream, payload));
  }
  // Literals without indexing, names and values shorter than 127 bytes.
  static std::string Block(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string block;
    for (const auto& [name, value] : fields) {
      block.push_back('\0');
      block.push_back(static_cast<char>(name.size()));
      block += name;
      block.push_back(static_cast<char>(value.size()));
      block += value;
    }
    return block;
  }
  static std::string PostBlock(const std::string& path,
                               std::vector<std::pair<std::string, std::string>> more = {}) {
    std::vector<std::pair<std::string, std::string>> fields = {
        {":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "test"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return Block(fields);
  }
  static std::string GrpcBlock(const std::string& path = TestServer::kGrpcPath,
                               std::vector<std::pair<std::string, std::string>> more = {}) {
    more.insert(more.begin(), {{"content-type", "application/grpc"}, {"te", "trailers"}});
    return PostBlock(path, std::move(more));
  }
  static std::string Message(std::string_view message, char flag = '\0') {
    std::string out(1, flag);
    http2::AppendU32(out, static_cast<std::uint32_t>(message.size()));
    out.append(message);
    return out;
  }
  void SendGrpc(std::uint32_t id, std::string_view message) {
    SendFrame(http2::kHeaders, http2::kFlagEndHeaders, id, GrpcBlock());
    SendFrame(http2::kData, http2::kFlagEndStream, id, Message(message));
  }

  // nullopt at the end of the connection.
  std::optional<Frame> ReadFrame() {
    while (true) {
      if (client.received.size() >= http2::kFrameHeadBytes) {
        const http2::FrameHead head = http2::ReadFrameHead(client.received.data());
        if (client.received.size() >= http2::kFrameHeadBytes + head.length) {
          Frame frame{head, client.received.substr(http2::kFrameHeadBytes, head.length)};
          client.received.erase(0, http2::kFrameHeadBytes + head.length);
          return frame;
        }
      }
      if (!client.Receive()) {
        return std::nullopt;
      }
    }
  }
  // The next frame of this type (and stream, where given); others are passed over, their heads
  // read.
  std::optional<Frame> ReadFrame(std::uint8_t type, std::optional<std::uint32_t> stream = {}) {
    while (std::optional<Frame> frame = ReadFrame()) {
      if (frame->head.type == type && (!stream || frame->head.stream == *stream)) {
        return frame;
      }
      if (frame->head.type == http2::kHeaders) {
        Decode(frame->payload);
      }
    }
    return std::nullopt;
  }
  Fields Decode(std::string_view block) {
    Fields fields;
    const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    int flags = 0;
    do {
      nghttp2_nv nv;
      flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, at, left, 1);
      EXPECT_GE(used, 0);
      if (used < 0) {
        return fields;
      }
      at += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        fields.emplace(std::string(reinterpret_cast<char*>(nv.name), nv.namelen),
                       std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
      }
    } while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0);
    nghttp2_hd_inflate_end_headers(inflater_);
    return fields;
  }
  struct Answer {
    Fields head;
    std::string body;
    Fields trailers;
    std::optional<std::uint32_t> reset;  // Its code, where the stream was reset.
    bool ended = false;

    std::string Field(const std::string& name) const {
      for (const Fields* fields : {&head, &trailers}) {
        if (const auto found = fields->find(name); found != fields->end()) {
          return found->second;
        }
      }
      return "";
    }
  };
  // Everything of one stream until it ends.
  Answer ReadAnswer(std::uint32_t id) {
    Answer answer;
    while (std::optional<Frame> frame = ReadFrame()) {
      if (frame->head.type == http2::kHeaders) {
        Fields fields = Decode(frame->payload);
        if (frame->head.stream == id) {
          (answer.head.empty() ? answer.head : answer.trailers) = std::move(fields);
        }
      }
      if (frame->head.stream != id) {
        continue;
      }
      if (frame->head.type == http2::kData) {
        answer.body += frame->payload;
      }
      if (frame->head.type == http2::kRstStream) {
        answer.reset = http2::ReadU32(frame->payload.data());
        return answer;
      }
      if ((frame->head.type == http2::kData || frame->head.type == http2::kHeaders) &&
          (frame->head.flags & http2::kFlagEndStream) != 0) {
        answer.ended = true;
        return answer;
      }
    }
    return answer;
  }
  // The code of the GOAWAY that ends the connection; nullopt when it ends without.
  std::optional<std::uint32_t> ReadGoaway() {
    const std::optional<Frame> frame = ReadFrame(http2::kGoaway);
    return frame ? std::optional(http2::ReadU32(frame->payload.data() + 4)) : std::nullopt;
  }

  RawClient client;

 private:
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace weir::net

#endif  // WEIR_TESTS_NET_TEST_SERVER_H_

// Servers that misbehave: each is a script of raw HTTP/2 bytes on a thread of its own.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/grpc_client.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::HasSubstr;

std::string Number(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) {
    text += static_cast<char>(value >> (8 * i));
  }
  return text;
}

std::string Frame(int type, int flags, std::uint32_t stream, const std::string& payload) {
  return Number(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + Number(stream, 4) + payload;
}

std::string Literal(const std::string& name, const std::string& value) {
  return "\0"s + static_cast<char>(name.size()) + name + static_cast<char>(value.size()) + value;
}

constexpr int kEndStream = 1;
constexpr int kEndHeaders = 4;
const std::string kSettings = Frame(4, 0, 0, "");
const std::string kOkHeaders =
    Literal(":status", "200") + Literal("content-type", "application/grpc");

std::string Headers(std::uint32_t stream, const std::string& block, bool end) {
  return Frame(1, kEndHeaders | (end ? kEndStream : 0), stream, block);
}
std::string TrailersOnly(std::uint32_t stream, const std::string& status) {
  return Headers(stream, kOkHeaders + Literal("grpc-status", status), true);
}
std::string GoAway(std::uint32_t last, std::uint32_t error, const std::string& debug = "") {
  return Frame(7, 0, 0, Number(last, 4) + Number(error, 4) + debug);
}
std::string Reset(std::uint32_t stream, std::uint32_t error) {
  return Frame(3, 0, stream, Number(error, 4));
}

// One accepted connection, as a script sees it.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer() { ::close(fd_); }

  void Send(const std::string& bytes) {
    static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  // The next frame's type, or -1 at the end. Skips the client's preface.
  int ReadFrame() {
    if (!preface_read_) {
      preface_read_ = true;
      if (Read(24).empty()) {
        return -1;
      }
    }
    const std::string header = Read(9);
    if (header.empty()) {
      return -1;
    }
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(header[i]));
    };
    payload_ = Read(byte(0) << 16 | byte(1) << 8 | byte(2));
    stream_ = byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
    flags_ = static_cast<int>(byte(4));
    return static_cast<int>(byte(3));
  }
  bool WaitFor(int type) {
    int read = 0;
    while (read != -1) {
      read = ReadFrame();
      if (read == type) {
        return true;
      }
    }
    return false;
  }
  void WaitForEnd() {
    while (ReadFrame() != -1) {
    }
  }
  std::uint32_t stream() const { return stream_; }
  int flags() const { return flags_; }
  const std::string& payload() const { return payload_; }

 private:
  std::string Read(std::size_t size) {
    std::string bytes(size, 0);
    std::size_t filled = 0;
    while (filled < size) {
      const ssize_t got = ::recv(fd_, bytes.data() + filled, size - filled, 0);
      if (got <= 0) {
        return "";
      }
      filled += static_cast<std::size_t>(got);
    }
    return bytes;
  }

  const int fd_;
  bool preface_read_ = false;
  std::string payload_;
  std::uint32_t stream_ = 0;
  int flags_ = 0;
};

constexpr int kData = 0;
constexpr int kHeadersType = 1;
constexpr int kResetType = 3;
constexpr int kPing = 6;

// Runs `script(peer, n)` for the n-th connection, one after the other.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer&, int)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    WEIR_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    WEIR_CHECK(::listen(listener_, 16) == 0);
    socklen_t length = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int n = 0;; ++n) {
        const int fd = ::accept(listener_, nullptr, nullptr);
        if (fd < 0) {
          return;
        }
        ++connections_;
        Peer peer(fd);
        script_(peer, n);
      }
    });
  }
  // REQUIRES: the client is gone, so that no script waits for it.
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

 private:
  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

class GrpcClientFaults : public testing::Test {
 protected:
  void Serve(ScriptedServer::Script script, GrpcClientOptions options = {}) {
    server_ = std::make_unique<ScriptedServer>(std::move(script));
    options.target = *ParseGrpcTarget(server_->target());
    options.backoff_min = 20ms;
    options.seed = 7;
    thread_.RunAndWait(
        [&] { client_ = std::make_unique<GrpcClient>(thread_.loop(), std::move(options)); });
  }
  ~GrpcClientFaults() override {
    thread_.RunAndWait([this] { client_.reset(); });
    server_.reset();
  }
  std::future<GrpcResponse> Begin(std::chrono::nanoseconds timeout = 20s, std::size_t bytes = 3) {
    auto promise = std::make_shared<std::promise<GrpcResponse>>();
    std::future<GrpcResponse> future = promise->get_future();
    thread_.RunAndWait([&] {
      client_->Call({.path = "/a.B/C",
                     .message = {Slice::Copy(std::string(bytes, 'x'))},
                     .deadline = thread_.loop().Now() + timeout},
                    [promise](GrpcResponse response) { promise->set_value(std::move(response)); });
    });
    return future;
  }

  std::unique_ptr<ScriptedServer> server_;
  LoopThread thread_{"client"};
  std::unique_ptr<GrpcClient> client_;
};

// Scenario: the server says GOAWAY without having looked at the call, then closes.
// Guarantees: the call is sent again on a new connection and succeeds.
TEST_F(GrpcClientFaults, GoAwayBeforeTheStreamIsRetried) {
  Serve([](Peer& peer, int n) {
    peer.Send(kSettings);
    if (peer.WaitFor(kHeadersType)) {
      if (n == 0) {
        peer.Send(GoAway(0, 0));
      } else {
        peer.Send(TrailersOnly(peer.stream(), "0"));
        peer.WaitForEnd();
      }
    }
  });
  EXPECT_EQ(Begin().get().code, GrpcCode::kOk);
  EXPECT_EQ(server_->connections(), 2);
}

// Scenario: GOAWAY that includes the call, which is then answered.
TEST_F(GrpcClientFaults, GoAwayAfterTheStreamLetsItFinish) {
  Serve([](Peer& peer, int) {
    peer.Send(kSettings);
    if (peer.WaitFor(kHeadersType)) {
      peer.Send(GoAway(1, 0) + TrailersOnly(1, "0"));
      peer.WaitForEnd();
    }
  });
  EXPECT_EQ(Begin().get().code, GrpcCode::kOk);
}

TEST_F(GrpcClientFaults, RefusedStreamsAreRetriedAFewTimes) {
  Serve([](Peer& peer, int) {
    peer.Send(kSettings);
    while (peer.WaitFor(kHeadersType)) {
      peer.Send(Reset(peer.stream(), 7));
    }
  });
  EXPECT_EQ(Begin().get().code, GrpcCode::kUnavailable);
}

TEST_F(GrpcClientFaults, ResetsAreMapped) {
  for (const auto& [error, code] :
       {std::pair(8u, GrpcCode::kCancelled), std::pair(11u, GrpcCode::kResourceExhausted),
        std::pair(2u, GrpcCode::kInternal)}) {
    const std::uint32_t http2_error = error;
    Serve([http2_error](Peer& peer, int) {
      peer.Send(kSettings);
      while (peer.WaitFor(kHeadersType)) {
        peer.Send(Reset(peer.stream(), http2_error));
      }
    });
    EXPECT_EQ(Begin().get().code, code);
    thread_.RunAndWait([this] { client_.reset(); });
  }
}

// Scenario: the connection breaks after the call was sent, before any answer.
// Guarantees: unavailable, not sent again by itself: the server may have done it.
TEST_F(GrpcClientFaults, ConnectionLostInMidCall) {
  Serve([](Peer& peer, int) {
    peer.Send(kSettings);
    peer.WaitFor(kData);
  });
  const GrpcResponse response = Begin().get();
  EXPECT_EQ(response.code, GrpcCode::kUnavailable);
  EXPECT_FALSE(response.from_peer);
}

TEST_F(GrpcClientFaults, HalfAnAnswerIsUnavailable) {
  Serve([](Peer& peer, int) {
    peer.Send(kSettings);
    if (peer.WaitFor(kHeadersType)) {
      peer.Send(Headers(1, kOkHeaders, false) + Frame(0, 0, 1, "\0\0\0\0\5ab"s));
    }
  });
  EXPECT_EQ(Begin().get().code, GrpcCode::kUnavailable);
}

// Scenario: the answer comes while the client still has most of the message to send.
// Guarantees: the call ends with that answer, and the rest of the message is reset.
TEST_F(GrpcClientFaults, EarlyAnswerEndsTheCall) {
  std::promise<bool> reset;
  Serve([&](Peer& peer, int) {
    peer.Send(kSettings);
    if (peer.WaitFor(kData)) {
      peer.Send(TrailersOnly(1, "8"));
      reset.set_value(peer.WaitFor(kResetType));
      peer.WaitForEnd();
    }
  });
  EXPECT_EQ(Begin(20s, 1000000).get().code, GrpcCode::kResourceExhausted);
  EXPECT_TRUE(reset.get_future().get());
}

// Scenario: two calls, one after the other, each answered once its message was read to the end.
// Guarantees: neither stream is reset. Servers count resets, weir's own too, and hang up.
TEST_F(GrpcClientFaults, AnAnsweredCallIsNotReset) {
  std::promise<int> resets;
  Serve([&](Peer& peer, int n) {
    peer.Send(kSettings);
    if (n > 0) {  // The client has a new connection ready once this one is told to go away.
      peer.WaitForEnd();
      return;
    }
    int seen = 0;
    for (int calls = 0; calls < 2;) {
      const int type = peer.ReadFrame();
      ASSERT_NE(type, -1);
      seen += type == kResetType ? 1 : 0;
      if (type == kData && (peer.flags() & kEndStream) != 0) {
        ++calls;
        peer.Send(TrailersOnly(peer.stream(), "0"));
      }
    }
    peer.Send(GoAway(3, 0));
    for (int type = 0; type != -1; type = peer.ReadFrame()) {
      seen += type == kResetType ? 1 : 0;
    }
    resets.set_value(seen);
  });
  EXPECT_EQ(Begin().get().code, GrpcCode::kOk);
  EXPECT_EQ(Begin().get().code, GrpcCode::kOk);
  EXPECT_EQ(resets.get_future().get(), 0);
}

TEST_F(GrpcClientFaults, ServerThatSpeaksHttp1) {
  Serve(
      [](Peer& peer, int) { peer.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); });
  const GrpcResponse response = Begin().get();
  EXPECT_EQ(response.code, GrpcCode::kUnavailable);
  EXPECT_FALSE(response.message.empty());
}

TEST_F(GrpcClientFaults, ServerThatClosesAtOnce) {
  Serve([](Peer&, int) {});
  EXPECT_EQ(Begin().get().code, GrpcCode::kUnavailable);
}

// Scenario: the connection is accepted and nothing is ever said.
// Guarantees: connecting ends by its timeout, and the call with it.
TEST_F(GrpcClientFaults, SilentServerFailsTheConnect) {
  Serve([](Peer& peer, int) { peer.WaitForEnd(); }, {.connect_timeout = 50ms});
  const GrpcResponse response = Begin().get();
  EXPECT_EQ(response.code, GrpcCode::kUnavailable);
  EXPECT_THAT(response.message, HasSubstr("in time"));
}

// Scenario: a server that falls silent with a call open, under keepalive.
// Guarantees: pings are sent; without an answer the connection is given up.
TEST_F(GrpcClientFaults, KeepaliveFindsTheDead) {
  std::atomic<bool> pinged{false};
  Serve(
      [&](Peer& peer, int) {
        peer.Send(kSettings);
        if (peer.WaitFor(kPing)) {
          pinged = true;
        }
        peer.WaitForEnd();
      },
      {.keepalive = GrpcKeepalive{.time = 30ms, .timeout = 50ms}});
  const GrpcResponse response = Begin().get();
  EXPECT_EQ(response.code, GrpcCode::kUnavailable);
  EXPECT_THAT(response.message, HasSubstr("pings"));
  EXPECT_TRUE(pinged);
}

// Scenario: pings are answered for a while before the call is.
TEST_F(GrpcClientFaults, KeepaliveKeepsTheLiving) {
  Serve(
      [](Peer& peer, int) {
        peer.Send(kSettings);
        for (int i = 0; i < 5 && peer.WaitFor(kPing); ++i) {
          peer.Send(Frame(6, 1, 0, peer.payload()));
        }
        peer.Send(TrailersOnly(1, "0"));
        peer.WaitForEnd();
      },
      {.keepalive = GrpcKeepalive{.time = 20ms, .timeout = 10s}});
  EXPECT_EQ(Begin().get().code, GrpcCode::kOk);
}

TEST_F(GrpcClientFaults, DeadlineInSilenceProbesTheConnection) {
  std::promise<bool> pinged;
  Serve([&](Peer& peer, int) {
    peer.Send(kSettings);
    pinged.set_value(peer.WaitFor(kPing));
    peer.WaitForEnd();
  });
  EXPECT_EQ(Begin(100ms).get().code, GrpcCode::kDeadlineExceeded);
  EXPECT_TRUE(pinged.get_future().get());
}

// Scenario: a small window that never opens.
// Guarantees: no byte beyond it is sent; the call ends by its deadline.
TEST_F(GrpcClientFaults, WindowsAreObeyed) {
  std::atomic<std::size_t> received{0};
  Serve([&](Peer& peer, int) {
    peer.Send(Frame(4, 0, 0, Number(4, 2) + Number(1000, 4)));
    for (int type = 0; type != -1;) {
      type = peer.ReadFrame();
      if (type == kData) {
        received += peer.payload().size();
      }
    }
  });
  EXPECT_EQ(Begin(200ms, 1000000).get().code, GrpcCode::kDeadlineExceeded);
  thread_.RunAndWait([this] { client_.reset(); });
  server_.reset();
  EXPECT_EQ(received, 1000u);
}

TEST_F(GrpcClientFaults, EndlessHeadersEndTheCall) {
  Serve([](Peer& peer, int) {
    peer.Send(kSettings);
    if (peer.WaitFor(kHeadersType)) {
      std::string block = kOkHeaders;
      for (int i = 0; i < 100; ++i) {
        block += Literal("x-noise", std::string(120, 'x'));
      }
      for (int i = 0; i < 50; ++i) {
        peer.Send(Headers(1, block, false));
      }
      peer.WaitForEnd();
    }
  });
  EXPECT_NE(Begin(2s).get().code, GrpcCode::kOk);
}

TEST_F(GrpcClientFaults, ResponseBeyondTheLimitEndsTheCall) {
  Serve(
      [](Peer& peer, int) {
        peer.Send(kSettings);
        if (peer.WaitFor(kHeadersType)) {
          peer.Send(Headers(1, kOkHeaders, false));
          for (int i = 0; i < 10; ++i) {
            peer.Send(Frame(0, 0, 1, std::string(1000, '\0')));
          }
          peer.WaitForEnd();
        }
      },
      {.response_bytes_max = 2000});
  EXPECT_EQ(Begin().get().code, GrpcCode::kResourceExhausted);
}

TEST_F(GrpcClientFaults, HttpErrorPageIsMapped) {
  Serve([](Peer& peer, int) {
    peer.Send(kSettings);
    if (peer.WaitFor(kHeadersType)) {
      peer.Send(
          Headers(1, Literal(":status", "503") + Literal("content-type", "text/html"), false) +
          Frame(0, kEndStream, 1, "<html>"));
      peer.WaitForEnd();
    }
  });
  const GrpcResponse response = Begin().get();
  EXPECT_EQ(response.code, GrpcCode::kUnavailable);
  EXPECT_THAT(response.message, HasSubstr("503"));
}

}  // namespace
}  // namespace weir::net

#include "net/grpc_client.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/net/certificates.h"

namespace weir::net {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

struct Seen {
  std::string method;
  std::string authority;
  std::string message;
  std::multimap<std::string, std::string> metadata;
  bool has_deadline = false;
};

// What the server does with a call; the default answers with the request's size as text.
struct Answer {
  grpc::Status status = grpc::Status::OK;
  std::string message;
  bool silent = false;  // Until the client gives up.
};
using Respond = std::function<Answer(const Seen&)>;

std::string Bytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  static_cast<void>(buffer.Dump(&slices));
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

class Reactor final : public grpc::ServerGenericBidiReactor {
 public:
  Reactor(grpc::GenericCallbackServerContext* context, const Respond& handler)
      : context_(context), handler_(handler) {
    StartRead(&in_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      FinishOnce(grpc::Status(grpc::StatusCode::INTERNAL, "no message"));
      return;
    }
    Seen seen{.method = context_->method(), .authority = context_->host(), .message = Bytes(in_)};
    for (const auto& [key, value] : context_->client_metadata()) {
      seen.metadata.emplace(std::string(key.data(), key.size()),
                            std::string(value.data(), value.size()));
    }
    seen.has_deadline = context_->deadline() < std::chrono::system_clock::now() + 24h;
    const Answer answer = handler_(seen);
    if (answer.silent) {
      return;  // OnCancel ends it.
    }
    if (!answer.status.ok()) {
      FinishOnce(answer.status);
      return;
    }
    if (finished_.exchange(true)) {
      return;
    }
    grpc::Slice slice(answer.message);
    out_ = grpc::ByteBuffer(&slice, 1);
    StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void OnCancel() override { FinishOnce(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

  void FinishOnce(const grpc::Status& status) {
    if (!finished_.exchange(true)) {
      Finish(status);
    }
  }

  grpc::GenericCallbackServerContext* const context_;
  const Respond& handler_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  std::atomic<bool> finished_{false};
};

class Server final : public grpc::CallbackGenericService {
 public:
  explicit Server(
      Respond handler, const std::string& address = "127.0.0.1:0",
      std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials(),
      const std::vector<std::pair<std::string, int>>& arguments = {})
      : handler_(std::move(handler)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, std::move(credentials), &port_);
    builder.SetMaxReceiveMessageSize(64 << 20);
    for (const auto& [name, value] : arguments) {
      builder.AddChannelArgument(name, value);
    }
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    WEIR_CHECK(server_ != nullptr);
  }
  ~Server() override { Stop(); }

  void Stop() { server_->Shutdown(std::chrono::system_clock::now() + 100ms); }
  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Reactor(context, handler_);
  }

  const Respond handler_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

Answer SizeAnswer(const Seen& seen) { return {.message = std::to_string(seen.message.size())}; }

class GrpcClientTest : public testing::Test {
 protected:
  ~GrpcClientTest() override {
    thread_.RunAndWait([this] { client_.reset(); });
  }

  void MakeClient(const std::string& target, GrpcClientOptions options = {}) {
    options.target = *ParseGrpcTarget(target);
    options.backoff_min = 20ms;
    options.seed = 7;
    thread_.RunAndWait(
        [&] { client_ = std::make_unique<GrpcClient>(thread_.loop(), std::move(options)); });
  }

  std::future<GrpcResponse> Begin(GrpcRequest request, std::chrono::nanoseconds timeout = 20s) {
    auto promise = std::make_shared<std::promise<GrpcResponse>>();
    std::future<GrpcResponse> future = promise->get_future();
    if (request.path.empty()) {
      request.path = "/test.Service/Method";
    }
    thread_.RunAndWait([&] {
      request.deadline = thread_.loop().Now() + timeout;
      last_call_ = client_->Call(std::move(request), [promise](GrpcResponse response) {
        promise->set_value(std::move(response));
      });
    });
    return future;
  }

  GrpcResponse Call(std::vector<Slice> message = {}, std::chrono::nanoseconds timeout = 20s) {
    return Begin({.message = std::move(message)}, timeout).get();
  }

  std::size_t ReadyConnections() {
    std::size_t count = 0;
    thread_.RunAndWait([&] { count = client_->ready_connections(); });
    return count;
  }

  LoopThread thread_{"client"};
  std::unique_ptr<GrpcClient> client_;
  GrpcClient::CallId last_call_ = 0;
};

// Scenario: a message in pieces of many sizes, larger than every window and buffer on the way.
// Guarantees: the server gets exactly those bytes, with the headers asked for.
TEST_F(GrpcClientTest, SendsAMessageInPieces) {
  std::promise<Seen> seen;
  Server server([&](const Seen& call) {
    seen.set_value(call);
    return Answer{.message = "answer"};
  });
  MakeClient(server.target(), {.user_agent = "weir/1"});
  std::string expected;
  std::vector<Slice> pieces;
  for (std::size_t size = 0; expected.size() < 5000000; size = size * 3 + 1) {
    const std::string piece(std::min<std::size_t>(size, 700000),
                            static_cast<char>('a' + size % 26));
    expected += piece;
    pieces.push_back(Slice::Copy(piece));
  }
  const GrpcResponse response =
      Begin({.path = "/a.B/C", .message = pieces, .metadata = {{"x-key", "value"}, {"x-key", "2"}}})
          .get();
  EXPECT_EQ(response.code, GrpcCode::kOk) << response.message;
  EXPECT_EQ(response.body, "answer");
  const Seen call = seen.get_future().get();
  EXPECT_EQ(call.method, "/a.B/C");
  EXPECT_EQ(call.authority, server.target());
  EXPECT_TRUE(call.message == expected);
  EXPECT_EQ(call.metadata.count("x-key"), 2u);
  EXPECT_TRUE(call.has_deadline);
}

TEST_F(GrpcClientTest, ManyCallsAtOnce) {
  Server server(SizeAnswer);
  MakeClient(server.target());
  std::vector<std::future<GrpcResponse>> calls;
  for (std::size_t i = 0; i < 200; ++i) {
    calls.push_back(Begin({.message = {Slice::Copy(std::string(i * 1000, 'x'))}}));
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i].get().body, std::to_string(i * 1000));
  }
}

TEST_F(GrpcClientTest, EmptyMessage) {
  Server server(SizeAnswer);
  MakeClient(server.target());
  EXPECT_EQ(Call().body, "0");
  EXPECT_EQ(Call({Slice(), Slice::Copy("")}).body, "0");
}

TEST_F(GrpcClientTest, GzipIsReadByAGrpcServer) {
  Server server(SizeAnswer);
  MakeClient(server.target());
  const Slice plain = Slice::Copy(std::string(100000, 'x'));
  const Slice packed = Compress(Compression::kGzip, {&plain, 1});
  const GrpcResponse response = Begin({.message = {packed}, .encoding = Compression::kGzip}).get();
  EXPECT_EQ(response.body, "100000") << response.message;
}

TEST_F(GrpcClientTest, StatusMessageAndDetailsArrive) {
  Server server([](const Seen&) {
    return Answer{.status = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "quota: 50 %\n",
                                         std::string("\0details", 8))};
  });
  MakeClient(server.target());
  const GrpcResponse response = Call();
  EXPECT_EQ(response.code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(response.message, "quota: 50 %\n");
  EXPECT_EQ(response.status_details, std::string("\0details", 8));
  EXPECT_TRUE(response.from_peer);
}

// Scenario: the server takes the request and never answers.
// Guarantees: the call ends by its deadline, and the connection serves the next one.
TEST_F(GrpcClientTest, DeadlineEndsASilentCall) {
  Server server([](const Seen& seen) {
    return seen.message.empty() ? Answer{.silent = true} : Answer{.message = "2"};
  });
  MakeClient(server.target());
  EXPECT_EQ(Call({Slice::Static("x")}).code, GrpcCode::kOk);
  EXPECT_EQ(Call({}, 50ms).code, GrpcCode::kDeadlineExceeded);
  EXPECT_EQ(Call({Slice::Static("x")}).code, GrpcCode::kOk);
  EXPECT_EQ(ReadyConnections(), 1u);
}

TEST_F(GrpcClientTest, DeadlineThatHasPassedFails) {
  Server server(SizeAnswer);
  MakeClient(server.target());
  EXPECT_EQ(Call({}, -1s).code, GrpcCode::kDeadlineExceeded);
}

TEST_F(GrpcClientTest, CancelEndsACall) {
  Server server([](const Seen&) { return Answer{.silent = true}; });
  MakeClient(server.target());
  std::future<GrpcResponse> call = Begin({});
  thread_.RunAndWait([this] {
    client_->Cancel(last_call_);
    client_->Cancel(last_call_);  // Twice does nothing.
    client_->Cancel(12345);
  });
  EXPECT_EQ(call.get().code, GrpcCode::kCancelled);
}

TEST_F(GrpcClientTest, DestroyingTheClientEndsItsCalls) {
  Server server([](const Seen&) { return Answer{.silent = true}; });
  MakeClient(server.target());
  std::future<GrpcResponse> call = Begin({.message = {Slice::Copy(std::string(3000000, 'x'))}});
  thread_.RunAndWait([this] { client_.reset(); });
  EXPECT_EQ(call.get().code, GrpcCode::kCancelled);
}

// Scenario: a done callback that destroys the client it belongs to.
TEST_F(GrpcClientTest, DoneMayDestroyTheClient) {
  Server server(SizeAnswer);
  MakeClient(server.target());
  std::promise<void> destroyed;
  thread_.RunAndWait([&] {
    client_->Call({.path = "/a/b"}, [&](GrpcResponse) {
      client_.reset();
      destroyed.set_value();
    });
  });
  destroyed.get_future().wait();
}

TEST_F(GrpcClientTest, NobodyThereFailsAtOnce) {
  MakeClient("127.0.0.1:1");
  const GrpcResponse response = Call();
  EXPECT_EQ(response.code, GrpcCode::kUnavailable);
  EXPECT_THAT(response.message, HasSubstr("127.0.0.1:1"));
  EXPECT_FALSE(response.from_peer);
}

TEST_F(GrpcClientTest, NameThatDoesNotExistFails) {
  MakeClient("name.invalid:1");
  const GrpcResponse response = Call();
  EXPECT_EQ(response.code, GrpcCode::kUnavailable);
  EXPECT_THAT(response.message, HasSubstr("name.invalid"));
}

TEST_F(GrpcClientTest, NamesAreResolved) {
  Server server(SizeAnswer);
  MakeClient("dns:///localhost:" + std::to_string(server.port()),
             {.balancer = GrpcBalancer::kPickFirst});
  EXPECT_EQ(Call({Slice::Static("abc")}).body, "3");
}

// Scenario: wait_for_ready, and a server that comes up after the call was made.
TEST_F(GrpcClientTest, WaitForReadyWaits) {
  int port = 0;
  { port = Server(SizeAnswer).port(); }
  MakeClient("127.0.0.1:" + std::to_string(port), {.wait_for_ready = true});
  EXPECT_EQ(Call({}, 50ms).code, GrpcCode::kDeadlineExceeded);
  std::future<GrpcResponse> call = Begin({});
  Server server(SizeAnswer, "127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(call.get().code, GrpcCode::kOk);
}

// Scenario: a server goes and comes back at the same address.
// Guarantees: calls fail as unavailable meanwhile, and succeed again without help.
TEST_F(GrpcClientTest, Reconnects) {
  auto server = std::make_unique<Server>(SizeAnswer);
  const int port = server->port();
  MakeClient(server->target());
  EXPECT_EQ(Call().code, GrpcCode::kOk);
  server.reset();
  EXPECT_EQ(Call().code, GrpcCode::kUnavailable);
  server = std::make_unique<Server>(SizeAnswer, "127.0.0.1:" + std::to_string(port));
  GrpcResponse response;
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (response.code != GrpcCode::kOk && std::chrono::steady_clock::now() < end) {
    response = Call();
  }
  EXPECT_EQ(response.code, GrpcCode::kOk);
}

// Scenario: a server that ends every connection after a short age, as load balancers do, under a
// stream of calls.
// Guarantees: not one call is lost.
TEST_F(GrpcClientTest, DrainedConnectionsAreReplaced) {
  Server server(SizeAnswer, "127.0.0.1:0", grpc::InsecureServerCredentials(),
                {{"grpc.max_connection_age_ms", 100}, {"grpc.max_connection_age_grace_ms", 5000}});
  MakeClient(server.target());
  const auto end = std::chrono::steady_clock::now() + 1s;
  int calls = 0;
  while (std::chrono::steady_clock::now() < end) {
    const GrpcResponse response = Call({Slice::Static("x")});
    ASSERT_EQ(response.code, GrpcCode::kOk) << response.message << " after " << calls;
    ++calls;
  }
  EXPECT_GT(calls, 10);
}

TEST_F(GrpcClientTest, RoundRobinSpreads) {
  std::atomic<int> first{0};
  std::atomic<int> second{0};
  const auto counting = [](std::atomic<int>& count) {
    return [&count](const Seen& seen) {
      ++count;
      return SizeAnswer(seen);
    };
  };
  Server one(counting(first));
  Server two(counting(second));
  MakeClient("ipv4:" + one.target() + "," + two.target());
  for (int i = 0; i < 1000 && (first == 0 || second == 0); ++i) {
    ASSERT_EQ(Call().code, GrpcCode::kOk);
  }
  EXPECT_EQ(ReadyConnections(), 2u);
  first = second = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(Call().code, GrpcCode::kOk);
  }
  EXPECT_EQ(first, 10);
  EXPECT_EQ(second, 10);

  // One goes: the other serves all.
  one.Stop();
  GrpcResponse response;
  for (int i = 0; i < 20; ++i) {
    response = Call();
  }
  EXPECT_EQ(response.code, GrpcCode::kOk);
}

TEST_F(GrpcClientTest, PickFirstPassesOverTheDead) {
  Server server(SizeAnswer);
  MakeClient("ipv4:127.0.0.1:1," + server.target(), {.balancer = GrpcBalancer::kPickFirst});
  EXPECT_EQ(Call().code, GrpcCode::kOk);
}

TEST_F(GrpcClientTest, UnixSockets) {
  std::string folder = (std::filesystem::temp_directory_path() / "weir_grpc_XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  {
    Server server(SizeAnswer, "unix:" + folder + "/s");
    MakeClient("unix://" + folder + "/s");
    EXPECT_EQ(Call({Slice::Static("abc")}).body, "3");
  }
  std::filesystem::remove_all(folder);
}

TEST_F(GrpcClientTest, MetadataThatCannotBeSentFailsThatCallOnly) {
  Server server(SizeAnswer);
  MakeClient(server.target());
  EXPECT_EQ(Begin({.metadata = {{"x-key", "a\r\nb"}}}).get().code, GrpcCode::kInternal);
  EXPECT_EQ(Begin({.metadata = {{"X Key", "a"}}}).get().code, GrpcCode::kInternal);
  EXPECT_EQ(Call().code, GrpcCode::kOk);
}

class GrpcClientTlsTest : public GrpcClientTest {
 protected:
  GrpcClientTlsTest() {
    certificates_.Issue("server", {});
    certificates_.Issue("client", {});
    tls_.common.ca_file = certificates_.Path("ca.pem");
  }

  std::unique_ptr<Server> MakeServer(grpc_ssl_client_certificate_request_type clients) {
    grpc::SslServerCredentialsOptions options(clients);
    options.pem_root_certs = certificates_.Text("ca.pem");
    options.pem_key_cert_pairs = {
        {certificates_.Text("server.key"), certificates_.Text("server.pem")}};
    return std::make_unique<Server>(SizeAnswer, "127.0.0.1:0", grpc::SslServerCredentials(options));
  }

  void MakeTlsClient(const Server& server) {
    auto context = TlsContext::NewClient(tls_, {"h2"});
    ASSERT_TRUE(context.ok()) << context.status();
    MakeClient("localhost:" + std::to_string(server.port()), {.tls = *context});
  }

  TestCertificates certificates_;
  TlsClientConfig tls_;
};

TEST_F(GrpcClientTlsTest, LargeMessagesOverTls) {
  const auto server = MakeServer(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  MakeTlsClient(*server);
  std::vector<Slice> pieces;
  for (int i = 0; i < 3000; ++i) {
    pieces.push_back(Slice::Copy(std::string(1000, 'x')));
  }
  EXPECT_EQ(Call(pieces).body, "3000000");
  EXPECT_EQ(Call(pieces).body, "3000000");
}

TEST_F(GrpcClientTlsTest, MutualTls) {
  const auto server = MakeServer(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  MakeTlsClient(*server);
  EXPECT_EQ(Call().code, GrpcCode::kUnavailable);
  tls_.common.cert_file = certificates_.Path("client.pem");
  tls_.common.key_file = certificates_.Path("client.key");
  MakeTlsClient(*server);
  EXPECT_EQ(Call({Slice::Static("abc")}).body, "3");
}

TEST_F(GrpcClientTlsTest, WrongAuthorityIsUnavailableAndSaysWhy) {
  const auto server = MakeServer(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  TestCertificates other;
  tls_.common.ca_file = other.Path("ca.pem");
  MakeTlsClient(*server);
  const GrpcResponse response = Call();
  EXPECT_EQ(response.code, GrpcCode::kUnavailable);
  EXPECT_THAT(response.message, HasSubstr("certificate verify failed"));
}

TEST_F(GrpcClientTlsTest, ClearTextToATlsServerIsUnavailable) {
  const auto server = MakeServer(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  MakeClient(server->target());
  EXPECT_EQ(Call().code, GrpcCode::kUnavailable);
}

}  // namespace
}  // namespace weir::net

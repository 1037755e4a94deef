#include "net/http_client.h"

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/net/certificates.h"
#include "tests/net/plain_http_server.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Failure = HttpClientResponse::Failure;

class HttpClientTest : public testing::Test {
 protected:
  ~HttpClientTest() override {
    thread_.RunAndWait([this] { client_.reset(); });
  }

  void MakeClient(HttpClientOptions options = {}) {
    thread_.RunAndWait(
        [&] { client_ = std::make_unique<HttpClient>(thread_.loop(), std::move(options)); });
  }
  std::future<HttpClientResponse> Begin(HttpClientRequest request,
                                        std::chrono::nanoseconds timeout = 20s) {
    if (client_ == nullptr) {
      MakeClient();
    }
    auto promise = std::make_shared<std::promise<HttpClientResponse>>();
    std::future<HttpClientResponse> future = promise->get_future();
    thread_.RunAndWait([&] {
      request.deadline = thread_.loop().Now() + timeout;
      client_->Send(std::move(request), [promise](HttpClientResponse response) {
        promise->set_value(std::move(response));
      });
    });
    return future;
  }
  HttpClientResponse Post(const std::string& url, std::vector<Slice> body = {},
                          std::chrono::nanoseconds timeout = 20s) {
    return Begin({.url = url, .body = std::move(body)}, timeout).get();
  }

  LoopThread thread_{"client"};
  std::unique_ptr<HttpClient> client_;
};

// Scenario: a body of several megabytes in pieces, with headers, one of them empty.
TEST_F(HttpClientTest, PostsSlices) {
  std::promise<PlainHttpServer::Request> seen;
  PlainHttpServer server([&](const auto& request) {
    seen.set_value(request);
    return HttpAnswer("200 OK", "answer", "X-Answer:  yes \r\nContent-Type: text/plain\r\n");
  });
  std::string expected;
  std::vector<Slice> pieces;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::string piece(i, static_cast<char>('a' + i % 26));
    expected += piece;
    pieces.push_back(Slice::Copy(piece));
  }
  const HttpClientResponse response = Begin({.url = server.url("/v1/traces"),
                                             .headers = {{"X-Key", "value"}, {"X-Empty", ""}},
                                             .body = pieces})
                                          .get();
  EXPECT_EQ(response.failure, Failure::kNone) << response.error;
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "answer");
  EXPECT_EQ(response.header("x-answer"), "yes");
  EXPECT_EQ(response.header("content-type"), "text/plain");
  EXPECT_EQ(response.header("absent"), "");
  const PlainHttpServer::Request request = seen.get_future().get();
  EXPECT_EQ(request.line, "POST /v1/traces HTTP/1.1");
  EXPECT_TRUE(request.body == expected);
  EXPECT_EQ(request.headers.at("x-key"), "value");
  EXPECT_EQ(request.headers.count("expect"), 0u);
}

TEST_F(HttpClientTest, EmptyBody) {
  PlainHttpServer server([](const auto& request) {
    return HttpAnswer("200 OK", request.headers.at("content-length"));
  });
  EXPECT_EQ(Post(server.url()).body, "0");
}

TEST_F(HttpClientTest, KeepsConnections) {
  PlainHttpServer server([](const auto&) { return HttpAnswer("200 OK", ""); });
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Post(server.url()).status, 200);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClientTest, OneConnectionEachWithoutKeepAlive) {
  PlainHttpServer server([](const auto&) { return HttpAnswer("200 OK", ""); });
  MakeClient({.keep_alive = false});
  EXPECT_EQ(Post(server.url()).status, 200);
  EXPECT_EQ(Post(server.url()).status, 200);
  EXPECT_EQ(server.connections(), 2);
}

// Scenario: a kept connection that the server has closed meanwhile.
// Guarantees: the request goes out again, whole, on a new one.
TEST_F(HttpClientTest, DeadKeptConnectionIsReplaced) {
  std::atomic<int> requests{0};
  PlainHttpServer server([&](const auto& request) {
    ++requests;
    // The second request on a connection finds it dying.
    return requests == 2 ? "" : HttpAnswer("200 OK", std::to_string(request.body.size()));
  });
  const std::vector<Slice> body = {Slice::Copy(std::string(1000, 'x')), Slice::Copy("yz")};
  EXPECT_EQ(Post(server.url(), body).body, "1002");
  EXPECT_EQ(Post(server.url(), body).body, "1002");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpClientTest, StatusesAreNoFailures) {
  PlainHttpServer server([](const auto&) {
    return HttpAnswer("503 Service Unavailable", "later", "Retry-After: 7\r\n");
  });
  const HttpClientResponse response = Post(server.url());
  EXPECT_EQ(response.failure, Failure::kNone);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.header("retry-after"), "7");
}

TEST_F(HttpClientTest, RedirectsAreNotFollowed) {
  PlainHttpServer server([](const auto&) {
    return HttpAnswer("307 Temporary Redirect", "", "Location: http://127.0.0.1:1/\r\n");
  });
  EXPECT_EQ(Post(server.url()).status, 307);
}

TEST_F(HttpClientTest, LargeAnswersAreCut) {
  PlainHttpServer server(
      [](const auto&) { return HttpAnswer("200 OK", std::string(500000, 'x')); });
  const HttpClientResponse response =
      Begin({.url = server.url(), .response_bytes_max = 1000}).get();
  EXPECT_EQ(response.failure, Failure::kNone) << response.error;
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.size(), 1000u);
}

TEST_F(HttpClientTest, Failures) {
  EXPECT_EQ(Post("http://127.0.0.1:1/").failure, Failure::kUnreachable);
  EXPECT_EQ(Post("http://name.invalid/").failure, Failure::kUnreachable);
  EXPECT_EQ(Post("file:///etc/passwd").failure, Failure::kInvalid);
  EXPECT_EQ(Post("http://[x/").failure, Failure::kInvalid);
  PlainHttpServer closing([](const auto&) { return ""; });
  const HttpClientResponse closed = Post(closing.url());
  EXPECT_EQ(closed.failure, Failure::kUnreachable);
  EXPECT_FALSE(closed.error.empty());
  PlainHttpServer half([](const auto&) { return "HTTP/1.1 200 OK\r\nContent-Le"; });
  EXPECT_EQ(Post(half.url(), {}, 200ms).failure, Failure::kTimeout);
  PlainHttpServer strange([](const auto&) { return "no http at all\r\n\r\n"; });
  EXPECT_NE(Post(strange.url()).failure, Failure::kNone);
}

TEST_F(HttpClientTest, EndlessHeadersFail) {
  PlainHttpServer server([](const auto&) {
    std::string headers;
    for (int i = 0; i < 3000; ++i) {
      headers += "X-Noise: " + std::string(100, 'x') + "\r\n";
    }
    return HttpAnswer("200 OK", "", headers);
  });
  EXPECT_NE(Post(server.url()).failure, Failure::kNone);
}

TEST_F(HttpClientTest, PassedDeadlineIsATimeout) {
  EXPECT_EQ(Post("http://127.0.0.1:1/", {}, -1s).failure, Failure::kTimeout);
}

TEST_F(HttpClientTest, DestroyingTheClientEndsItsRequests) {
  std::promise<void> arrived;
  std::promise<void> leave;
  PlainHttpServer server([&](const auto&) {
    arrived.set_value();
    leave.get_future().wait();
    return "";
  });
  std::future<HttpClientResponse> response = Begin({.url = server.url()});
  arrived.get_future().wait();
  thread_.RunAndWait([this] { client_.reset(); });
  EXPECT_EQ(response.get().failure, Failure::kCancelled);
  leave.set_value();
}

TEST_F(HttpClientTest, DoneMayDestroyTheClient) {
  PlainHttpServer server([](const auto&) { return HttpAnswer("200 OK", ""); });
  MakeClient();
  std::promise<void> destroyed;
  thread_.RunAndWait([&] {
    client_->Send({.url = server.url()}, [&](HttpClientResponse) {
      client_.reset();
      destroyed.set_value();
    });
  });
  destroyed.get_future().wait();
}

TEST_F(HttpClientTest, CookiesOnlyWhereAskedFor) {
  std::vector<std::string> cookies;
  PlainHttpServer server([&](const auto& request) {
    const auto found = request.headers.find("cookie");
    cookies.push_back(found == request.headers.end() ? "" : found->second);
    return HttpAnswer("200 OK", "", "Set-Cookie: a=b\r\n");
  });
  Post(server.url());
  Post(server.url());
  MakeClient({.cookies = true});
  Post(server.url());
  Post(server.url());
  EXPECT_THAT(cookies, testing::ElementsAre("", "", "", "a=b"));
}

TEST_F(HttpClientTest, GoesThroughAProxy) {
  std::promise<std::string> line;
  PlainHttpServer proxy([&](const auto& request) {
    line.set_value(request.line);
    return HttpAnswer("200 OK", "");
  });
  MakeClient({.proxy_url = proxy.url()});
  EXPECT_EQ(Post("http://backend.invalid/v1/logs").status, 200);
  EXPECT_EQ(line.get_future().get(), "POST http://backend.invalid/v1/logs HTTP/1.1");
}

class HttpClientTlsTest : public HttpClientTest {
 protected:
  HttpClientTlsTest() {
    certificates_.Issue("server", {.names = {"backend.example"}});
    certificates_.Issue("client", {.common_name = "agent"});
    server_.common.cert_file = certificates_.Path("server.pem");
    server_.common.key_file = certificates_.Path("server.key");
    client_config_.common.ca_file = certificates_.Path("ca.pem");
  }
  std::unique_ptr<PlainHttpServer> Serve() {
    auto context = TlsContext::NewServer(server_, {"http/1.1"});
    WEIR_CHECK(context.ok());
    return std::make_unique<PlainHttpServer>(
        [](const auto& request) { return HttpAnswer("200 OK", request.headers.at("host")); },
        *context);
  }

  TestCertificates certificates_;
  TlsServerConfig server_;
  TlsClientConfig client_config_;
};

TEST_F(HttpClientTlsTest, VerifiesAndConnects) {
  const auto server = Serve();
  MakeClient({.tls = client_config_});
  const HttpClientResponse response = Post(server->url(), {Slice::Copy(std::string(100000, 'x'))});
  EXPECT_EQ(response.status, 200) << response.error;
}

TEST_F(HttpClientTlsTest, UnknownAuthorityFails) {
  const auto server = Serve();
  TestCertificates other;
  client_config_.common.ca_file = other.Path("ca.pem");
  MakeClient({.tls = client_config_});
  EXPECT_EQ(Post(server->url()).failure, Failure::kTls);
  MakeClient({});  // Nor is it one of the system's.
  EXPECT_EQ(Post(server->url()).failure, Failure::kTls);
}

TEST_F(HttpClientTlsTest, SkipVerify) {
  const auto server = Serve();
  client_config_ = TlsClientConfig{.insecure_skip_verify = true};
  MakeClient({.tls = client_config_});
  EXPECT_EQ(Post(server->url()).status, 200);
}

// Scenario: the certificate is for another name than the URL's.
// Guarantees: only server_name_override makes it good, and the Host header stays the URL's.
TEST_F(HttpClientTlsTest, ServerNameOverride) {
  certificates_.Issue("server", {.names = {"backend.example"}, .addresses = {}});
  const auto server = Serve();
  MakeClient({.tls = client_config_});
  EXPECT_EQ(Post(server->url()).failure, Failure::kTls);
  client_config_.server_name_override = "backend.example";
  MakeClient({.tls = client_config_});
  const HttpClientResponse response = Post(server->url());
  EXPECT_EQ(response.status, 200) << response.error;
  EXPECT_EQ(response.body, "127.0.0.1:" + std::to_string(server->port()));
}

TEST_F(HttpClientTlsTest, MutualTls) {
  server_.client_ca_file = certificates_.Path("ca.pem");
  const auto server = Serve();
  MakeClient({.tls = client_config_});
  EXPECT_NE(Post(server->url()).failure, Failure::kNone);
  client_config_.common.cert_pem = Secret(certificates_.Text("client.pem"));
  client_config_.common.key_pem = Secret(certificates_.Text("client.key"));
  MakeClient({.tls = client_config_});
  EXPECT_EQ(Post(server->url()).status, 200);
}

TEST(FetchUrl, FetchesFollowsAndRefuses) {
  PlainHttpServer server([](const auto& request) {
    if (request.line.starts_with("GET /moved")) {
      return HttpAnswer("302 Found", "", "Location: /config\r\n");
    }
    return request.line.starts_with("GET /config") ? HttpAnswer("200 OK", "receivers: {}")
                                                   : HttpAnswer("404 Not Found", "");
  });
  EXPECT_EQ(*FetchUrl(server.url("/config")), "receivers: {}");
  EXPECT_EQ(*FetchUrl(server.url("/moved")), "receivers: {}");
  EXPECT_THAT(std::string(FetchUrl(server.url("/absent")).status().message()), HasSubstr("404"));
  EXPECT_FALSE(FetchUrl(server.url("/config"), {.bytes_max = 3}).ok());
  EXPECT_FALSE(FetchUrl("http://127.0.0.1:1/").ok());
  EXPECT_FALSE(FetchUrl("file:///etc/passwd").ok());
}

}  // namespace
}  // namespace weir::net

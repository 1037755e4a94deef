#include <gtest/gtest.h>

#include "net/compression.h"
#include "tests/net/test_server.h"

namespace weir::net {
namespace {

using std::chrono::milliseconds;

std::string Post(const std::string& path, const std::string& body, const std::string& more = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + more + "\r\n" + body;
}

std::size_t CountOf(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Http1ServerTest, AnswersAndKeepsTheConnection) {
  TestServer server;
  RawClient client(server.server->port());
  for (int i = 0; i < 3; ++i) {
    client.received.clear();
    client.Send(Post("/a?b", "hello"));
    ASSERT_TRUE(client.ReceiveUntil("\r\n\r\nhello"));
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_NE(client.received.find("content-length: 5\r\n"), std::string::npos);
    EXPECT_NE(client.received.find("date: "), std::string::npos);
  }
  EXPECT_EQ(server.server->stats().requests, 3u);
  EXPECT_EQ(server.server->stats().connections_accepted, 1u);
}

// Scenario: a request arrives one byte at a time.
TEST(Http1ServerTest, ReadsRequestsInPieces) {
  TestServer server;
  RawClient client(server.server->port());
  for (const char c : Post("/", "piecemeal")) {
    client.Send(std::string(1, c));
  }
  EXPECT_TRUE(client.ReceiveUntil("\r\n\r\npiecemeal"));
}

TEST(Http1ServerTest, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  RawClient client(server.server->port());
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += Post("/", "body" + std::to_string(i) + ".");
  }
  client.Send(all);
  ASSERT_TRUE(client.ReceiveUntil("body49."));
  std::size_t before = 0;
  for (int i = 0; i < 50; ++i) {
    const std::size_t at = client.received.find("body" + std::to_string(i) + ".");
    ASSERT_GT(at, before);
    before = at;
  }
}

// Scenario: the first of two pipelined requests is answered later, from another turn of the loop.
// Guarantees: the second is read only then, and nothing is lost.
TEST(Http1ServerTest, WaitsForTheAnswerBeforeTheNextRequest) {
  TestServer server;
  ServerRequest* kept = nullptr;
  server.handler.on_body = [&](ServerRequest& request, Slice) { kept = &request; };
  RawClient client(server.server->port());
  client.Send(Post("/1", "one") + Post("/2", "two"));
  ASSERT_TRUE(server.handler.WaitForBodies(1));
  server.OnLoop([&] {
    EXPECT_EQ(server.handler.bodies().size(), 1u);
    ServerRequest* const first = std::exchange(kept, nullptr);
    first->Respond({.status = 202, .content_type = {}, .body = {}, .fields = {}});
  });
  ASSERT_TRUE(server.handler.WaitForBodies(2));
  server.OnLoop(
      [&] { kept->Respond({.status = 204, .content_type = {}, .body = {}, .fields = {}}); });
  ASSERT_TRUE(client.ReceiveUntil("HTTP/1.1 204"));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 202 Accepted\r\n"));
}

TEST(Http1ServerTest, ReadsChunkedBodies) {
  TestServer server;
  RawClient client(server.server->port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4\r\nchun\r\n3;x=y\r\nked\r\n0\r\nTrailer: t\r\n\r\n" +
      Post("/", "next"));
  EXPECT_TRUE(client.ReceiveUntil("\r\n\r\nchunked"));
  EXPECT_TRUE(client.ReceiveUntil("\r\n\r\nnext"));
}

TEST(Http1ServerTest, SaysContinueWhenAskedTo) {
  TestServer server;
  RawClient client(server.server->port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(client.ReceiveUntil("HTTP/1.1 100 Continue\r\n\r\n"));
  client.Send("ok");
  EXPECT_TRUE(client.ReceiveUntil("\r\n\r\nok"));
}

// Scenario: a body is refused by its length before it was sent; a client that asks first is told
// no.
TEST(Http1ServerTest, RefusesALargeBodyBeforeItComes) {
  TestServer server;
  RawClient client(server.server->port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(client.ReceiveAll().starts_with("HTTP/1.1 413 "));
  EXPECT_EQ(CountOf(client.received, "100 Continue"), 0u);
}

// Scenario: a handler refuses a request whose body is small and on its way.
// Guarantees: the body is read past, and the next request on the connection is served.
TEST(Http1ServerTest, ReadsPastARefusedBody) {
  TestServer server;
  server.handler.on_head = [](ServerRequest& request) {
    if (request.head().path() != "/refused") {
      return false;
    }
    request.Respond({.status = 401, .content_type = {}, .body = {}, .fields = {}});
    return true;
  };
  RawClient client(server.server->port());
  client.Send(Post("/refused", std::string(100000, 'x')) + Post("/", "fine"));
  ASSERT_TRUE(client.ReceiveUntil("\r\n\r\nfine"));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 401 "));
}

TEST(Http1ServerTest, CutsOffAChunkedBodyAtTheLimit) {
  TestServer server;
  server.handler.body_bytes_max = 10;
  RawClient client(server.server->port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789"
      "\r\n0\r\n\r\n");
  EXPECT_TRUE(client.ReceiveUntil("HTTP/1.1 413 "));
}

TEST(Http1ServerTest, UndoesContentEncodings) {
  TestServer server;
  server.handler.body_bytes_max = 100000;
  const std::string text(50000, 'z');
  const Slice plain = Slice::Copy(text);
  for (const auto& [name, compression] :
       {std::pair("gzip", Compression::kGzip), std::pair("zstd", Compression::kZstd),
        std::pair("deflate", Compression::kDeflate), std::pair("snappy", Compression::kSnappy)}) {
    const Slice packed = Compress(compression, {&plain, 1});
    RawClient client(server.server->port());
    client.Send(
        Post("/", std::string(packed.view()), std::string("Content-Encoding: ") + name + "\r\n"));
    EXPECT_TRUE(client.ReceiveUntil(text)) << name;
  }
  const Slice bomb = Slice::Copy(std::string(10 << 20, '\0'));
  const Slice packed_bomb = Compress(Compression::kGzip, {&bomb, 1});
  RawClient client(server.server->port());
  client.Send(Post("/", std::string(packed_bomb.view()), "Content-Encoding: gzip\r\n"));
  EXPECT_TRUE(client.ReceiveUntil("HTTP/1.1 413 "));
  client.received.clear();
  client.Send(Post("/", "not gzip", "Content-Encoding: gzip\r\n"));
  EXPECT_TRUE(client.ReceiveUntil("HTTP/1.1 400 "));
  client.received.clear();
  client.Send(Post("/", "x", "Content-Encoding: br\r\n"));
  EXPECT_TRUE(client.ReceiveUntil("HTTP/1.1 415 "));
}

TEST(Http1ServerTest, ClosesWhenToldTo) {
  TestServer server;
  RawClient close(server.server->port());
  close.Send(Post("/", "x", "Connection: close\r\n"));
  EXPECT_NE(close.ReceiveAll().find("connection: close\r\n"), std::string::npos);
  RawClient old(server.server->port());
  old.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.ReceiveAll().starts_with("HTTP/1.1 200 "));
  // A client may finish sending and still wait for its answer.
  RawClient half(server.server->port());
  half.Send(Post("/", "half"));
  half.FinishSending();
  EXPECT_TRUE(half.ReceiveAll().ends_with("half"));
}

TEST(Http1ServerTest, HeadHasNoBody) {
  TestServer server;
  server.handler.on_body = [](ServerRequest& request, Slice) {
    request.Respond({.status = 200,
                     .content_type = "text/plain",
                     .body = Slice::Static("unseen"),
                     .fields = {}});
  };
  RawClient client(server.server->port());
  client.Send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(client.ReceiveAll().find("content-length: 6\r\n"), std::string::npos);
  EXPECT_EQ(CountOf(client.received, "unseen"), 0u);
}

TEST(Http1ServerTest, AnswersGarbageAndCloses) {
  TestServer server;
  for (const std::string& garbage :
       {std::string("\x16\x03\x01\x02\x00\x01\x00", 7), std::string("nonsense\r\n\r\n"),
        std::string("GET / HTTP/9.9\r\n\r\n"), std::string("GET /x HTTP/1.1\r\n\r\n")}) {
    RawClient client(server.server->port());
    client.Send(garbage);
    const std::string& answer = client.ReceiveAll();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.1 505 "))
        << answer;
  }
  RawClient endless(server.server->port());
  endless.Send("GET / HTTP/1.1\r\nX: " + std::string(70000, 'x'));
  EXPECT_TRUE(endless.ReceiveAll().starts_with("HTTP/1.1 431 "));
  EXPECT_EQ(server.handler.heads().size(), 0u);
}

// Scenario: a head, or a body, that stops coming.
// Guarantees: the connection is closed when its time is over; what the body held is given back.
TEST(Http1ServerTest, CutsOffWhatDoesNotProgress) {
  ServerOptions options;
  options.head_timeout = milliseconds(60);
  options.body_progress_window = milliseconds(60);
  TestServer server(options);
  RawClient head(server.server->port());
  head.Send("POST / HTTP/1.1\r\nHo");
  EXPECT_TRUE(head.ReceiveAll().starts_with("HTTP/1.1 408 "));
  RawClient body(server.server->port());
  body.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\nx");
  EXPECT_EQ(body.ReceiveAll(), "");
  ASSERT_TRUE(server.handler.WaitForCancelled(1));
  server.OnLoop([] {});
  EXPECT_EQ(server.budget.used(), 0u);
  EXPECT_EQ(server.server->stats().incomplete_bytes, 0u);
}

// Scenario: the client goes while its request is being worked on.
// Guarantees: the handler hears of it, and its late answer is harmless.
TEST(Http1ServerTest, SurvivesAClientThatGoes) {
  TestServer server;
  ServerRequest* kept = nullptr;
  server.handler.on_body = [&](ServerRequest& request, Slice) { kept = &request; };
  {
    RawClient client(server.server->port());
    client.Send(Post("/", "x") + Post("/", "y"));
    ASSERT_TRUE(server.handler.WaitForBodies(1));
  }
  server.server->Shutdown(std::chrono::steady_clock::now());
  EXPECT_TRUE(server.handler.WaitForCancelled(1));
  server.OnLoop([&] {
    EXPECT_TRUE(kept->cancelled());
    kept->Respond({});
  });
}

TEST(Http1ServerTest, CorsFieldsAndPreflight) {
  ServerOptions options;
  options.cors.emplace(CorsPolicy::Options{.allowed_origins = {"https://a"},
                                           .allowed_headers = {},
                                           .exposed_headers = {},
                                           .max_age = {}});
  options.response_fields = {{"x-served-by", "weir"}};
  TestServer server(std::move(options));
  RawClient client(server.server->port());
  client.Send(
      "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\n"
      "Access-Control-Request-Method: POST\r\n\r\n");
  ASSERT_TRUE(client.ReceiveUntil("\r\n\r\n"));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 204 "));
  EXPECT_EQ(CountOf(client.received, "access-control-allow-origin: https://a\r\n"), 1u);
  EXPECT_EQ(CountOf(client.received, "x-served-by: weir\r\n"), 1u);
  EXPECT_EQ(server.handler.heads().size(), 0u);
  client.received.clear();
  client.Send(Post("/", "body", "Origin: https://a\r\n"));
  ASSERT_TRUE(client.ReceiveUntil("\r\n\r\nbody"));
  EXPECT_EQ(CountOf(client.received, "access-control-allow-origin: https://a\r\n"), 1u);
}

// Scenario: a client asks for large answers and never reads them.
// Guarantees: no more is read from it, so what waits for it stays bounded; others are served.
TEST(Http1ServerTest, DoesNotReadFromAClientThatDoesNotRead) {
  ServerOptions options;
  options.unsent_bytes_max = 100000;
  TestServer server(options);
  const Slice large = Slice::Copy(std::string(1 << 20, 'x'));
  server.handler.on_body = [&](ServerRequest& request, Slice body) {
    request.Respond({.status = 200,
                     .content_type = {},
                     .body = request.head().path() == "/" ? large : body,
                     .fields = {}});
  };
  RawClient greedy(server.server->port());
  std::string many;
  for (int i = 0; i < 2000; ++i) {
    many += Post("/", "");
  }
  greedy.Send(many);
  ASSERT_TRUE(server.handler.WaitForBodies(1));
  RawClient polite(server.server->port());
  polite.Send(Post("/small", "polite"));
  EXPECT_TRUE(polite.ReceiveUntil("\r\n\r\npolite"));
  EXPECT_LT(server.handler.bodies().size(), 2000u);
}

TEST(Http1ServerTest, LimitsConnections) {
  ServerOptions options;
  options.connections_max = 2;
  TestServer server(options);
  RawClient first(server.server->port());
  first.Send(Post("/", "first"));
  ASSERT_TRUE(first.ReceiveUntil("first"));
  RawClient second(server.server->port());
  second.Send(Post("/", "second"));
  ASSERT_TRUE(second.ReceiveUntil("second"));
  RawClient third(server.server->port());
  third.Send(Post("/", "third"));
  EXPECT_EQ(server.server->stats().connections_open, 2u);
  first.Close();
  EXPECT_TRUE(third.ReceiveUntil("third"));
}

TEST(Http1ServerTest, DrainsBeforeItStops) {
  TestServer server;
  ServerRequest* kept = nullptr;
  server.handler.on_body = [&](ServerRequest& request, Slice) { kept = &request; };
  RawClient idle(server.server->port());
  RawClient busy(server.server->port());
  busy.Send(Post("/", "x"));
  ASSERT_TRUE(server.handler.WaitForBodies(1));
  std::thread stopping([&] {
    server.server->Shutdown(std::chrono::steady_clock::now() + std::chrono::seconds(20));
  });
  EXPECT_EQ(idle.ReceiveAll(), "");
  server.OnLoop([&] {
    kept->Respond({.status = 200, .content_type = {}, .body = Slice::Static("done"), .fields = {}});
  });
  EXPECT_TRUE(busy.ReceiveAll().ends_with("done"));
  busy.Close();
  idle.Close();
  stopping.join();
}

TEST(Http1ServerTest, ServesOverAUnixSocket) {
  const std::string path = ::testing::TempDir() + "weir_http1_test.sock";
  ServerOptions options;
  options.endpoint = {.address = path, .transport = Transport::kUnix};
  for (int round = 0; round < 2; ++round) {
    TestServer server(options, MemoryBudget::kUnlimited, 2);
    EXPECT_EQ(server.server->port(), 0);
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(Http1ServerTest, SharesAPortBetweenLoops) {
  TestServer server({}, MemoryBudget::kUnlimited, 3);
  for (int i = 0; i < 20; ++i) {
    RawClient client(server.server->port());
    client.Send(Post("/", "shared"));
    EXPECT_TRUE(client.ReceiveUntil("\r\n\r\nshared"));
  }
}

TEST(ServerOpenTest, SaysWhyItCantListen) {
  MemoryBudget budget;
  TestServer server;
  ServerOptions options;
  options.endpoint.address = "127.0.0.1:" + std::to_string(server.server->port());
  const auto taken = Server::Open(options, {}, budget, 1);
  ASSERT_FALSE(taken.ok());
  EXPECT_NE(taken.status().message().find("can't listen on 127.0.0.1:"), std::string::npos);
  options.endpoint.address = "no port";
  EXPECT_FALSE(Server::Open(options, {}, budget, 1).ok());
}

}  // namespace
}  // namespace weir::net

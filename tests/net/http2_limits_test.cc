// What a hostile or careless peer may cost, and how connections end.

#include <gtest/gtest.h>

#include <thread>

#include "tests/net/test_server.h"

namespace weir::net {
namespace {

using http2::ErrorCode;
using std::chrono::milliseconds;

constexpr std::uint32_t Code(ErrorCode code) { return static_cast<std::uint32_t>(code); }

// Scenario: a client opens a thousand streams, declares 4 MiB on each and sends nothing more.
// Guarantees: at most a quarter of the budget is held, the rest is refused at once, other clients
// are served, and when the time to progress is over everything is given back.
TEST(Http2AbuseTest, DeclaringWithoutSendingCostsBoundedMemory) {
  ServerOptions options;
  options.body_progress_window = milliseconds(300);
  constexpr std::size_t kBudget = 64 << 20;
  TestServer server(options, kBudget);
  server.handler.body_bytes_max = 4 << 20;
  RawHttp2 client(server.server->port());
  std::string prefix(1, '\0');
  http2::AppendU32(prefix, 4 << 20);
  for (std::uint32_t id = 1; id < 2000; id += 2) {
    client.SendFrame(http2::kHeaders, 4, id, RawHttp2::GrpcBlock());
    client.SendFrame(http2::kData, 0, id, prefix);
  }
  ASSERT_TRUE(server.WaitFor([](const auto& stats) { return stats.bodies_failed > 900; }));
  EXPECT_LE(server.budget.peak(), kBudget / 4);
  EXPECT_LE(server.server->stats().incomplete_bytes, kBudget / 4);
  RawHttp2 other(server.server->port());
  other.SendGrpc(1, std::string(60000, 'o'));
  EXPECT_EQ(other.ReadAnswer(1).Field("grpc-status"), "0");
  ASSERT_TRUE(server.WaitFor([](const auto& stats) { return stats.incomplete_bytes == 0; }));
  EXPECT_EQ(server.budget.used(), 0u);
}

// Scenario: a client opens and resets streams without end.
// Guarantees: it is told to calm down, soon.
TEST(Http2AbuseTest, RapidResetEndsTheConnection) {
  TestServer server;
  RawHttp2 client(server.server->port());
  std::uint32_t id = 1;
  std::string burst;
  for (; id < 20000; id += 2) {
    burst += RawHttp2::Encode(http2::kHeaders, 4, id, RawHttp2::GrpcBlock());
    burst += RawHttp2::Encode(http2::kRstStream, 0, id, std::string("\0\0\0\x08", 4));
  }
  client.client.Send(burst);
  EXPECT_EQ(client.ReadGoaway(), Code(ErrorCode::kEnhanceYourCalm));
  EXPECT_LE(server.handler.heads().size(), 1100u);
}

// Scenario: the same, but the client makes us reset the streams.
TEST(Http2AbuseTest, MakingTheServerResetIsNoWayRound) {
  TestServer server;
  RawHttp2 client(server.server->port());
  std::string burst;
  for (std::uint32_t id = 1; id < 20000; id += 2) {
    burst += RawHttp2::Encode(http2::kHeaders, 4, id, RawHttp2::GrpcBlock());
    burst += RawHttp2::Encode(http2::kWindowUpdate, 0, id, std::string(4, '\0'));
  }
  client.client.Send(burst);
  EXPECT_EQ(client.ReadGoaway(), Code(ErrorCode::kEnhanceYourCalm));
  EXPECT_LE(server.handler.heads().size(), 1100u);
}

TEST(Http2AbuseTest, FloodsOfControlFramesEndTheConnection) {
  const std::string floods[] = {
      RawHttp2::Encode(http2::kSettings, 0, 0, ""),
      RawHttp2::Encode(http2::kPing, 0, 0, "12345678"),
      RawHttp2::Encode(http2::kPriority, 0, 1, std::string(5, '\0')),
      RawHttp2::Encode(77, 0, 1, "unknown"),
      RawHttp2::Encode(http2::kWindowUpdate, 0, 0, std::string("\0\0\0\1", 4)),
  };
  for (const std::string& frame : floods) {
    TestServer server;
    RawHttp2 client(server.server->port());
    std::string burst;
    while (burst.size() < 30000 * frame.size()) {
      burst += frame;
    }
    std::thread sending([&] { client.client.Send(burst); });
    EXPECT_EQ(client.ReadGoaway(), Code(ErrorCode::kEnhanceYourCalm));
    sending.join();
  }
  // Frames that carry nothing, in a stream and in a head.
  TestServer server;
  RawHttp2 data(server.server->port());
  data.SendFrame(http2::kHeaders, 4, 1, RawHttp2::GrpcBlock());
  RawHttp2 head(server.server->port());
  head.SendFrame(http2::kHeaders, 0, 1, "");
  std::string empty_data;
  std::string empty_head;
  for (int i = 0; i < 20000; ++i) {
    empty_data += RawHttp2::Encode(http2::kData, 0, 1, "");
    empty_head += RawHttp2::Encode(http2::kContinuation, 0, 1, "");
  }
  data.client.Send(empty_data);
  head.client.Send(empty_head);
  EXPECT_EQ(data.ReadGoaway(), Code(ErrorCode::kEnhanceYourCalm));
  EXPECT_EQ(head.ReadGoaway(), Code(ErrorCode::kEnhanceYourCalm));
}

TEST(Http2AbuseTest, PingsThatComeTooOften) {
  ServerOptions options;
  options.keepalive.min_time = std::chrono::minutes(5);
  TestServer server(options);
  RawHttp2 client(server.server->port());
  for (int i = 0; i < 4; ++i) {
    client.SendFrame(http2::kPing, 0, 0, "12345678");
  }
  const auto goaway = client.ReadFrame(http2::kGoaway);
  ASSERT_TRUE(goaway.has_value());
  EXPECT_EQ(goaway->payload.substr(8), "too_many_pings");
}

// Life -------------------------------------------------------------------------------------------

// Scenario: the server stops while a call is open, and a new call comes before the client knows.
// Guarantees: both are answered; then the connection ends with GOAWAY(NO_ERROR).
TEST(Http2LifeTest, DrainsWithoutLosingACall) {
  TestServer server;
  std::vector<ServerRequest*> kept;
  server.handler.on_body = [&](ServerRequest& request, Slice) { kept.push_back(&request); };
  RawHttp2 client(server.server->port());
  client.SendGrpc(1, "first");
  ASSERT_TRUE(server.handler.WaitForBodies(1));
  std::thread stopping([&] {
    server.server->Shutdown(std::chrono::steady_clock::now() + std::chrono::seconds(20));
  });
  const auto first = client.ReadFrame(http2::kGoaway);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(http2::ReadU32(first->payload.data()), 0x7fffffffu);
  client.SendGrpc(3, "second");
  ASSERT_TRUE(server.handler.WaitForBodies(2));
  const auto ping = client.ReadFrame(http2::kPing);
  ASSERT_TRUE(ping.has_value());
  client.SendFrame(http2::kPing, http2::kFlagAck, 0, ping->payload);
  const auto second = client.ReadFrame(http2::kGoaway);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(http2::ReadU32(second->payload.data()), 3u);
  client.SendGrpc(5, "turned away");
  EXPECT_EQ(http2::ReadU32(client.ReadFrame(http2::kRstStream, 5)->payload.data()),
            Code(ErrorCode::kRefusedStream));
  server.OnLoop([&] {
    for (ServerRequest* const request : std::exchange(kept, {})) {
      request->RespondGrpcOk();
    }
  });
  EXPECT_EQ(client.ReadAnswer(3).Field("grpc-status"), "0");
  client.client.ReceiveAll();
  client.client.Close();
  stopping.join();
}

TEST(Http2LifeTest, CutsOffWhatIsNotAnsweredInTime) {
  TestServer server;
  ServerRequest* kept = nullptr;
  server.handler.on_body = [&](ServerRequest& request, Slice) { kept = &request; };
  RawHttp2 client(server.server->port());
  client.SendGrpc(1, "x");
  ASSERT_TRUE(server.handler.WaitForBodies(1));
  server.server->Shutdown(std::chrono::steady_clock::now() + milliseconds(20));
  EXPECT_TRUE(server.handler.WaitForCancelled(1));
  server.OnLoop([&] { kept->RespondGrpcOk(); });
}

TEST(Http2LifeTest, OldAndIdleConnectionsGo) {
  ServerOptions old;
  old.keepalive.max_connection_age = milliseconds(30);
  ServerOptions idle;
  idle.keepalive.max_connection_idle = milliseconds(30);
  for (const ServerOptions& options : {old, idle}) {
    TestServer server(options);
    RawHttp2 client(server.server->port());
    const auto ping = client.ReadFrame(http2::kPing);
    ASSERT_TRUE(ping.has_value());
    client.SendFrame(http2::kPing, http2::kFlagAck, 0, ping->payload);
    EXPECT_EQ(client.ReadGoaway(), Code(ErrorCode::kNoError));
    client.client.ReceiveAll();
  }
}

TEST(Http2LifeTest, AgeGraceCutsOffOpenCalls) {
  ServerOptions options;
  options.keepalive.max_connection_age = milliseconds(30);
  options.keepalive.max_connection_age_grace = milliseconds(30);
  TestServer server(options);
  RawHttp2 client(server.server->port());
  client.SendFrame(http2::kHeaders, 4, 1, RawHttp2::GrpcBlock());
  client.client.ReceiveAll();
  EXPECT_TRUE(server.handler.WaitForCancelled(1));
}

TEST(Http2LifeTest, PingsSilentPeersAndLeavesDeadOnes) {
  ServerOptions options;
  options.keepalive.time = milliseconds(20);
  options.keepalive.timeout = milliseconds(200);
  TestServer server(options);
  RawHttp2 client(server.server->port());
  const auto ping = client.ReadFrame(http2::kPing);
  ASSERT_TRUE(ping.has_value());
  client.SendFrame(http2::kPing, http2::kFlagAck, 0, ping->payload);
  ASSERT_TRUE(client.ReadFrame(http2::kPing).has_value());
  client.client.ReceiveAll();  // Nobody acknowledges this one.
  EXPECT_TRUE(client.client.ended());
}

TEST(Http2LifeTest, AnswersMayComeFromLaterTurnsAndOutliveTheClient) {
  TestServer server;
  std::vector<ServerRequest*> kept;
  server.handler.on_body = [&](ServerRequest& request, Slice) { kept.push_back(&request); };
  auto client = std::make_unique<RawHttp2>(server.server->port());
  client->SendGrpc(1, "a");
  client->SendGrpc(3, "b");
  ASSERT_TRUE(server.handler.WaitForBodies(2));
  server.OnLoop([&] { kept[1]->RespondGrpcOk(); });
  EXPECT_EQ(client->ReadAnswer(3).Field("grpc-status"), "0");
  client->SendFrame(http2::kRstStream, 0, 1, std::string("\0\0\0\x08", 4));
  ASSERT_TRUE(server.handler.WaitForCancelled(1));
  client->SendGrpc(5, "c");
  ASSERT_TRUE(server.handler.WaitForBodies(3));
  client.reset();
  ASSERT_TRUE(server.handler.WaitForCancelled(2));
  server.OnLoop([&] {
    EXPECT_TRUE(kept[0]->cancelled());
    kept[0]->RespondGrpcOk();
    kept[2]->RespondGrpc({GrpcCode::kInternal, "late", {}});
  });
}

}  // namespace
}  // namespace weir::net

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/compression.h"
#include "tests/net/test_server.h"

namespace weir::net {
namespace {

using http2::ErrorCode;
using std::chrono::milliseconds;

constexpr std::uint32_t Code(ErrorCode code) { return static_cast<std::uint32_t>(code); }

TEST(Http2ServerTest, AnswersPlainRequests) {
  TestServer server;
  RawHttp2 client(server.server->port());
  client.SendFrame(http2::kHeaders, http2::kFlagEndHeaders, 1, RawHttp2::PostBlock("/a"));
  client.SendFrame(http2::kData, 0, 1, "he");
  client.SendFrame(http2::kData, http2::kFlagEndStream, 1, "llo");
  const RawHttp2::Answer answer = client.ReadAnswer(1);
  EXPECT_EQ(answer.Field(":status"), "200");
  EXPECT_EQ(answer.Field("content-length"), "5");
  EXPECT_EQ(answer.body, "hello");
}

TEST(Http2ServerTest, ReadsFramesInPieces) {
  TestServer server;
  RawHttp2 client(server.server->port(), /*greet=*/false);
  std::string all(http2::kPreface);
  all += RawHttp2::Encode(http2::kSettings, 0, 0, "");
  all += RawHttp2::Encode(http2::kHeaders, http2::kFlagEndHeaders, 1, RawHttp2::PostBlock("/a"));
  all += RawHttp2::Encode(http2::kData, http2::kFlagPadded, 1,
                          std::string("\x03"
                                      "ab\0\0\0",
                                      6));
  all += RawHttp2::Encode(http2::kData, http2::kFlagEndStream, 1, "cd");
  for (const char c : all) {
    client.client.Send(std::string(1, c));
  }
  EXPECT_EQ(client.ReadAnswer(1).body, "abcd");
}

TEST(Http2ServerTest, AnswersGrpcCalls) {
  TestServer server;
  RawHttp2 client(server.server->port());
  // The third answer is the one that is all indexes.
  for (std::uint32_t id = 1; id <= 7; id += 2) {
    client.SendGrpc(id, id == 5 ? "" : "ping");
    const RawHttp2::Answer answer = client.ReadAnswer(id);
    EXPECT_EQ(answer.Field(":status"), "200");
    EXPECT_EQ(answer.Field("content-type"), "application/grpc");
    EXPECT_EQ(answer.Field("grpc-status"), "0");
    EXPECT_EQ(answer.body, RawHttp2::Message(id == 5 ? "" : "ping"));
  }
}

// Scenario: the peer has no room for our dynamic table, from the start or later.
TEST(Http2ServerTest, AnswersWithoutADynamicTable) {
  TestServer server;
  RawHttp2 client(server.server->port());
  client.SendGrpc(1, "");
  EXPECT_EQ(client.ReadAnswer(1).Field("grpc-status"), "0");
  client.SendFrame(http2::kSettings, 0, 0, std::string("\0\x01\0\0\0\0", 6));
  for (std::uint32_t id = 3; id <= 7; id += 2) {
    client.SendGrpc(id, "");
    EXPECT_EQ(client.ReadAnswer(id).Field("grpc-status"), "0") << id;
  }
}

TEST(Http2ServerTest, SendsGrpcErrorsInTrailersOnly) {
  TestServer server;
  server.handler.on_body = [](ServerRequest& request, Slice) {
    request.RespondGrpc(
        WithRetryInfo({GrpcCode::kUnavailable, "b\xc3\xbcsy %", {}}, milliseconds(1000)));
  };
  RawHttp2 client(server.server->port());
  client.SendGrpc(1, "x");
  const RawHttp2::Answer answer = client.ReadAnswer(1);
  EXPECT_EQ(answer.Field("grpc-status"), "14");
  EXPECT_EQ(answer.Field("grpc-message"), "b%C3%BCsy %25");
  EXPECT_NE(answer.Field("grpc-status-details-bin"), "");
  EXPECT_TRUE(answer.trailers.empty());
}

TEST(Http2ServerTest, TurnsAwayWhatItDoesNotServe) {
  TestServer server;
  server.handler.body_bytes_max = 10;
  RawHttp2 client(server.server->port());
  const auto call = [&](std::uint32_t id, const std::string& block, const std::string& data) {
    client.SendFrame(http2::kHeaders, http2::kFlagEndHeaders, id, block);
    client.SendFrame(http2::kData, http2::kFlagEndStream, id, data);
    return client.ReadAnswer(id);
  };
  EXPECT_EQ(
      call(1, RawHttp2::GrpcBlock("/no.Such/Method"), RawHttp2::Message("x")).Field("grpc-status"),
      "12");
  EXPECT_EQ(call(3, RawHttp2::GrpcBlock(), RawHttp2::Message("01234567890")).Field("grpc-status"),
            "8");
  EXPECT_EQ(call(5, RawHttp2::GrpcBlock(), "\x05").Field("grpc-status"), "13");
  EXPECT_EQ(call(7, RawHttp2::GrpcBlock(), RawHttp2::Message("a") + "b").Field("grpc-status"),
            "13");
  EXPECT_EQ(call(9, RawHttp2::GrpcBlock(), RawHttp2::Message("a", '\1')).Field("grpc-status"),
            "13");
  EXPECT_EQ(call(11, RawHttp2::GrpcBlock(TestServer::kGrpcPath, {{"grpc-encoding", "br"}}),
                 RawHttp2::Message("a", '\1'))
                .Field("grpc-status"),
            "12");
  EXPECT_EQ(call(13, RawHttp2::GrpcBlock(TestServer::kGrpcPath, {{"grpc-encoding", "gzip"}}),
                 RawHttp2::Message("a", '\1'))
                .Field("grpc-status"),
            "3");
  EXPECT_EQ(call(15, RawHttp2::PostBlock("/", {{"content-length", "99"}}), "x").Field(":status"),
            "413");
  // The connection is still good.
  EXPECT_EQ(call(17, RawHttp2::GrpcBlock(), RawHttp2::Message("a")).Field("grpc-status"), "0");
}

TEST(Http2ServerTest, DecompressesGrpcMessages) {
  TestServer server;
  const std::string text(5000, 'q');
  const Slice plain = Slice::Copy(text);
  RawHttp2 client(server.server->port());
  std::uint32_t id = 1;
  for (const auto& [name, compression] :
       {std::pair("gzip", Compression::kGzip), std::pair("zstd", Compression::kZstd),
        std::pair("snappy", Compression::kSnappyFramed),
        std::pair("deflate", Compression::kDeflate)}) {
    const Slice packed = Compress(compression, {&plain, 1});
    client.SendFrame(http2::kHeaders, http2::kFlagEndHeaders, id,
                     RawHttp2::GrpcBlock(TestServer::kGrpcPath, {{"grpc-encoding", name}}));
    client.SendFrame(http2::kData, http2::kFlagEndStream, id,
                     RawHttp2::Message(packed.view(), '\1'));
    EXPECT_EQ(client.ReadAnswer(id).body, RawHttp2::Message(text)) << name;
    id += 2;
  }
  server.handler.body_bytes_max = 4999;
  const Slice packed = Compress(Compression::kGzip, {&plain, 1});
  client.SendFrame(http2::kHeaders, http2::kFlagEndHeaders, id,
                   RawHttp2::GrpcBlock(TestServer::kGrpcPath, {{"grpc-encoding", "gzip"}}));
  client.SendFrame(http2::kData, http2::kFlagEndStream, id, RawHttp2::Message(packed.view(), '\1'));
  EXPECT_EQ(client.ReadAnswer(id).Field("grpc-status"), "8");
}

// Scenario: a message of 300 kB, which the first window does not hold.
// Guarantees: the stream's window is raised by what is missing as soon as the prefix was read.
TEST(Http2ServerTest, RaisesAStreamsWindowOnceItsMessageWasAdmitted) {
  TestServer server;
  RawHttp2 client(server.server->port());
  const std::string message(300000, 'm');
  const std::string wire = RawHttp2::Message(message);
  client.SendFrame(http2::kHeaders, http2::kFlagEndHeaders, 1, RawHttp2::GrpcBlock());
  client.SendFrame(http2::kData, 0, 1, wire.substr(0, 5));
  const auto update = client.ReadFrame(http2::kWindowUpdate, 1);
  ASSERT_TRUE(update.has_value());
  EXPECT_GE(65535 - 5 + http2::ReadU32(update->payload.data()), message.size());
  for (std::size_t at = 5; at < wire.size(); at += 16384) {
    const bool last = at + 16384 >= wire.size();
    client.SendFrame(http2::kData, last ? http2::kFlagEndStream : 0, 1, wire.substr(at, 16384));
  }
  ASSERT_TRUE(server.handler.WaitForBodies(1));
  EXPECT_EQ(server.handler.bodies()[0], message);
}

// Scenario: the peer's windows are small, and opened bit by bit.
// Guarantees: the answer comes whole, in portions that never pass a window.
TEST(Http2ServerTest, KeepsToThePeersWindows) {
  TestServer server;
  RawHttp2 client(server.server->port());
  client.SendFrame(http2::kSettings, 0, 0, std::string("\0\x04\0\0\0\x0a", 6));  // 10 bytes.
  const std::string body(95, 'w');
  client.SendFrame(http2::kHeaders, http2::kFlagEndHeaders, 1, RawHttp2::PostBlock("/a"));
  client.SendFrame(http2::kData, http2::kFlagEndStream, 1, body);
  std::string got;
  while (got.size() < body.size()) {
    const auto frame = client.ReadFrame(http2::kData, 1);
    ASSERT_TRUE(frame.has_value());
    EXPECT_LE(frame->payload.size(), 10u);
    got += frame->payload;
    client.SendFrame(http2::kWindowUpdate, 0, 1, std::string("\0\0\0\x0a", 4));
  }
  EXPECT_EQ(got, body);
  // gRPC's trailers wait behind the message.
  client.SendGrpc(3, "0123456789");
  EXPECT_EQ(client.ReadFrame(http2::kData, 3)->payload.size(), 10u);
  client.SendFrame(http2::kSettings, 0, 0, std::string("\0\x04\0\0\0\x64", 6));  // 100 bytes.
  const RawHttp2::Answer rest = client.ReadAnswer(3);
  EXPECT_EQ(rest.body, "56789");
  EXPECT_EQ(rest.Field("grpc-status"), "0");
}

struct Violation {
  const char* name;
  std::string bytes;
  ErrorCode expected;
};

class Http2ViolationTest : public ::testing::TestWithParam<Violation> {};

TEST_P(Http2ViolationTest, EndsTheConnectionWithItsCode) {
  TestServer server;
  RawHttp2 client(server.server->port());
  client.client.Send(GetParam().bytes);
  EXPECT_EQ(client.ReadGoaway(), Code(GetParam().expected));
  client.client.ReceiveAll();
  EXPECT_TRUE(client.client.ended());
  EXPECT_EQ(server.server->stats().connection_errors, 1u);
}

std::vector<Violation> Violations() {
  const auto frame = RawHttp2::Encode;
  const std::string open =
      frame(http2::kHeaders, http2::kFlagEndHeaders, 1, RawHttp2::PostBlock("/"));
  const std::string whole = frame(http2::kHeaders, http2::kFlagEndHeaders | http2::kFlagEndStream,
                                  1, RawHttp2::PostBlock("/"));
  std::string too_long;
  http2::AppendFrameHead(too_long, {.length = 0xffffff, .type = http2::kData, .stream = 1});
  std::string too_long_settings;
  http2::AppendFrameHead(too_long_settings, {.length = 0xffff0, .type = http2::kSettings});
  return {
      {"DataOnIdle", frame(http2::kData, 0, 1, "x"), ErrorCode::kProtocolError},
      {"DataOnZero", frame(http2::kData, 0, 0, "x"), ErrorCode::kProtocolError},
      {"HeadersOnZero", frame(http2::kHeaders, 4, 0, ""), ErrorCode::kProtocolError},
      {"HeadersOnEven", frame(http2::kHeaders, 4, 2, RawHttp2::PostBlock("/")),
       ErrorCode::kProtocolError},
      {"HeadersOnClosed", whole + whole, ErrorCode::kStreamClosed},
      {"BrokenHpack", frame(http2::kHeaders, 4, 1, "\xff\xff\xff\xff\xff"),
       ErrorCode::kCompressionError},
      {"PaddingTooLong", open + frame(http2::kData, http2::kFlagPadded, 1, "\x05x"),
       ErrorCode::kProtocolError},
      {"HeaderPaddingTooLong", frame(http2::kHeaders, http2::kFlagPadded | 4, 1, "\x05x"),
       ErrorCode::kProtocolError},
      {"SelfDependency",
       frame(http2::kHeaders, http2::kFlagPriority | 4, 1, std::string("\0\0\0\1\0", 5)),
       ErrorCode::kProtocolError},
      {"InterruptedHead", frame(http2::kHeaders, 0, 1, "") + frame(http2::kPing, 0, 0, "12345678"),
       ErrorCode::kProtocolError},
      {"ContinuationOfNothing", frame(http2::kContinuation, 4, 1, ""), ErrorCode::kProtocolError},
      {"ContinuationElsewhere",
       frame(http2::kHeaders, 0, 1, "") + frame(http2::kContinuation, 4, 3, ""),
       ErrorCode::kProtocolError},
      {"PushPromise", frame(http2::kPushPromise, 4, 1, "1234"), ErrorCode::kProtocolError},
      {"SettingsSize", frame(http2::kSettings, 0, 0, "12345"), ErrorCode::kFrameSizeError},
      {"SettingsAckWithPayload", frame(http2::kSettings, 1, 0, "123456"),
       ErrorCode::kFrameSizeError},
      {"SettingsOnStream", frame(http2::kSettings, 0, 1, ""), ErrorCode::kProtocolError},
      {"SettingsWindow", frame(http2::kSettings, 0, 0, std::string("\0\x04\xff\xff\xff\xff", 6)),
       ErrorCode::kFlowControlError},
      {"SettingsFrameSize", frame(http2::kSettings, 0, 0, std::string("\0\x05\0\0\0\1", 6)),
       ErrorCode::kProtocolError},
      {"SettingsPush", frame(http2::kSettings, 0, 0, std::string("\0\x02\0\0\0\2", 6)),
       ErrorCode::kProtocolError},
      {"PingSize", frame(http2::kPing, 0, 0, "1"), ErrorCode::kFrameSizeError},
      {"PingOnStream", frame(http2::kPing, 0, 1, "12345678"), ErrorCode::kProtocolError},
      {"RstSize", open + frame(http2::kRstStream, 0, 1, "1"), ErrorCode::kFrameSizeError},
      {"RstOnIdle", frame(http2::kRstStream, 0, 1, "1234"), ErrorCode::kProtocolError},
      {"WindowSize", frame(http2::kWindowUpdate, 0, 0, "1"), ErrorCode::kFrameSizeError},
      {"WindowZero", frame(http2::kWindowUpdate, 0, 0, std::string(4, '\0')),
       ErrorCode::kProtocolError},
      {"WindowOverflow", frame(http2::kWindowUpdate, 0, 0, "\x7f\xff\xff\xff"),
       ErrorCode::kFlowControlError},
      {"WindowOnIdle", frame(http2::kWindowUpdate, 0, 1, std::string("\0\0\0\1", 4)),
       ErrorCode::kProtocolError},
      {"GoawaySize", frame(http2::kGoaway, 0, 0, "1"), ErrorCode::kFrameSizeError},
      {"FrameTooLong", open + too_long, ErrorCode::kFrameSizeError},
      {"SettingsTooLong", too_long_settings, ErrorCode::kEnhanceYourCalm},
  };
}

INSTANTIATE_TEST_SUITE_P(All, Http2ViolationTest, ::testing::ValuesIn(Violations()),
                         [](const auto& violation) { return violation.param.name; });

TEST(Http2ServerTest, ResetsBrokenStreamsAndKeepsTheConnection) {
  TestServer server;
  RawHttp2 client(server.server->port());
  const auto reset_of = [&](std::uint32_t id) {
    const auto frame = client.ReadFrame(http2::kRstStream, id);
    return frame ? http2::ReadU32(frame->payload.data()) : 999;
  };
  client.SendFrame(http2::kHeaders, 4, 1, RawHttp2::Block({{":method", "POST"}}));
  EXPECT_EQ(reset_of(1), Code(ErrorCode::kProtocolError));
  client.SendFrame(http2::kHeaders, 4, 3, RawHttp2::PostBlock("/", {{"content-length", "5"}}));
  client.SendFrame(http2::kData, http2::kFlagEndStream, 3, "four");
  EXPECT_EQ(reset_of(3), Code(ErrorCode::kProtocolError));
  client.SendFrame(http2::kHeaders, 4, 5, RawHttp2::PostBlock("/", {{"content-length", "5"}}));
  client.SendFrame(http2::kData, 0, 5, "sixsix");
  EXPECT_EQ(reset_of(5), Code(ErrorCode::kProtocolError));
  client.SendFrame(http2::kHeaders, 4, 7, RawHttp2::PostBlock("/"));
  client.SendFrame(http2::kHeaders, 4, 7, RawHttp2::Block({{"trailer", "x"}}));
  EXPECT_EQ(reset_of(7), Code(ErrorCode::kProtocolError));
  client.SendFrame(http2::kHeaders, 4, 9, RawHttp2::PostBlock("/"));
  client.SendFrame(http2::kWindowUpdate, 0, 9, std::string(4, '\0'));
  EXPECT_EQ(reset_of(9), Code(ErrorCode::kProtocolError));
  // More than the stream's window.
  client.SendFrame(http2::kHeaders, 4, 11, RawHttp2::GrpcBlock());
  client.SendFrame(http2::kData, 0, 11, std::string(70000, '\0'));
  EXPECT_EQ(reset_of(11), Code(ErrorCode::kFlowControlError));
  // What is still under way on a stream that was reset is passed over.
  client.SendFrame(http2::kData, http2::kFlagEndStream, 11, "late");
  client.SendFrame(http2::kHeaders, 4, 13, RawHttp2::PostBlock("/"));
  client.SendFrame(http2::kHeaders, 5, 13, RawHttp2::Block({{"trailer", "x"}}));
  EXPECT_EQ(client.ReadAnswer(13).Field(":status"), "200");
  EXPECT_EQ(server.server->stats().connection_errors, 0u);
}

TEST(Http2ServerTest, RefusesStreamsPastTheLimitAndHeadsPastTheirs) {
  ServerOptions options;
  options.max_concurrent_streams = 2;
  options.head_bytes_max = 1000;
  TestServer server(options);
  RawHttp2 client(server.server->port());
  for (std::uint32_t id = 1; id <= 5; id += 2) {
    client.SendFrame(http2::kHeaders, 4, id, RawHttp2::PostBlock("/"));
  }
  const auto reset = client.ReadFrame(http2::kRstStream, 5);
  ASSERT_TRUE(reset.has_value());
  EXPECT_EQ(http2::ReadU32(reset->payload.data()), Code(ErrorCode::kRefusedStream));
  client.SendFrame(http2::kData, http2::kFlagEndStream, 1, "");
  EXPECT_EQ(client.ReadAnswer(1).Field(":status"), "200");
  std::vector<std::pair<std::string, std::string>> many(20, {"x", std::string(20, 'y')});
  client.SendFrame(http2::kHeaders, 4, 7, RawHttp2::PostBlock("/", many));
  EXPECT_EQ(client.ReadAnswer(7).Field(":status"), "431");
  client.SendFrame(http2::kHeaders, 0, 9, std::string(800, '\x82'));
  client.SendFrame(http2::kContinuation, 0, 9, std::string(800, '\x82'));
  EXPECT_EQ(client.ReadGoaway(), Code(ErrorCode::kEnhanceYourCalm));
}

TEST(Http2ServerTest, WantsAPreface) {
  TestServer server;
  RawHttp2 client(server.server->port(), /*greet=*/false);
  client.client.Send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  EXPECT_EQ(client.ReadGoaway(), Code(ErrorCode::kProtocolError));
  RawHttp2 silent(server.server->port(), /*greet=*/false);
  silent.client.Send(http2::kPreface);
  silent.SendFrame(http2::kPing, 0, 0, "12345678");
  EXPECT_EQ(silent.ReadGoaway(), Code(ErrorCode::kProtocolError));
}

}  // namespace
}  // namespace weir::net

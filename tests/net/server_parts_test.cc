// The parts of a server that need no socket: heads, HPACK, HTTP/1 grammar, bodies, CORS, statuses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "net/body_reader.h"
#include "net/cors.h"
#include "net/grpc_status.h"
#include "net/hpack.h"
#include "net/http1_parser.h"
#include "net/request_head.h"
#include "net/socket_address.h"

namespace weir::net {
namespace {

using std::chrono::nanoseconds;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(GrpcTimeoutTest, ReadsEveryUnitAndNothingElse) {
  const std::pair<const char*, std::optional<nanoseconds>> cases[] = {
      {"1H", std::chrono::hours(1)},
      {"2M", std::chrono::minutes(2)},
      {"3S", std::chrono::seconds(3)},
      {"100m", std::chrono::milliseconds(100)},
      {"5u", std::chrono::microseconds(5)},
      {"7n", nanoseconds(7)},
      {"99999999H", nanoseconds(std::numeric_limits<std::int64_t>::max())},
      {"", std::nullopt},
      {"S", std::nullopt},
      {"1", std::nullopt},
      {"-1S", std::nullopt},
      {"1x", std::nullopt},
      {"999999999S", std::nullopt},
      {"1.5S", std::nullopt},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(ParseGrpcTimeout(text), expected) << text;
  }
}

TEST(GrpcStatusTest, EncodesWhatTrailersCantCarry) {
  EXPECT_EQ(EncodeGrpcMessage("50% of\n\xc3\xa9"), "50%25 of%0A%C3%A9");
  EXPECT_EQ(EncodeBase64(""), "");
  EXPECT_EQ(EncodeBase64("f"), "Zg");
  EXPECT_EQ(EncodeBase64("fo"), "Zm8");
  EXPECT_EQ(EncodeBase64("foo"), "Zm9v");
  const GrpcStatus status =
      WithRetryInfo({GrpcCode::kUnavailable, "busy", {}}, std::chrono::milliseconds(1500));
  const std::string retry_info("\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01", 10);
  const std::string any = std::string("\x0a\x28") + "type.googleapis.com/google.rpc.RetryInfo" +
                          "\x12\x0a" + retry_info;
  EXPECT_EQ(status.details, std::string("\x08\x0e\x12\x04") + "busy" + "\x1a" +
                                static_cast<char>(any.size()) + any);
}

struct Parsed {
  int status;
  HeadRef head;
};

Parsed ParseHead(HeadPool& pool, const std::string& text, std::size_t bytes_max = 4096) {
  std::unique_ptr<RequestHead> head = pool.Take();
  const int status = ParseHttp1Head(text, bytes_max, *head);
  return {status, HeadRef(head.release())};
}

TEST(Http1HeadTest, ReadsTheUsual) {
  HeadPool pool;
  const auto [status, head] = ParseHead(pool,
                                        "POST /v1/traces?x=1 HTTP/1.1\r\nHost: a.b:4318\r\n"
                                        "Content-Type:application/json\r\nContent-LENGTH: 12 \r\n"
                                        "Expect: 100-Continue\r\nConnection: foo, Close\r\n\r\n");
  ASSERT_EQ(status, 0);
  EXPECT_EQ(head->method(), HttpMethod::kPost);
  EXPECT_EQ(head->path(), "/v1/traces");
  EXPECT_EQ(head->query(), "x=1");
  EXPECT_EQ(head->authority(), "a.b:4318");
  EXPECT_EQ(head->content_type(), "application/json");
  EXPECT_EQ(head->content_length(), 12u);
  EXPECT_TRUE(head->expects_continue());
  EXPECT_TRUE(head->connection_close());
  EXPECT_EQ(head->Find("content-length"), "12");
  EXPECT_EQ(head->Find("absent"), std::nullopt);
}

TEST(Http1HeadTest, ReadsAbsoluteTargets) {
  HeadPool pool;
  const auto [status, head] =
      ParseHead(pool, "GET http://host:1/a?b HTTP/1.1\r\nHost: other\r\n\r\n");
  ASSERT_EQ(status, 0);
  EXPECT_EQ(head->path(), "/a");
  EXPECT_EQ(head->authority(), "host:1");
}

// Scenario: heads that two parsers could read differently, or that are no heads.
// Guarantees: each is refused with a status that says what kind of wrong it is.
TEST(Http1HeadTest, RefusesWhatIsAmbiguous) {
  const std::pair<const char*, int> cases[] = {
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
       "\r\n",
       400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", 400},
      {"POST  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"POST /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"POST a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"P{}T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"POST / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"POST / FTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"POST /\r\nHost: a\r\n\r\n", 400},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"\r\n\r\n", 400},
  };
  HeadPool pool;
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(ParseHead(pool, text).status, expected) << text;
  }
  EXPECT_EQ(
      ParseHead(pool, "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(90, 'x') + "\r\n\r\n", 128)
          .status,
      431);
}

// Reads a chunked body in pieces of `step` bytes. nullopt when it is malformed.
std::optional<std::string> Unchunk(std::string_view text, std::size_t step, std::string* rest) {
  ChunkReader reader;
  std::string body;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, step);
    const ChunkReader::Step read = reader.Read(std::span(piece.data(), piece.size()));
    body.append(read.data.data(), read.data.size());
    text.remove_prefix(read.used);
    if (read.event == ChunkReader::Event::kBad) {
      return std::nullopt;
    }
    if (read.event == ChunkReader::Event::kEnd) {
      *rest = text;
      return body;
    }
  }
  *rest = "unfinished";
  return body;
}

TEST(ChunkReaderTest, ReadsInPiecesOfAnySize) {
  const std::string text =
      "5;ext=1\r\nhello\r\n0a\r\n0123456789\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\nNEXT";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    std::string rest;
    EXPECT_EQ(Unchunk(text, step, &rest), "hello0123456789") << step;
    EXPECT_EQ(rest, "NEXT");
  }
}

TEST(ChunkReaderTest, RefusesBrokenFraming) {
  for (const char* text :
       {"\r\n", "x\r\n", "5\n", "5\r\nhelloX", "5\r\nhello\rX", "-1\r\n", ";\r\n",
        "1000000000000000\r\n", "0\r\n\n", "0\r\nTrailer\n", "5;a\nb"}) {
    std::string rest;
    EXPECT_EQ(Unchunk(text, 64, &rest), std::nullopt) << text;
  }
  std::string rest;
  EXPECT_EQ(Unchunk("1;" + std::string(20000, 'x'), 64, &rest), std::nullopt);
}

// HPACK ------------------------------------------------------------------------------------------

class HpackTest : public ::testing::Test {
 protected:
  HpackTest() { nghttp2_hd_deflate_new(&deflater_, 4096); }
  ~HpackTest() override { nghttp2_hd_deflate_del(deflater_); }

  std::string Deflate(std::vector<std::pair<std::string, std::string>> fields) {
    std::vector<nghttp2_nv> nvs;
    for (auto& [name, value] : fields) {
      nvs.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                     reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(), 0});
    }
    std::string block(65536, '\0');
    const ssize_t size =
        nghttp2_hd_deflate_hd(deflater_, reinterpret_cast<std::uint8_t*>(block.data()),
                              block.size(), nvs.data(), nvs.size());
    EXPECT_GE(size, 0);
    block.resize(static_cast<std::size_t>(size));
    return block;
  }

  static std::vector<std::pair<std::string, std::string>> Post(const std::string& path) {
    return {{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}};
  }

  HeadPool pool_;
  HeadDecoder decoder_{pool_, 4096};
  nghttp2_hd_deflater* deflater_ = nullptr;
};

TEST_F(HpackTest, HandsOutTheSameHeadForTheSameBlock) {
  const auto first = decoder_.DecodeRequest(Deflate(Post("/a")));
  const auto second = decoder_.DecodeRequest(Deflate(Post("/a")));
  const auto third = decoder_.DecodeRequest(Deflate(Post("/a")));
  ASSERT_EQ(third.fault, HeadDecoder::Fault::kNone);
  EXPECT_EQ(second.head->path(), "/a");
  EXPECT_NE(&*first.head, &*second.head);  // The first filled the table, the second is all indexes.
  EXPECT_EQ(&*second.head, &*third.head);
}

// Scenario: the dynamic table changes between two equal blocks, so that the same indexes mean other
// fields.
// Guarantees: the second is decoded anew.
TEST_F(HpackTest, ForgetsHeadsWhenTheTableChanges) {
  const auto tagged = [](const std::string& tag) {
    auto fields = Post("/a");
    fields.push_back({"tag", tag});
    return fields;
  };
  decoder_.DecodeRequest(Deflate(tagged("1")));
  const std::string indexed = Deflate(tagged("1"));
  EXPECT_EQ(decoder_.DecodeRequest(indexed).head->Find("tag"), "1");
  EXPECT_EQ(decoder_.DecodeRequest(Deflate(tagged("2"))).head->Find("tag"), "2");
  // The same bytes now point at what was inserted since: the authority's index at the old tag.
  const auto again = decoder_.DecodeRequest(indexed);
  ASSERT_EQ(again.fault, HeadDecoder::Fault::kNone);
  EXPECT_EQ(again.head->authority(), "");
  ASSERT_EQ(again.head->fields().size(), 2u);
  EXPECT_EQ(again.head->fields()[1].value, "2");
}

TEST_F(HpackTest, RefusesMalformedHeads) {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  const auto with = [](std::pair<std::string, std::string> field) {
    Fields fields = Post("/a");
    fields.push_back(std::move(field));
    return fields;
  };
  const Fields cases[] = {
      {{":method", "POST"}, {":scheme", "http"}},
      {{":method", "POST"}, {":path", "/"}},
      {{":scheme", "http"}, {":path", "/"}},
      {{":method", "POST"}, {":scheme", "http"}, {":path", ""}},
      {{":method", "POST"}, {":scheme", "http"}, {":path", "a"}},
      {{":method", "PO ST"}, {":scheme", "http"}, {":path", "/"}},
      with({":path", "/b"}),
      with({":status", "200"}),
      with({"Upper", "x"}),
      with({"connection", "close"}),
      with({"transfer-encoding", "chunked"}),
      with({"te", "gzip"}),
      with({"x", "a\r\nb"}),
      with({"content-length", "x"}),
      {{"x", "y"}, {":method", "POST"}, {":scheme", "http"}, {":path", "/"}},
  };
  for (const Fields& fields : cases) {
    EXPECT_EQ(decoder_.DecodeRequest(Deflate(fields)).fault, HeadDecoder::Fault::kMalformed)
        << ::testing::PrintToString(fields);
  }
  EXPECT_EQ(decoder_.DecodeRequest(Deflate(with({"x", std::string(5000, 'x')}))).fault,
            HeadDecoder::Fault::kTooLarge);
  EXPECT_EQ(decoder_.DecodeRequest("\xff\xff\xff\xff\xff\xff").fault,
            HeadDecoder::Fault::kCompression);
}

TEST(ClassifyBlockTest, TellsWhatTouchesTheTable) {
  EXPECT_EQ(ClassifyBlock(""), BlockKind::kPure);
  EXPECT_EQ(ClassifyBlock("\x82\xbe\xff\x01"), BlockKind::kPure);
  EXPECT_EQ(ClassifyBlock(std::string("\0\1a\1b", 5)), BlockKind::kPure);
  EXPECT_EQ(ClassifyBlock(std::string("\x10\1a\1b", 5)), BlockKind::kPure);
  EXPECT_EQ(ClassifyBlock("\x41\1b"), BlockKind::kChanging);
  EXPECT_EQ(ClassifyBlock("\x20"), BlockKind::kChanging);
  EXPECT_EQ(ClassifyBlock("\x41\5b"), BlockKind::kBroken);
  EXPECT_EQ(ClassifyBlock("\xff"), BlockKind::kBroken);
  EXPECT_EQ(ClassifyBlock(std::string("\0", 1)), BlockKind::kBroken);
}

// Bodies -----------------------------------------------------------------------------------------

class BodyReaderTest : public ::testing::Test {
 protected:
  BodyFault Append(std::string_view bytes) {
    return reader_.Append(std::span(bytes.data(), bytes.size()), share_);
  }

  MemoryBudget budget_{64 * 1024};
  IncompleteBytes all_{budget_};
  BodyShare share_{all_};
  BodyReader reader_;
};

TEST_F(BodyReaderTest, GathersAMessageSplitAnywhere) {
  const std::string wire = std::string("\0\0\0\0\x0b", 5) + "hello world";
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    reader_.StartGrpc(100);
    ASSERT_EQ(Append(wire.substr(0, cut)), BodyFault::kNone);
    EXPECT_EQ(reader_.complete(), cut == wire.size());
    ASSERT_EQ(Append(wire.substr(cut)), BodyFault::kNone);
    ASSERT_TRUE(reader_.complete());
    EXPECT_EQ(reader_.Take(share_).view(), "hello world");
    EXPECT_EQ(all_.used(), 0u);
  }
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(BodyReaderTest, RefusesWhatIsNotOneMessage) {
  reader_.StartGrpc(100);
  EXPECT_EQ(Append(std::string("\2\0\0\0\1x", 6)), BodyFault::kMalformed);
  reader_.Clear(share_);
  reader_.StartGrpc(100);
  EXPECT_EQ(Append(std::string("\0\0\0\0\1xy", 7)), BodyFault::kMalformed);
  reader_.Clear(share_);
  reader_.StartGrpc(100);
  EXPECT_EQ(Append(std::string("\0\0\0\0\x65", 5)), BodyFault::kTooLarge);
  reader_.Clear(share_);
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(BodyReaderTest, CountsIncompleteBodiesAgainstAQuarterOfTheBudget) {
  reader_.StartKnown(10 * 1024, 1 << 20);
  EXPECT_EQ(Append("x"), BodyFault::kNone);
  EXPECT_EQ(all_.used(), 10 * 1024u);
  BodyReader other;
  other.StartKnown(10 * 1024, 1 << 20);
  BodyShare other_share(all_);
  EXPECT_EQ(other.Append(std::span("x", 1), other_share), BodyFault::kOverBudget);
  reader_.Clear(share_);
  EXPECT_EQ(all_.used(), 0u);
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(BodyReaderTest, OneConnectionMayNotTakeTheWholeShare) {
  BodyReader first;
  BodyReader second;
  first.StartKnown(3 * 1024, 1 << 20);
  second.StartKnown(3 * 1024, 1 << 20);
  EXPECT_EQ(first.Append(std::span("x", 1), share_), BodyFault::kNone);
  EXPECT_EQ(second.Append(std::span("x", 1), share_), BodyFault::kOverBudget);
  BodyShare other(all_);
  EXPECT_EQ(second.Append(std::span("x", 1), other), BodyFault::kNone);
  first.Clear(share_);
  second.Clear(other);
}

TEST_F(BodyReaderTest, GrowsWhereTheLengthIsUnknown) {
  reader_.StartUnknown(100);
  EXPECT_EQ(Append(std::string(60, 'a')), BodyFault::kNone);
  EXPECT_EQ(Append(std::string(40, 'b')), BodyFault::kNone);
  EXPECT_EQ(Append("c"), BodyFault::kTooLarge);
  EXPECT_EQ(reader_.Take(share_).view(), std::string(60, 'a') + std::string(40, 'b'));
  EXPECT_EQ(all_.used(), 0u);
}

// CORS and addresses -----------------------------------------------------------------------------

TEST(CorsTest, MatchesWildcards) {
  EXPECT_TRUE(MatchesWildcard("*", ""));
  EXPECT_TRUE(MatchesWildcard("https://*.example.com", "https://a.b.example.com"));
  EXPECT_FALSE(MatchesWildcard("https://*.example.com", "https://example.com"));
  EXPECT_FALSE(MatchesWildcard("https://a", "https://a.evil"));
  EXPECT_TRUE(MatchesWildcard("HTTPS://A", "https://a"));
  EXPECT_TRUE(MatchesWildcard("a*b*c", "aXbXbXc"));
  EXPECT_FALSE(MatchesWildcard("a*b*c", "aXbX"));
}

TEST(CorsTest, AnswersPreflights) {
  const CorsPolicy policy({.allowed_origins = {"https://*.example.com"},
                           .allowed_headers = {"X-Token"},
                           .exposed_headers = {},
                           .max_age = std::chrono::seconds(60)});
  HeadPool pool;
  const auto ask = [&](const std::string& origin, const std::string& method,
                       const std::string& headers) {
    const Parsed parsed =
        ParseHead(pool, "OPTIONS /v1/traces HTTP/1.1\r\nHost: a\r\nOrigin: " + origin +
                            "\r\nAccess-Control-Request-Method: " + method +
                            "\r\nAccess-Control-Request-Headers: " + headers + "\r\n\r\n");
    EXPECT_TRUE(CorsPolicy::IsPreflight(*parsed.head));
    return policy.PreflightFields(*parsed.head);
  };
  EXPECT_THAT(ask("https://a.example.com", "POST", "content-type, x-token"),
              ElementsAre(Pair("access-control-allow-origin", "https://a.example.com"),
                          Pair("access-control-allow-methods", "POST"),
                          Pair("access-control-allow-headers", "content-type, x-token"),
                          Pair("access-control-allow-credentials", "true"),
                          Pair("access-control-max-age", "60")));
  EXPECT_THAT(ask("https://evil.com", "POST", "content-type"), ElementsAre());
  EXPECT_THAT(ask("https://a.example.com", "DELETE", ""), ElementsAre());
  EXPECT_THAT(ask("https://a.example.com", "POST", "x-other"), ElementsAre());
}

TEST(HostPortTest, ReadsWhatTheCollectorReads) {
  const auto host = [](std::string_view text) { return ParseHostPort(text)->host; };
  EXPECT_EQ(host("localhost:4317"), "localhost");
  EXPECT_EQ(host(":4317"), "");
  EXPECT_EQ(host("[::1]:0"), "::1");
  EXPECT_EQ(ParseHostPort("1.2.3.4:65535")->port, 65535);
  for (const char* bad : {"localhost", "a:", "a:x", "a:65536", "::1:80", "[::1:80", "a:-1"}) {
    EXPECT_FALSE(ParseHostPort(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace weir::net

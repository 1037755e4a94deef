#include "net/grpc_response.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/compression.h"

namespace weir::net {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

GrpcResponseReader Answered(const std::string& status, const std::string& body = "") {
  GrpcResponseReader reader(1000);
  EXPECT_TRUE(reader.OnHeader(":status", "200"));
  EXPECT_TRUE(reader.OnHeader("content-type", "application/grpc+proto"));
  if (!body.empty()) {
    EXPECT_TRUE(reader.OnData(body));
  }
  EXPECT_TRUE(reader.OnHeader("grpc-status", status));
  return reader;
}

TEST(GrpcResponse, ReadsAMessage) {
  const GrpcResponse response = Answered("0", "\0\0\0\0\3abc"s).Finish();
  EXPECT_EQ(response.code, GrpcCode::kOk);
  EXPECT_EQ(response.body, "abc");
  EXPECT_TRUE(response.from_peer);
}

TEST(GrpcResponse, ReadsACompressedMessage) {
  const Slice plain = Slice::Static("abcabcabcabc");
  const std::string packed(Compress(Compression::kGzip, {&plain, 1}).view());
  GrpcResponseReader reader =
      Answered("0", "\1\0\0\0"s + static_cast<char>(packed.size()) + packed);
  EXPECT_EQ(reader.Finish().code, GrpcCode::kInternal);  // No grpc-encoding: as what?
  ASSERT_TRUE(reader.OnHeader("grpc-encoding", "gzip"));
  EXPECT_EQ(reader.Finish().body, "abcabcabcabc");
}

TEST(GrpcResponse, OkWithoutAMessageIsOk) { EXPECT_EQ(Answered("0").Finish().code, GrpcCode::kOk); }

TEST(GrpcResponse, BrokenMessagesAreInternal) {
  for (const std::string& body : {"\0\0"s, "\0\0\0\0\4abc"s, "\0\0\0\0\3abcd"s,
                                  "\0\0\0\0\1a\0\0\0\0\1b"s, "\0\xff\xff\xff\xff"s}) {
    EXPECT_EQ(Answered("0", body).Finish().code, GrpcCode::kInternal) << body.size();
  }
}

TEST(GrpcResponse, StatusMessageAndDetails) {
  GrpcResponseReader reader = Answered("8");
  ASSERT_TRUE(reader.OnHeader("grpc-message", "too%20much %E2%82%AC 5%"));
  ASSERT_TRUE(reader.OnHeader("grpc-status-details-bin", "CAgSAmhp"));
  const GrpcResponse response = reader.Finish();
  EXPECT_EQ(response.code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(response.message, "too much € 5%");
  EXPECT_EQ(response.status_details, "\x08\x08\x12\x02hi");
  EXPECT_TRUE(response.from_peer);
}

TEST(GrpcResponse, StrangeStatusesAreUnknown) {
  EXPECT_EQ(Answered("17").Finish().code, GrpcCode::kUnknown);
  EXPECT_EQ(Answered("99999999999").Finish().code, GrpcCode::kUnknown);
  EXPECT_EQ(Answered("zero").Finish().code, GrpcCode::kUnknown);
  EXPECT_EQ(Answered("").Finish().code, GrpcCode::kUnknown);
}

TEST(GrpcResponse, HttpErrorsWithoutStatus) {
  const auto code = [](const char* status) {
    GrpcResponseReader reader(1000);
    EXPECT_TRUE(reader.OnHeader(":status", status));
    EXPECT_TRUE(reader.OnHeader("content-type", "text/html"));
    EXPECT_TRUE(reader.OnData(std::string(100000, 'x')));  // An error page's text isn't kept.
    return reader.Finish().code;
  };
  EXPECT_EQ(code("400"), GrpcCode::kInternal);
  EXPECT_EQ(code("401"), GrpcCode::kUnauthenticated);
  EXPECT_EQ(code("403"), GrpcCode::kPermissionDenied);
  EXPECT_EQ(code("404"), GrpcCode::kUnimplemented);
  EXPECT_EQ(code("429"), GrpcCode::kUnavailable);
  EXPECT_EQ(code("502"), GrpcCode::kUnavailable);
  EXPECT_EQ(code("503"), GrpcCode::kUnavailable);
  EXPECT_EQ(code("504"), GrpcCode::kUnavailable);
  EXPECT_EQ(code("500"), GrpcCode::kUnknown);
  EXPECT_EQ(code("200"), GrpcCode::kUnknown);
}

TEST(GrpcResponse, GrpcWithoutStatusIsInternal) {
  GrpcResponseReader reader(1000);
  ASSERT_TRUE(reader.OnHeader(":status", "200"));
  ASSERT_TRUE(reader.OnHeader("content-type", "application/grpc"));
  EXPECT_EQ(reader.Finish().code, GrpcCode::kInternal);
}

TEST(GrpcResponse, LimitsAreKept) {
  GrpcResponseReader reader(10);
  ASSERT_TRUE(reader.OnHeader(":status", "200"));
  ASSERT_TRUE(reader.OnHeader("content-type", "application/grpc"));
  EXPECT_TRUE(reader.OnData(std::string(15, 'x')));
  EXPECT_FALSE(reader.OnData("x"));
  EXPECT_EQ(reader.Finish().code, GrpcCode::kResourceExhausted);

  GrpcResponseReader headers(10);
  bool taken = true;
  for (int i = 0; i < 1000 && taken; ++i) {
    taken = headers.OnHeader("x-noise", std::string(1000, 'x'));
  }
  EXPECT_FALSE(taken);
  EXPECT_THAT(headers.Finish().message, HasSubstr("headers"));
}

TEST(GrpcResponse, ResetStartsOver) {
  GrpcResponseReader reader = Answered("8");
  reader.Reset();
  EXPECT_FALSE(reader.has_status());
  EXPECT_EQ(reader.Finish().code, GrpcCode::kUnknown);
}

TEST(GrpcText, PercentDecode) {
  EXPECT_EQ(PercentDecode("a%20b%2fc%2F"), "a b/c/");
  EXPECT_EQ(PercentDecode("%"), "%");
  EXPECT_EQ(PercentDecode("%4"), "%4");
  EXPECT_EQ(PercentDecode("%zz%41"), "%zzA");
}

TEST(GrpcText, Base64Decode) {
  EXPECT_EQ(Base64Decode("aGk="), "hi");
  EXPECT_EQ(Base64Decode("aGk"), "hi");
  EXPECT_EQ(Base64Decode("-_-_"), Base64Decode("+/+/"));
  EXPECT_EQ(Base64Decode(""), "");
  EXPECT_EQ(Base64Decode("a"), std::nullopt);
  EXPECT_EQ(Base64Decode("a*b="), std::nullopt);
}

TEST(GrpcText, Http2Errors) {
  EXPECT_EQ(CodeFromHttp2Error(7), GrpcCode::kUnavailable);
  EXPECT_EQ(CodeFromHttp2Error(8), GrpcCode::kCancelled);
  EXPECT_EQ(CodeFromHttp2Error(11), GrpcCode::kResourceExhausted);
  EXPECT_EQ(CodeFromHttp2Error(2), GrpcCode::kInternal);
  EXPECT_EQ(GrpcCodeName(GrpcCode::kUnauthenticated), "UNAUTHENTICATED");
}

}  // namespace
}  // namespace weir::net

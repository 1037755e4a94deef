#include "extensions/bearertokenauth/extension.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "extensions/bearertokenauth/factory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testkit/harness.h"

namespace weir::extensions::bearertokenauth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testkit::Harness;

absl::StatusOr<std::unique_ptr<Extension>> Create(Harness& harness, std::string_view yaml) {
  return Factory().create(Harness::Yaml(yaml), "extensions::bearertokenauth",
                          harness.ForExtension("bearertokenauth"));
}

absl::Status Authenticate(Extension& extension, std::string_view header, std::string_view value) {
  const HeaderLookup lookup = [&](std::string_view key) {
    return key == header ? value : std::string_view();
  };
  return dynamic_cast<ServerAuthenticator&>(extension).Authenticate(lookup).status();
}

HeaderList Headers(Extension& extension) {
  HeaderList headers;
  EXPECT_TRUE(dynamic_cast<ClientAuthenticator&>(extension).AddHeaders(nullptr, headers).ok());
  return headers;
}

TEST(BearerTokenAuthTest, OneToken) {
  Harness harness;
  auto extension = Create(harness, "token: abc");
  ASSERT_TRUE(extension.ok()) << extension.status();
  ASSERT_TRUE((*extension)->Start().ok());
  EXPECT_TRUE(Authenticate(**extension, "authorization", "Bearer abc").ok());
  for (const char* value : {"", "abc", "Bearer", "Bearer ", "Bearer abcd", "bearer abc"}) {
    const absl::Status status = Authenticate(**extension, "authorization", value);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << value;
    EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("abc")));
  }
  EXPECT_THAT(Headers(**extension), ElementsAre(Pair("authorization", "Bearer abc")));
}

TEST(BearerTokenAuthTest, SeveralTokensHeaderAndScheme) {
  Harness harness;
  auto extension = Create(harness, "{tokens: [a, b], header: X-Api-Token, scheme: ''}");
  ASSERT_TRUE(extension.ok()) << extension.status();
  EXPECT_TRUE(Authenticate(**extension, "x-api-token", "a").ok());
  EXPECT_TRUE(Authenticate(**extension, "x-api-token", "b").ok());
  EXPECT_FALSE(Authenticate(**extension, "x-api-token", "c").ok());
  EXPECT_FALSE(Authenticate(**extension, "authorization", "a").ok());
  EXPECT_THAT(Headers(**extension), ElementsAre(Pair("x-api-token", "a")));
}

// Guarantees: an empty line of the file lets nobody in with an empty token.
TEST(BearerTokenAuthTest, FileWithSeveralLines) {
  const auto path =
      std::filesystem::path(::testing::TempDir()) / ("token_" + std::to_string(getpid()));
  std::ofstream(path) << "\n first \n\nsecond\n";
  Harness harness;
  auto extension = Create(harness, "filename: '" + path.string() + "'");
  ASSERT_TRUE((*extension)->Start().ok());
  EXPECT_TRUE(Authenticate(**extension, "authorization", "Bearer first").ok());
  EXPECT_TRUE(Authenticate(**extension, "authorization", "Bearer second").ok());
  EXPECT_FALSE(Authenticate(**extension, "authorization", "Bearer ").ok());
  EXPECT_THAT(Headers(**extension), ElementsAre(Pair("authorization", "Bearer first")));
  ASSERT_TRUE((*extension)->Shutdown({}).ok());
  std::ofstream(path) << "\n\n";
  EXPECT_FALSE((*Create(harness, "filename: '" + path.string() + "'"))->Start().ok());
  std::filesystem::remove(path);
  EXPECT_FALSE((*Create(harness, "filename: '" + path.string() + "'"))->Start().ok());
}

TEST(BearerTokenAuthTest, ConfigNeedsAToken) {
  Harness harness;
  for (const char* yaml :
       {"{}", "tokens: []", "tokens: ['']", "{token: a, tokens: [b]}", "{token: a, header: ''}"}) {
    EXPECT_FALSE(Create(harness, yaml).ok()) << yaml;
  }
}

}  // namespace
}  // namespace weir::extensions::bearertokenauth

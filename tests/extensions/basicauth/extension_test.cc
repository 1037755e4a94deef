#include "extensions/basicauth/extension.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "extensions/basicauth/factory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testkit/harness.h"

namespace weir::extensions::basicauth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testkit::Harness;

absl::StatusOr<std::unique_ptr<Extension>> Create(Harness& harness, std::string_view yaml) {
  return Factory().create(Harness::Yaml(yaml), "extensions::basicauth",
                          harness.ForExtension("basicauth"));
}

HeaderLookup Authorization(std::string value) {
  return [value](std::string_view key) {
    return key == "authorization" ? std::string_view(value) : std::string_view();
  };
}

TEST(BasicAuthServerTest, LetsInWhoKnowsThePassword) {
  Harness harness;
  auto extension = Create(harness, "htpasswd: {inline: 'agent:secret'}");
  ASSERT_TRUE(extension.ok()) << extension.status();
  ASSERT_TRUE((*extension)->Start().ok());
  const auto* server = dynamic_cast<ServerAuthenticator*>(extension->get());
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(dynamic_cast<ClientAuthenticator*>(extension->get()), nullptr);
  for (int i = 0; i < 2; ++i) {  // The second one is remembered.
    const auto caller = server->Authenticate(Authorization("basic YWdlbnQ6c2VjcmV0"));
    ASSERT_TRUE(caller.ok()) << caller.status();
    EXPECT_THAT(*caller, ElementsAre(Pair("username", "agent"), Pair("raw", "YWdlbnQ6c2VjcmV0")));
  }
}

TEST(BasicAuthServerTest, RefusesAnythingElse) {
  Harness harness;
  auto extension = Create(harness, "htpasswd: {inline: 'agent:secret'}");
  ASSERT_TRUE((*extension)->Start().ok());
  const auto* server = dynamic_cast<ServerAuthenticator*>(extension->get());
  for (const char* header : {"", "Basic", "Basic ", "Bearer YWdlbnQ6c2VjcmV0", "Basic !!!!",
                             "Basic YWdlbnQ=",             // agent
                             "Basic YWdlbnQ6",             // agent:
                             "Basic YWdlbnQ6d3Jvbmc=",     // agent:wrong
                             "Basic b3RoZXI6c2VjcmV0"}) {  // other:secret
    const auto caller = server->Authenticate(Authorization(header));
    EXPECT_EQ(caller.status().code(), absl::StatusCode::kUnauthenticated) << header;
    EXPECT_THAT(std::string(caller.status().message()), ::testing::Not(HasSubstr("wrong")));
  }
}

TEST(BasicAuthServerTest, InlineLinesWinOverTheFile) {
  const auto path =
      std::filesystem::path(::testing::TempDir()) / ("htpasswd_" + std::to_string(getpid()));
  std::ofstream(path) << "agent:old\nother:secret";
  Harness harness;
  auto extension =
      Create(harness, "htpasswd: {file: '" + path.string() + "', inline: 'agent:secret'}");
  ASSERT_TRUE(extension.ok());
  ASSERT_TRUE((*extension)->Start().ok());
  const auto* server = dynamic_cast<ServerAuthenticator*>(extension->get());
  EXPECT_TRUE(server->Authenticate(Authorization("Basic YWdlbnQ6c2VjcmV0")).ok());
  EXPECT_TRUE(server->Authenticate(Authorization("Basic b3RoZXI6c2VjcmV0")).ok());
  EXPECT_FALSE(server->Authenticate(Authorization("Basic YWdlbnQ6b2xk")).ok());  // agent:old
  std::filesystem::remove(path);
}

TEST(BasicAuthServerTest, StartFailsWithoutTheFileOrWithABrokenLine) {
  Harness harness;
  EXPECT_FALSE((*Create(harness, "htpasswd: {file: /nonexistent/htpasswd}"))->Start().ok());
  EXPECT_FALSE((*Create(harness, "htpasswd: {inline: broken}"))->Start().ok());
}

TEST(BasicAuthClientTest, AddsItsHeaderInPlaceOfAnother) {
  Harness harness;
  auto extension = Create(harness, "client_auth: {username: agent, password: secret}");
  ASSERT_TRUE((*extension)->Start().ok());
  const auto* client = dynamic_cast<ClientAuthenticator*>(extension->get());
  ASSERT_NE(client, nullptr);
  HeaderList headers = {{"Authorization", "old"}, {"x", "y"}};
  ASSERT_TRUE(client->AddHeaders(nullptr, headers).ok());
  EXPECT_THAT(headers,
              ElementsAre(Pair("x", "y"), Pair("authorization", "Basic YWdlbnQ6c2VjcmV0")));
  EXPECT_FALSE(client->uses_context());
}

TEST(BasicAuthClientTest, FilesWinAndAreTrimmed) {
  const auto path =
      std::filesystem::path(::testing::TempDir()) / ("password_" + std::to_string(getpid()));
  std::ofstream(path) << "secret\n";
  Harness harness;
  auto extension =
      Create(harness, "client_auth: {username: agent, password: old, password_file: '" +
                          path.string() + "'}");
  ASSERT_TRUE((*extension)->Start().ok());
  HeaderList headers;
  ASSERT_TRUE(
      dynamic_cast<ClientAuthenticator*>(extension->get())->AddHeaders(nullptr, headers).ok());
  EXPECT_THAT(headers, ElementsAre(Pair("authorization", "Basic YWdlbnQ6c2VjcmV0")));
  ASSERT_TRUE((*extension)->Shutdown({}).ok());
  ASSERT_TRUE((*extension)->Shutdown({}).ok());
  std::filesystem::remove(path);
}

TEST(BasicAuthConfigTest, IsOneOrTheOther) {
  Harness harness;
  for (const char* yaml :
       {"{}", "htpasswd: {}", "{htpasswd: {inline: 'a:b'}, client_auth: {username: a}}",
        "client_auth: {username: 'a:b'}", "htpasswd: {inlin: x}"}) {
    EXPECT_FALSE(Create(harness, yaml).ok()) << yaml;
  }
}

// Scenario: somebody tries passwords without end.
// Guarantees: checking them takes a fifth of the time at most.
TEST(CheckRationTest, GivesOutAFifthOfTheTime) {
  CheckRation ration;
  const TimePoint begin(std::chrono::hours(5));
  ASSERT_TRUE(ration.Admits(begin));
  ration.Spend(std::chrono::seconds(2));
  EXPECT_FALSE(ration.Admits(begin));
  EXPECT_TRUE(ration.Admits(begin + std::chrono::seconds(1)));  // 200 ms of credit.
  ration.Spend(std::chrono::milliseconds(200));
  EXPECT_FALSE(ration.Admits(begin + std::chrono::seconds(1)));
  EXPECT_TRUE(ration.Admits(begin + std::chrono::hours(1)));
  ration.Spend(std::chrono::seconds(2));  // No more than two seconds were saved up.
  EXPECT_FALSE(ration.Admits(begin + std::chrono::hours(1)));
}

}  // namespace
}  // namespace weir::extensions::basicauth

#include "extensions/headers_setter/extension.h"

#include "extensions/headers_setter/factory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testkit/harness.h"

namespace weir::extensions::headers_setter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using testkit::Harness;

absl::StatusOr<std::unique_ptr<Extension>> Create(Harness& harness, std::string_view yaml) {
  return Factory().create(Harness::Yaml(yaml), "extensions::headers_setter",
                          harness.ForExtension("headers_setter"));
}

absl::Status Apply(Extension& extension, const RequestContext* context, HeaderList& headers) {
  return dynamic_cast<ClientAuthenticator&>(extension).AddHeaders(context, headers);
}

TEST(HeadersSetterTest, Actions) {
  Harness harness;
  auto extension = Create(harness, R"(
headers:
  - {key: X-There, action: insert, value: no}
  - {key: X-New, action: insert, value: inserted}
  - {key: x-there, action: update, value: updated}
  - {key: X-Missing, action: update, value: no}
  - {key: X-Upserted, value: upserted}
  - {key: X-Gone, action: delete}
)");
  ASSERT_TRUE(extension.ok()) << extension.status();
  ASSERT_TRUE((*extension)->Start().ok());
  HeaderList headers = {{"x-there", "old"}, {"x-gone", "old"}};
  ASSERT_TRUE(Apply(**extension, nullptr, headers).ok());
  EXPECT_THAT(headers, ElementsAre(Pair("x-new", "inserted"), Pair("x-there", "updated"),
                                   Pair("x-upserted", "upserted")));
  EXPECT_FALSE(dynamic_cast<ClientAuthenticator&>(**extension).uses_context());
}

TEST(HeadersSetterTest, ValuesOfTheIncomingRequest) {
  Harness harness;
  auto extension = Create(harness, R"(
headers:
  - {key: X-Scope-OrgID, from_context: X-Tenant, default_value: shared}
  - {key: X-User, from_attribute: username}
)");
  ASSERT_TRUE((*extension)->Start().ok());
  EXPECT_TRUE(dynamic_cast<ClientAuthenticator&>(**extension).uses_context());
  RequestContext context;
  context.metadata = {{"x-tenant", "blue"}, {"x-tenant", "green"}};
  context.auth = {{"username", "agent"}};
  HeaderList headers;
  ASSERT_TRUE(Apply(**extension, &context, headers).ok());
  EXPECT_THAT(headers, ElementsAre(Pair("x-scope-orgid", "blue"), Pair("x-user", "agent")));

  headers.clear();
  ASSERT_TRUE(Apply(**extension, nullptr, headers).ok());
  EXPECT_THAT(headers, ElementsAre(Pair("x-scope-orgid", "shared")));
}

// Scenario: a client sends a value with line breaks in it, to write headers of its own.
TEST(HeadersSetterTest, AValueCannotBecomeAnotherHeader) {
  Harness harness;
  auto extension = Create(harness, "headers: [{key: X-A, from_context: a}]");
  ASSERT_TRUE((*extension)->Start().ok());
  RequestContext context;
  context.metadata = {{"a", "x\r\nx-admin: yes"}};
  HeaderList headers;
  EXPECT_FALSE(Apply(**extension, &context, headers).ok());
  EXPECT_THAT(headers, IsEmpty());
}

class OtherAuth final : public Extension, public ClientAuthenticator {
 public:
  absl::Status Start() override { return absl::OkStatus(); }
  absl::Status Shutdown(TimePoint) override { return absl::OkStatus(); }
  absl::Status AddHeaders(const RequestContext*, HeaderList& headers) const override {
    headers.emplace_back("authorization", "other");
    return absl::OkStatus();
  }
  bool uses_context() const override { return true; }
};

class NoAuth final : public Extension {
 public:
  absl::Status Start() override { return absl::OkStatus(); }
  absl::Status Shutdown(TimePoint) override { return absl::OkStatus(); }
};

TEST(HeadersSetterTest, AddsToAnotherAuthenticator) {
  Harness harness;
  OtherAuth other;
  harness.AddExtension("other/x", other);
  auto extension = Create(harness, "{headers: [{key: X-A, value: a}], additional_auth: other/x}");
  ASSERT_TRUE(extension.ok()) << extension.status();
  ASSERT_TRUE((*extension)->Start().ok());
  HeaderList headers;
  ASSERT_TRUE(Apply(**extension, nullptr, headers).ok());
  EXPECT_THAT(headers, ElementsAre(Pair("authorization", "other"), Pair("x-a", "a")));
  EXPECT_TRUE(dynamic_cast<ClientAuthenticator&>(**extension).uses_context());
}

TEST(HeadersSetterTest, AnotherAuthenticatorHasToBeThereAndBeOne) {
  Harness harness;
  NoAuth none;
  harness.AddExtension("none", none);
  for (const char* id : {"missing", "none"}) {
    auto extension = Create(
        harness, std::string("{headers: [{key: X-A, value: a}], additional_auth: ") + id + "}");
    const absl::Status status = (*extension)->Start();
    EXPECT_THAT(std::string(status.message()), HasSubstr(id));
  }
}

TEST(HeadersSetterTest, ConfigErrors) {
  Harness harness;
  for (const char* yaml :
       {"{}", "headers: []", "headers: [{value: a}]", "headers: [{key: 'a b', value: a}]",
        "headers: [{key: a}]", "headers: [{key: a, value: b, from_context: c}]",
        "headers: [{key: a, value: b, default_value: c}]", "headers: [{key: a, value: \"b\\nc\"}]",
        "headers: [{key: a, value: b, action: replace}]"}) {
    EXPECT_FALSE(Create(harness, yaml).ok()) << yaml;
  }
}

}  // namespace
}  // namespace weir::extensions::headers_setter

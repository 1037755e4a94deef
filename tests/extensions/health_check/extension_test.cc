#include "extensions/health_check/extension.h"

#include "extensions/health_check/factory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/extensions/http_get.h"
#include "weir/testkit/harness.h"

namespace weir::extensions::health_check {
namespace {

using ::testing::HasSubstr;
using testkit::Harness;

std::unique_ptr<HealthCheck> Started(Harness& harness, std::string_view yaml) {
  ConfigErrors errors;
  Config config = ReadConfig<Config>(Harness::Yaml(yaml), "extensions::health_check", errors);
  EXPECT_TRUE(errors.ok()) << errors.Render();
  auto extension =
      std::make_unique<HealthCheck>(std::move(config), harness.ForExtension("health_check"));
  const absl::Status status = extension->Start();
  EXPECT_TRUE(status.ok()) << status;
  return extension;
}

TEST(HealthCheckTest, FollowsTheServiceState) {
  Harness harness;
  const auto extension = Started(harness, "endpoint: 127.0.0.1:0");
  ASSERT_EQ(extension->ports().size(), 1u);
  const std::uint16_t port = extension->ports()[0];
  EXPECT_EQ(HttpGet(port, "/").status, 503);
  extension->OnServiceState(ServiceState::kReady);
  const HttpAnswer ready = HttpGet(port, "/");
  EXPECT_EQ(ready.status, 200);
  EXPECT_THAT(ready.body, HasSubstr("\"status\":\"Server available\",\"upSince\":\"20"));
  EXPECT_THAT(ready.head, HasSubstr("application/json"));
  EXPECT_EQ(HttpGet(port, "/other").status, 404);
  EXPECT_EQ(HttpRequest(port, "DELETE", "/").status, 405);
  extension->OnServiceState(ServiceState::kStopping);
  EXPECT_EQ(HttpGet(port, "/").status, 503);
}

TEST(HealthCheckTest, PathAndBodies) {
  Harness harness;
  const auto extension = Started(harness, R"(
endpoint: 127.0.0.1:0
path: /health/status
response_body: {healthy: "I'm good", unhealthy: "I'm bad"}
check_collector_pipeline: {enabled: false, interval: 5m, exporter_failure_threshold: 5}
)");
  const std::uint16_t port = extension->ports()[0];
  EXPECT_EQ(HttpGet(port, "/health/status").body, "I'm bad");
  extension->OnServiceState(ServiceState::kReady);
  EXPECT_EQ(HttpGet(port, "/health/status?x=1").body, "I'm good");
  EXPECT_EQ(HttpGet(port, "/").status, 404);
}

TEST(HealthCheckTest, SecondVersionOverHttp) {
  Harness harness;
  const auto extension = Started(harness, R"(
use_v2: true
component_health: {include_permanent_errors: false, recovery_duration: 5m}
http: {endpoint: "127.0.0.1:0", status: {enabled: true, path: /health/status}}
grpc: {endpoint: "127.0.0.1:0", transport: tcp}
)");
  ASSERT_EQ(extension->ports().size(), 2u);
  const std::uint16_t port = extension->ports()[0];
  EXPECT_EQ(HttpGet(port, "/health/status").status, 503);
  EXPECT_THAT(HttpGet(port, "/health/status").body, HasSubstr("StatusStarting"));
  extension->OnServiceState(ServiceState::kReady);
  const HttpAnswer ready = HttpGet(port, "/health/status?verbose");
  EXPECT_EQ(ready.status, 200);
  EXPECT_THAT(ready.body, HasSubstr("\"healthy\":true,\"status\":\"StatusOK\""));
  EXPECT_EQ(HttpGet(port, "/").status, 404);
}

TEST(HealthCheckTest, ShutdownIsSafeAtAnyTime) {
  Harness harness;
  ConfigErrors errors;
  const Config config = ReadConfig<Config>(Harness::Yaml("endpoint: 127.0.0.1:0"), "x", errors);
  HealthCheck never_started(config, harness.ForExtension("health_check"));
  EXPECT_TRUE(never_started.Shutdown({}).ok());
  const auto extension = Started(harness, "endpoint: 127.0.0.1:0");
  EXPECT_TRUE(extension->Shutdown(std::chrono::steady_clock::now()).ok());
  EXPECT_TRUE(extension->Shutdown(std::chrono::steady_clock::now()).ok());
}

TEST(HealthCheckTest, APortInUseIsAnErrorOfStart) {
  Harness harness;
  const auto first = Started(harness, "endpoint: 127.0.0.1:0");
  ConfigErrors errors;
  const Config config = ReadConfig<Config>(
      Harness::Yaml("endpoint: '127.0.0.1:" + std::to_string(first->ports()[0]) + "'"), "x",
      errors);
  HealthCheck second(config, harness.ForExtension("health_check/2"));
  EXPECT_FALSE(second.Start().ok());
}

TEST(HealthCheckTest, ConfigErrors) {
  Harness harness;
  for (const char* yaml :
       {"path: health", "endpoint: nowhere", "use_v2: true", "http: {status: {path: x}}",
        "check_collector_pipeline: {interval: soon}",
        "check_collector_pipeline: {exporter_failure_threshold: 0}", "endpont: x"}) {
    EXPECT_FALSE(Factory()
                     .create(Harness::Yaml(yaml), "extensions::health_check",
                             harness.ForExtension("health_check"))
                     .ok())
        << yaml;
  }
}

TEST(HealthCheckTest, BodiesOfBothVersions) {
  const std::chrono::system_clock::time_point start(std::chrono::milliseconds(1795557600007));
  Health health{ServiceState::kReady, start, start + std::chrono::seconds(1)};
  EXPECT_EQ(
      RenderV1(health, start + std::chrono::milliseconds(2500)),
      R"({"status":"Server available","upSince":"2026-11-24T22:00:01.007Z","uptime":"1.5s"})");
  EXPECT_EQ(RenderV2(health),
            R"({"start_time":"2026-11-24T22:00:00.007Z","healthy":true,"status":"StatusOK",)"
            R"("status_time":"2026-11-24T22:00:01.007Z"})");
  health.state = ServiceState::kStopping;
  EXPECT_THAT(RenderV1(health, start), HasSubstr("Server not available"));
  EXPECT_THAT(RenderV2(health), HasSubstr("\"healthy\":false,\"status\":\"StatusStopping\""));
}

}  // namespace
}  // namespace weir::extensions::health_check

// HealthCheck tells probes how the service is doing: over HTTP as the Collector's health_check and
// healthcheckv2 do, and as the standard gRPC health service.
//
// Threads: the state is set on the service thread and read by the servers' own threads.

#ifndef WEIR_EXTENSIONS_HEALTH_CHECK_EXTENSION_H_
#define WEIR_EXTENSIONS_HEALTH_CHECK_EXTENSION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "extensions/health_check/config.h"
#include "net/grpc_server.h"
#include "net/page_server.h"
#include "weir/component/extension.h"

namespace weir::extensions::health_check {

// What the pages show at one time.
struct Health {
  ServiceState state = ServiceState::kStarting;
  std::chrono::system_clock::time_point started{};
  std::chrono::system_clock::time_point changed{};  // When `state` began.

  bool ok() const { return state == ServiceState::kReady; }
};

// The body of the first version: {"status":"Server available","upSince":"...","uptime":"1.5s"}.
std::string RenderV1(const Health& health, std::chrono::system_clock::time_point now);
// The body of the second: {"start_time":"...","healthy":true,"status":"StatusOK",...}.
std::string RenderV2(const Health& health);

// grpc.health.v1.Health/Check.
class GrpcHealth final : public net::RequestHandler {
 public:
  explicit GrpcHealth(std::function<Health()> health) : health_(std::move(health)) {}

  std::optional<std::size_t> OnHead(net::ServerRequest& request) override;
  void OnBody(net::ServerRequest& request, Slice body) override;

 private:
  const std::function<Health()> health_;
};

class HealthCheck final : public Extension {
 public:
  HealthCheck(Config config, const ComponentContext& context);
  ~HealthCheck() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  void OnServiceState(ServiceState state) override;

  // Of the servers that run: HTTP first. For tests.
  std::vector<std::uint16_t> ports() const;

 private:
  Health health() const;
  net::Page AnswerV1(const net::RequestHead& head) const;
  net::Page AnswerV2(const net::RequestHead& head) const;
  absl::Status Open(const net::PageServerConfig& config, net::PageServer::Answer answer,
                    const net::GrpcRouter* grpc);

  const Config config_;
  const Logger logger_;
  MemoryBudget& budget_;
  GrpcHealth grpc_health_;
  net::GrpcRouter router_;

  mutable std::mutex mutex_;  // Guards health_.
  Health health_;

  std::vector<std::unique_ptr<net::PageServer>> servers_;
};

}  // namespace weir::extensions::health_check

#endif  // WEIR_EXTENSIONS_HEALTH_CHECK_EXTENSION_H_

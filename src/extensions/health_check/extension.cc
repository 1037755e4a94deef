#include "extensions/health_check/extension.h"

#include <ctime>
#include <utility>

#include "weir/base/status.h"

namespace weir::extensions::health_check {

namespace {

using Clock = std::chrono::system_clock;

constexpr std::string_view kJson = "application/json";

std::string Timestamp(Clock::time_point time) {
  const std::time_t seconds = Clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(time - Clock::from_time_t(seconds));
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     milliseconds.count());
}

// The Collector's names of component states.
std::string_view StatusName(ServiceState state) {
  switch (state) {
    case ServiceState::kStarting:
      return "StatusStarting";
    case ServiceState::kReady:
      return "StatusOK";
    case ServiceState::kStopping:
      return "StatusStopping";
  }
  return "StatusNone";
}

}  // namespace

std::string RenderV1(const Health& health, Clock::time_point now) {
  if (!health.ok()) {
    return R"({"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""})";
  }
  const auto uptime = std::chrono::floor<std::chrono::milliseconds>(now - health.changed);
  return fmt::format(R"({{"status":"Server available","upSince":"{}","uptime":"{}"}})",
                     Timestamp(health.changed), FormatDuration(uptime));
}

std::string RenderV2(const Health& health) {
  return fmt::format(R"({{"start_time":"{}","healthy":{},"status":"{}","status_time":"{}"}})",
                     Timestamp(health.started), health.ok(), StatusName(health.state),
                     Timestamp(health.changed));
}

std::optional<std::size_t> GrpcHealth::OnHead(net::ServerRequest&) {
  return 4096;  // A service's name.
}

void GrpcHealth::OnBody(net::ServerRequest& request, Slice body) {
  // HealthCheckRequest{service = ""} is empty bytes or field 1 with length 0.
  constexpr std::string_view kEmptyName("\x0a\x00", 2);
  if (!body.empty() && body.view() != kEmptyName) {
    request.RespondGrpc({.code = net::GrpcCode::kNotFound, .message = "unknown service"});
    return;
  }
  constexpr std::string_view kServing = "\x08\x01";
  constexpr std::string_view kNotServing = "\x08\x02";
  request.RespondGrpc({.code = net::GrpcCode::kOk}, health_().ok() ? kServing : kNotServing);
}

HealthCheck::HealthCheck(Config config, const ComponentContext& context)
    : config_(std::move(config)),
      logger_(context.logger),
      budget_(context.budget),
      grpc_health_([this] { return health(); }) {
  router_.Add("/grpc.health.v1.Health/Check", grpc_health_);
}

HealthCheck::~HealthCheck() { servers_.clear(); }

Health HealthCheck::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

void HealthCheck::OnServiceState(ServiceState state) {
  const std::lock_guard lock(mutex_);
  health_.state = state;
  health_.changed = Clock::now();
}

absl::Status HealthCheck::Open(const net::PageServerConfig& config, net::PageServer::Answer answer,
                               const net::GrpcRouter* grpc) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<net::PageServer> server,
                        net::PageServer::Open(config, std::move(answer), budget_, "health", grpc));
  logger_.Info("Health check listens", {{"endpoint", config.endpoint}, {"port", server->port()}});
  servers_.push_back(std::move(server));
  return absl::OkStatus();
}

absl::Status HealthCheck::Start() {
  {
    const std::lock_guard lock(mutex_);
    health_.started = health_.changed = Clock::now();
  }
  if (!config_.is_v2()) {
    return Open(
        config_.server, [this](const auto& head) { return AnswerV1(head); }, nullptr);
  }
  if (config_.http.has_value()) {
    WEIR_RETURN_IF_ERROR(Open(
        config_.http->server, [this](const auto& head) { return AnswerV2(head); }, nullptr));
  }
  if (config_.grpc.has_value()) {
    WEIR_RETURN_IF_ERROR(Open(
        config_.grpc->server, [](const auto&) { return net::Page{.status = 404}; }, &router_));
  }
  return absl::OkStatus();
}

absl::Status HealthCheck::Shutdown(TimePoint deadline) {
  for (const auto& server : servers_) {
    server->Shutdown(deadline);
  }
  servers_.clear();
  return absl::OkStatus();
}

std::vector<std::uint16_t> HealthCheck::ports() const {
  std::vector<std::uint16_t> ports;
  for (const auto& server : servers_) {
    ports.push_back(server->port());
  }
  return ports;
}

net::Page HealthCheck::AnswerV1(const net::RequestHead& head) const {
  if (head.path() != config_.path) {
    return {.status = 404, .body = "not found\n"};
  }
  const Health now = health();
  const int status = now.ok() ? 200 : 503;
  if (config_.response_body.has_value()) {
    return {.status = status,
            .body = now.ok() ? config_.response_body->healthy : config_.response_body->unhealthy};
  }
  return {
      .status = status, .content_type = std::string(kJson), .body = RenderV1(now, Clock::now())};
}

net::Page HealthCheck::AnswerV2(const net::RequestHead& head) const {
  if (!config_.http->status.enabled || head.path() != config_.http->status.path) {
    return {.status = 404, .body = "not found\n"};
  }
  const Health now = health();
  return {
      .status = now.ok() ? 200 : 503, .content_type = std::string(kJson), .body = RenderV2(now)};
}

}  // namespace weir::extensions::health_check

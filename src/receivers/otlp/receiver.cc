#include "receivers/otlp/receiver.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "weir/base/status.h"

namespace weir::receivers::otlp {
namespace {

std::string GrpcPath(Signal signal) {
  constexpr std::array<std::string_view, kSignalCount> kServices = {
      "trace.v1.TraceService", "metrics.v1.MetricsService", "logs.v1.LogsService"};
  return fmt::format("/opentelemetry.proto.collector.{}/Export", kServices[SignalIndex(signal)]);
}

}  // namespace

OtlpReceiver::OtlpReceiver(Config config, const ReceiverContext& context)
    : config_(std::move(config)), context_(context) {
  for (const Signal signal : kSignals) {
    if (context_.sink(signal) != nullptr) {
      books_.push_back(context_.ledger.Open({.node = context_.id.ToString(),
                                             .kind = NodeKind::kReceiver,
                                             .signal = signal,
                                             .pipeline = {}}));
    }
  }
}

OtlpReceiver::~OtlpReceiver() {
  grpc_.reset();
  http_.reset();
  threads_.clear();
}

Door* OtlpReceiver::AddDoor(Signal signal, const std::string& transport) {
  BatchSink* const sink = context_.sink(signal);
  if (sink == nullptr) {
    return nullptr;
  }
  for (const NodeHandle& books : books_) {
    if (books->key().signal == signal) {
      doors_.push_back(std::make_unique<Door>(
          signal, *sink, *books, context_.metrics, context_.id.ToString(), transport,
          config_.wait == Wait::kDelivered ? DeliveryTracker::Interest::kDelivered
                                           : DeliveryTracker::Interest::kSecured));
      return doors_.back().get();
    }
  }
  return nullptr;
}

absl::StatusOr<const ServerAuthenticator*> OtlpReceiver::FindAuthenticator(
    const ComponentId& id) const {
  Extension* const extension = context_.host.FindExtension(id);
  if (extension == nullptr) {
    return InvalidArgument("authenticator \"{}\" is not among service::extensions", id.ToString());
  }
  const auto* authenticator = dynamic_cast<const ServerAuthenticator*>(extension);
  if (authenticator == nullptr) {
    return InvalidArgument("extension \"{}\" does not check who sends", id.ToString());
  }
  return authenticator;
}

absl::Status OtlpReceiver::OpenGrpc() {
  const net::GrpcServerConfig& config = config_.protocols.grpc->server;
  grpc_rules_ = {.depth = config_.validation,
                 .body_bytes_max = config.message_bytes_max(),
                 .include_metadata = config.include_metadata,
                 .authenticator = nullptr,
                 .auth_query_params = {}};
  if (config.auth.has_value()) {
    WEIR_ASSIGN_OR_RETURN(grpc_rules_.authenticator, FindAuthenticator(config.auth->authenticator));
  }
  for (const Signal signal : kSignals) {
    if (Door* const door = AddDoor(signal, "grpc")) {
      grpc_handlers_.push_back(std::make_unique<GrpcExportHandler>(grpc_rules_, *door));
      grpc_router_.Add(GrpcPath(signal), *grpc_handlers_.back());
    }
  }
  WEIR_ASSIGN_OR_RETURN(grpc_, net::Server::Open(net::MakeServerOptions(config),
                                                 {.http = nullptr, .grpc = &grpc_router_},
                                                 context_.budget, config_.listener_threads));
  context_.logger.Info("Serving OTLP/gRPC", {{"endpoint", config.endpoint}, {"port", grpc_port()}});
  return absl::OkStatus();
}

absl::Status OtlpReceiver::OpenHttp() {
  const HttpProtocol& protocol = *config_.protocols.http;
  const net::HttpServerConfig& config = protocol.server;
  http_rules_ = {.depth = config_.validation,
                 .body_bytes_max = config.body_bytes_max(),
                 .include_metadata = config.include_metadata,
                 .authenticator = nullptr,
                 .auth_query_params = {}};
  if (config.auth.has_value()) {
    WEIR_ASSIGN_OR_RETURN(http_rules_.authenticator,
                          FindAuthenticator(config.auth->common.authenticator));
    http_rules_.auth_query_params = config.auth->request_params;
  }
  std::array<HttpExportHandler::Endpoint, kSignalCount> endpoints;
  for (const Signal signal : kSignals) {
    endpoints[SignalIndex(signal)] = {.path = protocol.Path(signal),
                                      .door = AddDoor(signal, "http")};
  }
  http_handler_ =
      std::make_unique<HttpExportHandler>(http_rules_, context_.budget, std::move(endpoints));
  WEIR_ASSIGN_OR_RETURN(http_, net::Server::Open(net::MakeServerOptions(config),
                                                 {.http = http_handler_.get(), .grpc = nullptr},
                                                 context_.budget, config_.listener_threads));
  context_.logger.Info("Serving OTLP/HTTP", {{"endpoint", config.endpoint}, {"port", http_port()}});
  return absl::OkStatus();
}

absl::Status OtlpReceiver::Start() {
  if (config_.protocols.grpc.has_value()) {
    if (const absl::Status status = OpenGrpc(); !status.ok()) {
      return Annotate(status, "protocols::grpc");
    }
  }
  if (config_.protocols.http.has_value()) {
    if (const absl::Status status = OpenHttp(); !status.ok()) {
      return Annotate(status, "protocols::http");
    }
  }
  std::vector<EventLoop*> loops;
  for (std::uint32_t i = 0; i < config_.listener_threads; ++i) {
    threads_.push_back(std::make_unique<LoopThread>("otlp"));
    loops.push_back(&threads_.back()->loop());
  }
  for (net::Server* const server : {grpc_.get(), http_.get()}) {
    if (server != nullptr) {
      server->Start(loops);
    }
  }
  return absl::OkStatus();
}

bool OtlpReceiver::idle() const {
  return std::ranges::all_of(doors_, [](const std::unique_ptr<Door>& door) {
    return door->open_calls.load(std::memory_order_acquire) == 0;
  });
}

absl::Status OtlpReceiver::Shutdown(TimePoint deadline) {
  for (net::Server* const server : {grpc_.get(), http_.get()}) {
    if (server != nullptr) {
      server->Shutdown(deadline);
    }
  }
  return absl::OkStatus();
}

}  // namespace weir::receivers::otlp

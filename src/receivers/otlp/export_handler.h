// The handlers of OTLP's endpoints: they check who sends, what was sent, and start an ExportCall.
//
// Threads: called by every loop; all state is constant after construction, the counters apart.
// Loss: what is refused here was never in: the sender is told, and it is counted as failed (can't
// be read) or refused (no room).

#ifndef WEIR_RECEIVERS_OTLP_EXPORT_HANDLER_H_
#define WEIR_RECEIVERS_OTLP_EXPORT_HANDLER_H_

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/server_request.h"
#include "receivers/otlp/answer.h"
#include "receivers/otlp/export_call.h"
#include "weir/base/budget.h"
#include "weir/component/extension.h"
#include "weir/wire/scanner.h"

namespace weir::receivers::otlp {

// What the endpoints of one protocol share.
struct EndpointRules {
  wire::ScanDepth depth = wire::ScanDepth::kStructure;
  std::size_t body_bytes_max = 0;
  bool include_metadata = false;
  const ServerAuthenticator* authenticator = nullptr;  // Null lets everybody in.
  std::vector<std::string> auth_query_params;
};

// OK, with what the authenticator said attached to the request; or why not.
absl::Status Authenticate(const EndpointRules& rules, net::ServerRequest& request);
// What downstream may read of the request; null where nothing is kept.
std::shared_ptr<const RequestContext> ContextOf(const EndpointRules& rules,
                                                const net::ServerRequest& request);

// One Export method of gRPC.
class GrpcExportHandler final : public net::RequestHandler {
 public:
  GrpcExportHandler(const EndpointRules& rules, Door& door) : rules_(rules), door_(door) {}

  std::optional<std::size_t> OnHead(net::ServerRequest& request) override;
  void OnBody(net::ServerRequest& request, Slice body) override;
  void OnBodyFault(net::ServerRequest& request, net::BodyFault fault) override;

 private:
  const EndpointRules& rules_;
  Door& door_;
};

// All paths of OTLP/HTTP.
class HttpExportHandler final : public net::RequestHandler {
 public:
  // A door is null where no pipeline takes the signal; its path is then unknown.
  struct Endpoint {
    std::string path;
    Door* door = nullptr;
  };
  HttpExportHandler(const EndpointRules& rules, MemoryBudget& budget,
                    std::array<Endpoint, kSignalCount> endpoints);

  std::optional<std::size_t> OnHead(net::ServerRequest& request) override;
  void OnBody(net::ServerRequest& request, Slice body) override;
  void OnBodyFault(net::ServerRequest& request, net::BodyFault fault) override;

 private:
  // Where a head leads: kept in it, so that equal heads are looked at once.
  struct Route {
    Door* door;
    Protocol protocol;
  };

  const Route* FindRoute(net::ServerRequest& request);
  void OnJson(net::ServerRequest& request, Door& door, Slice body);

  const EndpointRules& rules_;
  MemoryBudget& budget_;
  const std::array<Endpoint, kSignalCount> endpoints_;
  std::array<std::array<Route, 2>, kSignalCount> routes_;  // Protobuf and JSON.
};

}  // namespace weir::receivers::otlp

#endif  // WEIR_RECEIVERS_OTLP_EXPORT_HANDLER_H_

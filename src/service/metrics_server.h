// MetricsServer serves the process's own /metrics, and the ledger as JSON on /ledger. A POST to
// /-/reload asks for a reload and is answered when it is done. Browsers can't be made to ask: a
// request that names an origin is refused.
//
// Threads: Open, Update and the destructor on the service thread; pages are made on the server's
// own.

#ifndef WEIR_SERVICE_METRICS_SERVER_H_
#define WEIR_SERVICE_METRICS_SERVER_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "net/page_server.h"
#include "telemetry/prometheus_text.h"
#include "weir/config/service_telemetry.h"
#include "weir/telemetry/log.h"

namespace weir::service {

class Service;

class MetricsServer {
 public:
  // `service` outlives the server.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Open(const PrometheusReader& reader,
                                                             const ResourceTelemetry& resource,
                                                             Service& service,
                                                             const Logger& logger);

  // True when `reader` asks for the address that is served on.
  bool ServesOn(const PrometheusReader& reader) const {
    return reader.host == host_ && reader.port == port_;
  }
  // Shows the same in another form from now on.
  void Update(const PrometheusReader& reader, const ResourceTelemetry& resource);

  // Stops listening and lets answers that are on their way leave.
  void Shutdown(TimePoint deadline) { server_->Shutdown(deadline); }

  std::uint16_t port() const { return server_->port(); }

 private:
  MetricsServer(const PrometheusReader& reader, Service& service);
  net::Page Answer(const net::RequestHead& head) const;
  void Command(const net::RequestHead& head, net::PageServer::Reply reply) const;

  Service& service_;
  const std::string host_;
  const std::uint16_t port_;  // As configured; 0 lets the system choose.
  const std::string instance_id_;
  mutable std::mutex mutex_;  // Guards text_.
  std::shared_ptr<const PrometheusTextOptions> text_;
  std::unique_ptr<net::PageServer> server_;
};

}  // namespace weir::service

#endif  // WEIR_SERVICE_METRICS_SERVER_H_

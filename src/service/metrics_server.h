// MetricsServer serves the process's own /metrics, and the ledger as JSON on /ledger.
//
// Threads: Open and the destructor on the service thread; pages are made on the server's own.

#ifndef WEIR_SERVICE_METRICS_SERVER_H_
#define WEIR_SERVICE_METRICS_SERVER_H_

#include <cstdint>
#include <memory>

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
                                                             Service& service,
                                                             const Logger& logger);

  std::uint16_t port() const { return server_->port(); }

 private:
  MetricsServer(const PrometheusReader& reader, Service& service);
  net::Page Answer(const net::RequestHead& head) const;

  Service& service_;
  PrometheusTextOptions text_;
  std::unique_ptr<net::PageServer> server_;
};

}  // namespace weir::service

#endif  // WEIR_SERVICE_METRICS_SERVER_H_

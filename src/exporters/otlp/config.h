// Options of the otlp_grpc exporter, with the Collector's keys and defaults.

#ifndef WEIR_EXPORTERS_OTLP_CONFIG_H_
#define WEIR_EXPORTERS_OTLP_CONFIG_H_

#include "net/client_config.h"
#include "weir/component/exporter_settings.h"

namespace weir::exporters::otlp {

struct Config {
  net::GrpcClientConfig client = Defaults();
  ExporterSettings settings;

  static net::GrpcClientConfig Defaults() {
    net::GrpcClientConfig client;
    client.compression = net::Compression::kGzip;
    client.write_buffer_size = 512 * 1024;
    return client;
  }
  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.client);
    visit.Squash(self.settings);
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::exporters::otlp

#endif  // WEIR_EXPORTERS_OTLP_CONFIG_H_

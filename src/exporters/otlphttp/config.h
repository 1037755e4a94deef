// Options of the otlp_http exporter, with the Collector's keys and defaults.

#ifndef WEIR_EXPORTERS_OTLPHTTP_CONFIG_H_
#define WEIR_EXPORTERS_OTLPHTTP_CONFIG_H_

#include <string>
#include <utility>

#include "net/client_config.h"
#include "weir/component/exporter_settings.h"
#include "weir/wire/signal.h"
#include "weir/wire/status_codec.h"

namespace weir {
template <>
struct EnumNames<wire::BodyFormat> {
  static constexpr std::pair<std::string_view, wire::BodyFormat> kNames[] = {
      {"proto", wire::BodyFormat::kProtobuf}, {"json", wire::BodyFormat::kJson}};
};
}  // namespace weir

namespace weir::exporters::otlphttp {

struct Config {
  net::HttpClientConfig client = ClientDefaults();
  std::string traces_endpoint;
  std::string metrics_endpoint;
  std::string logs_endpoint;
  wire::BodyFormat encoding = wire::BodyFormat::kProtobuf;
  ExporterSettings settings = SettingsDefaults();

  static net::HttpClientConfig ClientDefaults() {
    net::HttpClientConfig client;
    client.compression = net::Compression::kGzip;
    client.write_buffer_size = 512 * 1024;
    return client;
  }
  static ExporterSettings SettingsDefaults() {
    ExporterSettings settings;
    settings.timeout = std::chrono::seconds(30);
    return settings;
  }
  static void VisitFields(auto& self, auto& visit) {
    visit.Squash(self.client);
    visit("traces_endpoint", self.traces_endpoint,
          "URL for traces; empty for `endpoint` and `/v1/traces`.");
    visit("metrics_endpoint", self.metrics_endpoint,
          "URL for metrics; empty for `endpoint` and `/v1/metrics`.");
    visit("logs_endpoint", self.logs_endpoint,
          "URL for logs; empty for `endpoint` and `/v1/logs`.");
    visit.Ignored("profiles_endpoint", "there is no signal of profiles");
    visit("encoding", self.encoding, "`proto` or `json`.");
    visit.Squash(self.settings);
  }
  void Validate(FieldCheck& check) const;
  // Empty when nothing says where that signal goes.
  std::string Url(Signal signal) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::exporters::otlphttp

#endif  // WEIR_EXPORTERS_OTLPHTTP_CONFIG_H_

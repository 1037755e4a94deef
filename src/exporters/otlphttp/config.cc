#include "exporters/otlphttp/config.h"

#include <optional>

namespace weir::exporters::otlphttp {

void Config::Validate(FieldCheck& check) const {
  if (client.endpoint.empty() && traces_endpoint.empty() && metrics_endpoint.empty() &&
      logs_endpoint.empty()) {
    check.Error("endpoint", "must be set, or one of the endpoints of a signal");
  }
  const std::pair<const char*, const std::string&> endpoints[] = {
      {"traces_endpoint", traces_endpoint},
      {"metrics_endpoint", metrics_endpoint},
      {"logs_endpoint", logs_endpoint}};
  for (const auto& [key, url] : endpoints) {
    if (url.empty()) {
      continue;
    }
    if (const std::optional<std::string> problem = net::ProblemWithUrl(url)) {
      check.Error(key, "{}", *problem);
    }
  }
}

std::string Config::Url(Signal signal) const {
  const std::string& own = signal == Signal::kTraces    ? traces_endpoint
                           : signal == Signal::kMetrics ? metrics_endpoint
                                                        : logs_endpoint;
  if (!own.empty() || client.endpoint.empty()) {
    return own;
  }
  const char* const slash = client.endpoint.ends_with('/') ? "" : "/";
  return client.endpoint + slash + "v1/" + std::string(SignalName(signal));
}

}  // namespace weir::exporters::otlphttp

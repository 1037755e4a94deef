#include "receivers/otlp/config.h"

#include <algorithm>

namespace weir::receivers::otlp {

std::string HttpProtocol::Path(Signal signal) const {
  const std::string& path = signal == Signal::kTraces    ? traces_url_path
                            : signal == Signal::kMetrics ? metrics_url_path
                                                         : logs_url_path;
  return path.starts_with('/') ? path : "/" + path;
}

void HttpProtocol::Validate(FieldCheck& check) const {
  const std::string paths[] = {Path(Signal::kTraces), Path(Signal::kMetrics), Path(Signal::kLogs)};
  const char* const keys[] = {"traces_url_path", "metrics_url_path", "logs_url_path"};
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    if (paths[i].find_first_of("?# ") != std::string::npos) {
      check.Error(keys[i], "must be a path alone");
    }
    if (std::count(std::begin(paths), std::end(paths), paths[i]) > 1) {
      check.Error(keys[i], "is the path of another signal, too");
    }
  }
}

void Config::Validate(FieldCheck& check) const {
  if (!protocols.grpc.has_value() && !protocols.http.has_value()) {
    check.Error("protocols", "must name at least one of `grpc` and `http`");
  }
}

}  // namespace weir::receivers::otlp

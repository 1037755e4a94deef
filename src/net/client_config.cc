#include "net/client_config.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "weir/base/status.h"

namespace weir::net {
namespace {

// gRPC servers turn clients away that ping more often; grpc-go has the same floor.
constexpr std::chrono::seconds kKeepaliveTimeMin{10};

}  // namespace

void ClientAuthConfig::Validate(FieldCheck& check) const {
  if (authenticator.type.empty()) {
    check.Error("authenticator", "must name an extension");
  }
}

void GrpcClientConfig::Validate(FieldCheck& check) const {
  if (!endpoint.empty()) {
    if (const auto target = ParseGrpcTarget(endpoint); !target.ok()) {
      check.Error("endpoint", "is no address: {}", std::string(target.status().message()));
    }
  }
  switch (compression) {
    case Compression::kNone:
    case Compression::kGzip:
    case Compression::kSnappy:
    case Compression::kZstd:
      break;
    default:
      check.Error("compression", "is not for gRPC: use gzip, zstd, snappy or none");
  }
}

absl::StatusOr<GrpcClientOptions> MakeGrpcClientOptions(const GrpcClientConfig& config,
                                                        const std::string& user_agent) {
  GrpcClientOptions options;
  WEIR_ASSIGN_OR_RETURN(options.target, ParseGrpcTarget(config.endpoint));
  if (config.tls.UsesTls() || options.target.tls) {
    WEIR_ASSIGN_OR_RETURN(options.tls, TlsContext::NewClient(config.tls, {"h2"}));
  }
  options.authority = config.authority;
  if (options.authority.empty() && options.tls != nullptr) {
    options.authority = config.tls.server_name_override;
  }
  options.user_agent = config.user_agent.empty() ? user_agent : config.user_agent;
  options.balancer = config.balancer_name;
  options.wait_for_ready = config.wait_for_ready;
  if (config.keepalive.has_value()) {
    options.keepalive =
        GrpcKeepalive{.time = std::max<Duration>(config.keepalive->time, kKeepaliveTimeMin),
                      .timeout = config.keepalive->timeout.count() == 0 ? std::chrono::seconds(20)
                                                                        : config.keepalive->timeout,
                      .permit_without_stream = config.keepalive->permit_without_stream};
  }
  return options;
}

void HttpClientConfig::Validate(FieldCheck& check) const {
  if (const absl::Status status = ValidateCompressionLevel(compression, compression_params.level);
      !status.ok() && compression != Compression::kNone) {
    check.Error("compression_params::level", "{}", std::string(status.message()));
  }
  if (!endpoint.empty()) {
    if (const auto problem = ProblemWithUrl(endpoint)) {
      check.Error("endpoint", "{}", *problem);
    }
  }
  if (!proxy_url.empty() && proxy_url.find("://") == std::string::npos) {
    check.Error("proxy_url", "must be a URL, such as http://proxy:3128");
  }
}

absl::StatusOr<HttpClientOptions> MakeHttpClientOptions(const HttpClientConfig& config) {
  // Made to be thrown away: libcurl's own contexts are filled from the files later.
  WEIR_ASSIGN_OR_RETURN(const auto checked, TlsContext::NewClient(config.tls, {}));
  return HttpClientOptions{.tls = config.tls,
                           .proxy_url = config.proxy_url,
                           .idle_connections_max = config.max_idle_conns,
                           .host_connections_max = config.max_conns_per_host,
                           .idle_timeout = config.idle_conn_timeout,
                           .keep_alive = !config.disable_keep_alives,
                           .http2 = config.force_attempt_http2,
                           .cookies = config.cookies.has_value(),
                           .upload_buffer_bytes = config.write_buffer_size};
}

std::optional<std::string> ProblemWithUrl(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0);
      code != CURLUE_OK) {
    return fmt::format("must be a URL, such as http://host:4318 ({})", curl_url_strerror(code));
  }
  char* scheme = nullptr;
  curl_url_get(parsed.get(), CURLUPART_SCHEME, &scheme, 0);
  const std::string name = scheme == nullptr ? "" : scheme;
  curl_free(scheme);
  return name == "http" || name == "https"
             ? std::nullopt
             : std::optional<std::string>("must begin with http:// or https://");
}

}  // namespace weir::net

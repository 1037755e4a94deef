#include "load/http_transport.h"

#include <array>
#include <chrono>
#include <utility>

#include "fmt/format.h"
#include "net/http_client.h"
#include "net/retry_after.h"
#include "net/tls.h"
#include "weir/base/status.h"
#include "weir/wire/status_codec.h"

namespace weir::load {
namespace {

using Response = net::HttpClientResponse;

constexpr std::array<std::string_view, kSignalCount> kPaths = {"/v1/traces", "/v1/metrics",
                                                               "/v1/logs"};

std::string_view FailureName(Response::Failure failure) {
  switch (failure) {
    case Response::Failure::kUnreachable:
      return "unreachable";
    case Response::Failure::kTimeout:
      return "timeout";
    case Response::Failure::kTls:
      return "tls";
    case Response::Failure::kCancelled:
      return "cancelled";
    default:
      return "invalid_request";
  }
}

// The statuses that the OTLP specification lets a client try again after.
bool MayTryAgain(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

Answer AnswerOf(Signal signal, const Response& response) {
  if (response.failure != Response::Failure::kNone) {
    return {.outcome = response.failure == Response::Failure::kInvalid ? Outcome::kPermanent
                                                                       : Outcome::kTryAgain,
            .code = std::string(FailureName(response.failure)),
            .message = response.error};
  }
  if (response.status / 100 == 2) {
    return AnswerOfBody(signal, response.body);
  }
  Answer answer{.outcome = MayTryAgain(response.status) ? Outcome::kTryAgain : Outcome::kPermanent,
                .code = fmt::format("{}", response.status),
                .message = fmt::format("HTTP status {}", response.status)};
  if (response.header("content-type") == "application/x-protobuf") {
    if (const auto status = wire::DecodeRpcStatus(response.body, wire::BodyFormat::kProtobuf)) {
      answer.message += ": " + status->message;
    }
  }
  answer.retry_delay =
      net::ParseRetryAfter(response.header("retry-after"), std::chrono::system_clock::now());
  return answer;
}

class HttpTransport final : public Transport {
 public:
  HttpTransport(EventLoop& loop, net::HttpClientOptions client, const std::string& base,
                const LoadOptions& options)
      : headers_(options.headers), client_(loop, std::move(client)) {
    for (std::size_t i = 0; i < kSignalCount; ++i) {
      urls_[i] = base + std::string(kPaths[i]);
    }
    headers_.emplace_back("content-type", "application/x-protobuf");
    headers_.emplace_back("user-agent", "weir-load");
    if (options.compression != net::Compression::kNone) {
      headers_.emplace_back("content-encoding",
                            std::string(net::CompressionName(WireCompression(options))));
    }
  }

  void Send(Signal signal, Slice body, TimePoint deadline, AnswerDone done) override {
    client_.Send({.url = urls_[SignalIndex(signal)],
                  .headers = headers_,
                  .body = {std::move(body)},
                  .deadline = deadline},
                 [signal, done = std::move(done)](const Response& response) mutable {
                   done(AnswerOf(signal, response));
                 });
  }

 private:
  std::array<std::string, kSignalCount> urls_;
  std::vector<std::pair<std::string, std::string>> headers_;
  net::HttpClient client_;
};

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<Transport>>> MakeHttpTransports(
    EventLoop& loop, const LoadOptions& options) {
  std::string base = options.endpoint.empty() ? "127.0.0.1:4318" : options.endpoint;
  if (base.find("://") == std::string::npos) {
    base.insert(0, options.tls.UsesTls() ? "https://" : "http://");
  } else if (!base.starts_with("http://") && !base.starts_with("https://")) {
    return InvalidArgument("--endpoint: {} is no address for http", base);
  }
  base.resize(base.find_last_not_of('/') + 1);

  net::HttpClientOptions client;
  client.tls = options.tls;
  client.tls.insecure = false;  // The scheme says whether there is TLS at all.
  client.idle_connections_max = options.concurrency;
  if (base.starts_with("https://")) {
    // A file that can't be read is better told now than by every request.
    WEIR_RETURN_IF_ERROR(net::TlsContext::NewClient(client.tls, {"http/1.1"}).status());
  }
  std::vector<std::unique_ptr<Transport>> transports;
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    transports.push_back(std::make_unique<HttpTransport>(loop, client, base, options));
  }
  return transports;
}

}  // namespace weir::load

#include "exporters/otlphttp/exporter.h"

#include <string_view>
#include <utility>

#include "exporters/otlphttp/result.h"
#include "net/header_list.h"
#include "weir/base/status.h"
#include "weir/wire/json.h"

namespace weir::exporters::otlphttp {
namespace {

// Above this the JSON of a batch gives its memory back after it was sent.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

}  // namespace

OtlpHttpExporter::OtlpHttpExporter(Config config, const ExporterContext& context)
    : config_(std::move(config)),
      budget_(context.budget),
      host_(context.host),
      loop_(context.loop) {
  for (const Signal signal : kSignals) {
    urls_[SignalIndex(signal)] = config_.Url(signal);
  }
  const bool json = config_.encoding == wire::BodyFormat::kJson;
  headers_ = {{"content-type", json ? "application/json" : "application/x-protobuf"},
              {"user-agent", "weir"}};
  if (config_.client.compression != net::Compression::kNone) {
    headers_.emplace_back("content-encoding", net::CompressionName(config_.client.compression));
  }
  for (const auto& [key, value] : config_.client.headers.entries) {
    net::SetHeader(headers_, key, value);
  }
}

OtlpHttpExporter::~OtlpHttpExporter() { Shutdown(TimePoint::min()).IgnoreError(); }

absl::Status OtlpHttpExporter::Start() {
  if (config_.client.auth.has_value()) {
    WEIR_ASSIGN_OR_RETURN(authenticator_,
                          FindClientAuthenticator(host_, config_.client.auth->authenticator));
  }
  WEIR_ASSIGN_OR_RETURN(net::HttpClientOptions options, net::MakeHttpClientOptions(config_.client));
  loop_.RunAndWait([&] { client_ = std::make_unique<net::HttpClient>(loop_, std::move(options)); });
  return absl::OkStatus();
}

absl::Status OtlpHttpExporter::Shutdown(TimePoint /*deadline*/) {
  // The queue has drained or given up by now; what is open is cancelled.
  if (client_ != nullptr) {
    loop_.RunAndWait([this] { client_.reset(); });
  }
  return absl::OkStatus();
}

bool OtlpHttpExporter::MakeBody(const Batch& batch, std::vector<Slice>& body,
                                std::uint64_t& rejected) {
  if (config_.encoding == wire::BodyFormat::kProtobuf) {
    body.reserve(batch.parts().size());
    for (const Part& part : batch.parts()) {
      body.push_back(part.payload);
    }
    return true;
  }
  std::vector<std::string_view> parts;
  parts.reserve(batch.parts().size());
  for (const Part& part : batch.parts()) {
    parts.push_back(part.payload.view());
  }
  json_.ClearAndKeepAtMost(kKeptBytes);
  const wire::ProtoToJsonResult result = wire::ProtoToJson(batch.signal(), parts, json_);
  if (!result.ok()) {
    return false;
  }
  rejected += result.dropped_items;
  body.push_back(Slice::Copy(json_.view(), &budget_));
  return true;
}

void OtlpHttpExporter::Send(const Batch& batch, TimePoint deadline, SendDone done) {
  const std::string& url = urls_[SignalIndex(batch.signal())];
  if (url.empty()) {
    done({.kind = SendResult::Kind::kRefused,
          .message = fmt::format("neither `endpoint` nor `{}_endpoint` is set",
                                 SignalName(batch.signal()))});
    return;
  }
  net::HttpClientRequest request{.url = url, .headers = headers_, .body = {}, .deadline = deadline};
  if (authenticator_ != nullptr) {
    const absl::Status status = authenticator_->AddHeaders(batch.context().get(), request.headers);
    if (!status.ok()) {
      done({.kind = SendResult::Kind::kRetry, .message = std::string(status.message())});
      return;
    }
  }
  std::uint64_t rejected = 0;
  if (!MakeBody(batch, request.body, rejected)) {
    done({.kind = SendResult::Kind::kMalformed, .message = "not legal protobuf"});
    return;
  }
  if (config_.client.compression != net::Compression::kNone) {
    request.body = {
        net::Compress(config_.client.compression, request.body,
                      {.level = config_.client.compression_level(), .budget = &budget_})};
  }
  client_->Send(std::move(request), [signal = batch.signal(), rejected, done = std::move(done)](
                                        net::HttpClientResponse response) mutable {
    SendResult result = ResultOf(signal, response, std::chrono::system_clock::now());
    if (result.kind == SendResult::Kind::kDelivered) {
      result.items_rejected += rejected;
    }
    done(std::move(result));
  });
}

}  // namespace weir::exporters::otlphttp

#include "net/curl_transfer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "fmt/format.h"
#include "net/compression.h"
#include "net/tls.h"
#include "weir/base/check.h"

namespace weir::net {
namespace {

constexpr std::size_t kHeaderBytesMax = 65536;

HttpClientResponse::Failure FailureOf(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return HttpClientResponse::Failure::kNone;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpClientResponse::Failure::kTimeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
      return HttpClientResponse::Failure::kTls;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return HttpClientResponse::Failure::kInvalid;
    default:
      return HttpClientResponse::Failure::kUnreachable;
  }
}

std::string UrlPart(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
    return "";
  }
  std::string result(text);
  curl_free(text);
  return result;
}

}  // namespace

void InitializeCurl() {
  [[maybe_unused]] static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
}

CurlTransfer::CurlTransfer(const TlsClientConfig& tls, HttpClientRequest request)
    : tls_(tls),
      request_(std::move(request)),
      easy_(curl_easy_init(), curl_easy_cleanup),
      header_list_(nullptr, curl_slist_free_all),
      connect_to_(nullptr, curl_slist_free_all) {
  WEIR_CHECK(easy_ != nullptr);
}

CurlTransfer::~CurlTransfer() = default;

void CurlTransfer::PrepareCommon(std::chrono::nanoseconds timeout) {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // Don't wait for the name resolver's thread.
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  if (timeout.count() > 0) {
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(millis));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(millis));
  }
  // Certificates are ours to load, the same way as for gRPC; none of libcurl's own.
  curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, OnTlsContext);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls_.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls_.insecure_skip_verify ? 0L : 2L);
}

// libcurl has no option for the name alone, so the URL gets the name, and the connection goes to
// where the URL said. The Host header stays as it was.
void CurlTransfer::PrepareServerName() {
  if (tls_.server_name_override.empty() || !request_.url.starts_with("https:")) {
    return;
  }
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  if (curl_url_set(url.get(), CURLUPART_URL, request_.url.c_str(), 0) != CURLUE_OK) {
    return;  // libcurl will say so again.
  }
  const std::string host = UrlPart(url.get(), CURLUPART_HOST);
  const std::string given_port = UrlPart(url.get(), CURLUPART_PORT);
  const std::string port = given_port.empty() ? "443" : given_port;
  curl_url_set(url.get(), CURLUPART_HOST, tls_.server_name_override.c_str(), 0);
  connect_to_.reset(curl_slist_append(
      nullptr, fmt::format("{}:{}:{}:{}", tls_.server_name_override, port, host, port).c_str()));
  curl_easy_setopt(easy_.get(), CURLOPT_URL, UrlPart(url.get(), CURLUPART_URL).c_str());
  curl_easy_setopt(easy_.get(), CURLOPT_CONNECT_TO, connect_to_.get());
  const bool has_host = std::any_of(
      request_.headers.begin(), request_.headers.end(),
      [](const auto& header) { return curl_strequal(header.first.c_str(), "host") != 0; });
  if (!has_host) {
    request_.headers.emplace_back("Host",
                                  given_port.empty() ? host : fmt::format("{}:{}", host, port));
  }
}

void CurlTransfer::PreparePost(std::chrono::nanoseconds timeout) {
  PrepareCommon(timeout);
  PrepareServerName();
  CURL* const easy = easy_.get();
  // An interim answer would cost a round trip for every batch.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : request_.headers) {
    // A semicolon is how libcurl spells a header without a value.
    list = curl_slist_append(list, value.empty() ? fmt::format("{};", name).c_str()
                                                 : fmt::format("{}: {}", name, value).c_str());
  }
  header_list_.reset(list);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(TotalBytes(request_.body)));
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, OnRead);
  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, OnSeek);
  curl_easy_setopt(easy, CURLOPT_SEEKDATA, this);
}

void CurlTransfer::PrepareGet(std::chrono::nanoseconds timeout) {
  PrepareCommon(timeout);
  curl_easy_setopt(easy_.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy_.get(), CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(easy_.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
}

std::size_t CurlTransfer::OnRead(char* into, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::vector<Slice>& body = transfer.request_.body;
  const std::size_t room = size * count;
  std::size_t filled = 0;
  while (filled < room && transfer.piece_ < body.size()) {
    const Slice& piece = body[transfer.piece_];
    const std::size_t taken = std::min(piece.size() - transfer.offset_, room - filled);
    if (taken > 0) {
      std::memcpy(into + filled, piece.data() + transfer.offset_, taken);
    }
    filled += taken;
    transfer.offset_ += taken;
    if (transfer.offset_ == piece.size()) {
      ++transfer.piece_;
      transfer.offset_ = 0;
    }
  }
  return filled;
}

// A kept connection may turn out dead once the request is under way: libcurl starts over.
int CurlTransfer::OnSeek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (offset != 0 || origin != SEEK_SET) {
    return CURL_SEEKFUNC_CANTSEEK;
  }
  transfer.piece_ = 0;
  transfer.offset_ = 0;
  return CURL_SEEKFUNC_OK;
}

std::size_t CurlTransfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  std::string& body = transfer.response_.body;
  const std::size_t bytes = size * count;
  const std::size_t room = transfer.request_.response_bytes_max - body.size();
  body.append(data, std::min(bytes, room));
  transfer.body_cut_ = bytes > room;
  return transfer.body_cut_ ? 0 : bytes;  // 0 ends the transfer.
}

std::size_t CurlTransfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  std::string_view line(data, size * count);
  transfer.header_bytes_ += line.size();
  if (transfer.header_bytes_ > kHeaderBytesMax) {
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    transfer.response_.headers.clear();  // After a redirect or an interim answer.
    return size * count;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return size * count;
  }
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  line.remove_prefix(colon + 1);
  const std::size_t first = line.find_first_not_of(" \t\r\n");
  const std::size_t last = line.find_last_not_of(" \t\r\n");
  transfer.response_.headers.emplace_back(
      std::move(name),
      first == std::string_view::npos ? "" : std::string(line.substr(first, last - first + 1)));
  return size * count;
}

CURLcode CurlTransfer::OnTlsContext(CURL*, void* context, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const absl::Status status = ApplyClientConfig(transfer.tls_, static_cast<SSL_CTX*>(context));
  if (!status.ok()) {
    transfer.tls_error_ = std::string(status.message());
    return CURLE_SSL_CERTPROBLEM;
  }
  return CURLE_OK;
}

HttpClientResponse CurlTransfer::Finish(CURLcode result) {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  if (result == CURLE_OK || (result == CURLE_WRITE_ERROR && body_cut_)) {
    return std::move(response_);
  }
  HttpClientResponse failed{.failure = FailureOf(result)};
  failed.error = !tls_error_.empty() ? tls_error_
                 : error_[0] != '\0' ? std::string(error_.data())
                                     : std::string(curl_easy_strerror(result));
  return failed;
}

absl::StatusOr<std::string> FetchUrl(const std::string& url, const FetchOptions& options) {
  InitializeCurl();
  CurlTransfer transfer(options.tls, {.url = url, .response_bytes_max = options.bytes_max});
  transfer.PrepareGet(options.timeout);
  const CURLcode code = curl_easy_perform(transfer.easy());
  const HttpClientResponse response = transfer.Finish(code);
  if (response.failure != HttpClientResponse::Failure::kNone) {
    return absl::UnavailableError(fmt::format("can't fetch {}: {}", url, response.error));
  }
  if (response.status != 200) {
    return absl::UnavailableError(
        fmt::format("can't fetch {}: HTTP status {}", url, response.status));
  }
  if (code != CURLE_OK) {
    return absl::ResourceExhaustedError(
        fmt::format("can't fetch {}: larger than {} bytes", url, options.bytes_max));
  }
  return response.body;
}

}  // namespace weir::net

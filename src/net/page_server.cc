#include "net/page_server.h"

#include <array>
#include <utility>

#include "weir/base/status.h"

namespace weir::net {

void PageServerConfig::Validate(FieldCheck& check) const {
  if (const auto parsed = ParseHostPort(endpoint); !parsed.ok()) {
    check.Error("endpoint", "must be host:port");
  }
}

PageServer::PageServer(Answer answer, std::string thread_name)
    : answer_(std::move(answer)), thread_(std::move(thread_name)) {}

PageServer::~PageServer() { Shutdown(std::chrono::steady_clock::now()); }

absl::StatusOr<std::unique_ptr<PageServer>> PageServer::Open(const PageServerConfig& config,
                                                             Answer answer, MemoryBudget& budget,
                                                             std::string thread_name,
                                                             const GrpcRouter* grpc) {
  // tidy-allow(new): the constructor is private.
  std::unique_ptr<PageServer> pages(new PageServer(std::move(answer), std::move(thread_name)));
  ServerOptions options;
  options.endpoint = {.address = config.endpoint};
  options.tls = config.tls;
  // A few probes and a person at a browser: small, so that an idle port costs next to nothing.
  options.connections_max = 256;
  options.max_concurrent_streams = 100;
  options.read_buffer_bytes = 16 * 1024;
  options.head_timeout = std::chrono::seconds(10);
  options.idle_timeout = std::chrono::minutes(2);
  absl::StatusOr<std::unique_ptr<Server>> server =
      Server::Open(std::move(options), {.http = pages.get(), .grpc = grpc}, budget, 1);
  if (!server.ok()) {
    return Annotate(server.status(), "endpoint");
  }
  pages->server_ = *std::move(server);
  const std::array<EventLoop*, 1> loops = {&pages->thread_.loop()};
  pages->server_->Start(loops);
  return pages;
}

void PageServer::Shutdown(TimePoint deadline) {
  if (server_ != nullptr) {
    server_->Shutdown(deadline);
  }
}

std::optional<std::size_t> PageServer::OnHead(ServerRequest& request) {
  const HttpMethod method = request.head().method();
  if (method != HttpMethod::kGet && method != HttpMethod::kHead) {
    request.Respond({.status = 405,
                     .content_type = "text/plain; charset=utf-8",
                     .body = Slice::Static("only GET is answered here\n"),
                     .fields = {}});
    return std::nullopt;
  }
  const Page page = answer_(request.head());
  request.Respond({.status = page.status,
                   .content_type = page.content_type,
                   .body = Slice::Copy(page.body),
                   .fields = {}});
  return std::nullopt;
}

// Never comes: OnHead asks for no body.
void PageServer::OnBody(ServerRequest& request, Slice) { request.Respond({.status = 400}); }

}  // namespace weir::net

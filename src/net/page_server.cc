#include "net/page_server.h"

#include <array>
#include <utility>

#include "weir/base/status.h"

namespace weir::net {
namespace {

// What a client may send along with a command, for nothing.
constexpr std::size_t kCommandBytesMax = 4096;

void RespondPage(ServerRequest& request, const Page& page) {
  request.Respond({.status = page.status,
                   .content_type = page.content_type,
                   .body = Slice::Copy(page.body),
                   .fields = {}});
}

}  // namespace

void PageServerConfig::Validate(FieldCheck& check) const {
  if (const auto parsed = ParseHostPort(endpoint); !parsed.ok()) {
    check.Error("endpoint", "must be host:port");
  }
}

PageServer::PageServer(Answer answer, Command command, std::string thread_name)
    : answer_(std::move(answer)), command_(std::move(command)), thread_(std::move(thread_name)) {}

PageServer::~PageServer() { Shutdown(std::chrono::steady_clock::now()); }

absl::StatusOr<std::unique_ptr<PageServer>> PageServer::Open(const PageServerConfig& config,
                                                             Answer answer, MemoryBudget& budget,
                                                             std::string thread_name,
                                                             const GrpcRouter* grpc,
                                                             Command command) {
  std::unique_ptr<PageServer> pages(
      // tidy-allow(new): the constructor is private.
      new PageServer(std::move(answer), std::move(command), std::move(thread_name)));
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
  if (method == HttpMethod::kPost && command_) {
    return kCommandBytesMax;
  }
  if (method != HttpMethod::kGet && method != HttpMethod::kHead) {
    request.Respond({.status = 405,
                     .content_type = "text/plain; charset=utf-8",
                     .body = Slice::Static("only GET is answered here\n"),
                     .fields = {}});
    return std::nullopt;
  }
  RespondPage(request, answer_(request.head()));
  return std::nullopt;
}

// Of a command; nothing else asks for a body.
void PageServer::OnBody(ServerRequest& request, Slice) {
  command_(request.head(), [&request, &loop = request.loop()](Page page) {
    loop.Post([&request, page = std::move(page)] { RespondPage(request, page); });
  });
}

}  // namespace weir::net

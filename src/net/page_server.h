// PageServer answers small GET requests from a function, on a thread of its own: health checks,
// metrics, debug pages. A POST, where it is taken, is a command without a body. It never waits for
// the data path.
//
// Threads: Open, Shutdown and the destructor belong to one thread. The function is called on the
// server's thread.
// Ownership: what the function captures outlives the server; the budget does too.

#ifndef WEIR_NET_PAGE_SERVER_H_
#define WEIR_NET_PAGE_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "net/server.h"
#include "net/server_request.h"
#include "net/tls_config.h"
#include "weir/base/budget.h"
#include "weir/base/event_loop.h"
#include "weir/config/fields.h"

namespace weir::net {

// Where such a server listens: the keys that the Collector's servers share, as far as they matter
// without bodies.
struct PageServerConfig {
  std::string endpoint;
  std::optional<TlsServerConfig> tls;

  static void VisitFields(auto& self, auto& visit) {
    visit("endpoint", self.endpoint, "Address to listen on; port 0 picks a free one.");
    visit("tls", self.tls, "Serve with TLS.");
    for (const std::string_view key :
         {"transport", "dialer", "cors", "include_metadata", "max_request_body_size",
          "compression_algorithms", "response_headers", "read_timeout", "read_header_timeout",
          "write_timeout", "idle_timeout", "keep_alives_enabled"}) {
      visit.Ignored(key, "the pages are small and take no body");
    }
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const PageServerConfig&) const = default;
};

struct Page {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

class PageServer final : public RequestHandler {
 public:
  using Answer = std::function<Page(const RequestHead& head)>;

  // Calls `reply` once, now or later, on any thread. What the request's body says is not looked at.
  using Reply = std::function<void(Page page)>;
  using Command = std::function<void(const RequestHead& head, Reply reply)>;

  // `thread_name` shows in ps. `grpc`, where given, answers gRPC calls on the same port. `command`,
  // where given, answers POST.
  static absl::StatusOr<std::unique_ptr<PageServer>> Open(const PageServerConfig& config,
                                                          Answer answer, MemoryBudget& budget,
                                                          std::string thread_name,
                                                          const GrpcRouter* grpc = nullptr,
                                                          Command command = nullptr);
  ~PageServer() override;

  std::uint16_t port() const { return server_->port(); }
  void Shutdown(TimePoint deadline);

  std::optional<std::size_t> OnHead(ServerRequest& request) override;
  void OnBody(ServerRequest& request, Slice body) override;

 private:
  PageServer(Answer answer, Command command, std::string thread_name);

  const Answer answer_;
  const Command command_;
  LoopThread thread_;
  std::unique_ptr<Server> server_;  // Destroyed before its loop.
};

}  // namespace weir::net

#endif  // WEIR_NET_PAGE_SERVER_H_

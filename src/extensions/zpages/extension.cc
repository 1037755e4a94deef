#include "extensions/zpages/extension.h"

#include <utility>

#include "weir/base/status.h"

namespace weir::extensions::zpages {

namespace {

constexpr std::string_view kPrefix = "/debug/";

// The service renders HTML and JSON; the first character tells which.
net::Page PageOf(std::string body) {
  const bool is_json = body.starts_with('{') || body.starts_with('[');
  return {.content_type = is_json ? "application/json" : "text/html; charset=utf-8",
          .body = std::move(body)};
}

}  // namespace

Zpages::Zpages(Config config, const ComponentContext& context)
    : config_(std::move(config)),
      logger_(context.logger),
      ledger_(context.ledger),
      budget_(context.budget) {}

Zpages::~Zpages() { server_.reset(); }

absl::Status Zpages::Start() {
  WEIR_ASSIGN_OR_RETURN(
      server_, net::PageServer::Open(
                   config_.server, [this](const auto& head) { return Answer(head.path()); },
                   budget_, "zpages"));
  logger_.Info("Debug pages listen",
               {{"endpoint", config_.server.endpoint}, {"port", server_->port()}});
  return absl::OkStatus();
}

absl::Status Zpages::Shutdown(TimePoint deadline) {
  if (server_ != nullptr) {
    server_->Shutdown(deadline);
    server_.reset();
  }
  return absl::OkStatus();
}

net::Page Zpages::Answer(std::string_view path) {
  if (path == "/" || path == "/debug" || path == kPrefix) {
    return PageOf(RenderIndex());
  }
  if (!path.starts_with(kPrefix)) {
    return {.status = 404, .body = "not found\n"};
  }
  path.remove_prefix(kPrefix.size());
  if (path == "pipelinez") {
    Look now{std::chrono::steady_clock::now(), ledger_.Snapshot()};
    std::string page = RenderPipelines(last_, now);
    last_ = std::move(now);
    return PageOf(std::move(page));
  }
  if (path == "memoryz") {
    return PageOf(RenderMemory(budget_));
  }
  if (path == "ledger.json") {
    return PageOf(ledger_.ToJson());
  }
  std::string body = render_ ? render_(path) : std::string();
  if (body.empty()) {
    return {.status = 404, .body = "not found\n"};
  }
  return PageOf(std::move(body));
}

}  // namespace weir::extensions::zpages

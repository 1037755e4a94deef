#include "receivers/otlp/export_handler.h"

#include <algorithm>
#include <map>
#include <utility>

#include "fmt/format.h"
#include "weir/wire/json.h"

namespace weir::receivers::otlp {
namespace {

// Undoes %XX and '+' of a query's value.
std::string DecodeQueryText(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 &&
        digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::optional<std::string> FindQueryParam(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (DecodeQueryText(pair.substr(0, equals)) == name) {
      return equals == std::string_view::npos ? "" : DecodeQueryText(pair.substr(equals + 1));
    }
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return std::nullopt;
}

// The media type without its parameters.
std::string_view MediaType(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && content_type.back() == ' ') {
    content_type.remove_suffix(1);
  }
  return content_type;
}

void AnswerText(net::ServerRequest& request, int status, std::string_view text) {
  request.Respond({.status = status,
                   .content_type = "text/plain; charset=utf-8",
                   .body = Slice::Static(text),
                   .fields = {}});
}

void AnswerFault(net::ServerRequest& request, Protocol protocol, net::BodyFault fault,
                 const EndpointRules& rules, Door& door) {
  Refusal refusal = RefusalOf(fault);
  std::string message(refusal.message);
  if (fault == net::BodyFault::kTooLarge) {
    // Exporters, ours among them, read the number and send smaller requests from then on.
    message = fmt::format("received message larger than max ({} bytes)", rules.body_bytes_max);
    refusal.message = message;
  }
  AnswerRefusal(request, protocol, refusal, door.requests);
}

// Scans and hands on; the answer follows from what becomes of it.
void Export(net::ServerRequest& request, Protocol protocol, const EndpointRules& rules, Door& door,
            Slice body) {
  const wire::ScanResult scan = wire::Scan(door.signal, body.view(), rules.depth);
  if (!scan.ok()) {
    door.metrics.failed.Add(scan.items);
    const std::string message =
        fmt::format("not an OTLP {} request: {} at byte {}", SignalName(door.signal),
                    wire::ScanErrorName(scan.error), scan.error_offset);
    AnswerRefusal(
        request, protocol,
        {RefusalReason::kMalformed, net::GrpcCode::kInvalidArgument, message, std::nullopt},
        door.requests);
    return;
  }
  if (scan.items == 0) {
    AnswerSuccess(request, protocol, door.requests);
    return;
  }
  ExportCall::Start(request, protocol, door, std::move(body), scan.items,
                    ContextOf(rules, request));
}

}  // namespace

absl::Status Authenticate(const EndpointRules& rules, net::ServerRequest& request) {
  if (rules.authenticator == nullptr) {
    return absl::OkStatus();
  }
  const net::RequestHead& head = request.head();
  std::map<std::string, std::string, std::less<>> from_query;
  for (const std::string& name : rules.auth_query_params) {
    if (std::optional<std::string> value = FindQueryParam(head.query(), name)) {
      from_query[name] = *std::move(value);
    }
  }
  absl::StatusOr<HeaderList> attributes =
      rules.authenticator->Authenticate([&](std::string_view key) -> std::string_view {
        if (const auto found = from_query.find(key); found != from_query.end()) {
          return found->second;
        }
        return head.Find(key).value_or("");
      });
  if (!attributes.ok()) {
    return attributes.status();
  }
  request.set_attachment(std::make_shared<const HeaderList>(*std::move(attributes)));
  return absl::OkStatus();
}

std::shared_ptr<const RequestContext> ContextOf(const EndpointRules& rules,
                                                const net::ServerRequest& request) {
  if (!rules.include_metadata && request.attachment() == nullptr) {
    return nullptr;
  }
  auto context = std::make_shared<RequestContext>();
  if (rules.include_metadata) {
    context->peer_address = request.peer()->address;
    const net::RequestHead& head = request.head();
    for (const net::HeaderField& field : head.fields()) {
      context->metadata.emplace_back(field.name, field.value);
    }
    if (head.version() == net::HttpVersion::k2) {
      context->metadata.emplace_back(":authority", head.authority());
    }
  }
  if (request.attachment() != nullptr) {
    context->auth = *static_cast<const HeaderList*>(request.attachment().get());
  }
  return context;
}

std::optional<std::size_t> GrpcExportHandler::OnHead(net::ServerRequest& request) {
  if (const absl::Status status = Authenticate(rules_, request); !status.ok()) {
    AnswerRefusal(request, Protocol::kGrpc, RefusalOf(status), door_.requests);
    return std::nullopt;
  }
  return rules_.body_bytes_max;
}

void GrpcExportHandler::OnBody(net::ServerRequest& request, Slice body) {
  Export(request, Protocol::kGrpc, rules_, door_, std::move(body));
}

void GrpcExportHandler::OnBodyFault(net::ServerRequest& request, net::BodyFault fault) {
  AnswerFault(request, Protocol::kGrpc, fault, rules_, door_);
}

HttpExportHandler::HttpExportHandler(const EndpointRules& rules, MemoryBudget& budget,
                                     std::array<Endpoint, kSignalCount> endpoints)
    : rules_(rules), budget_(budget), endpoints_(std::move(endpoints)) {
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    routes_[i] = {
        {{endpoints_[i].door, Protocol::kHttpProtobuf}, {endpoints_[i].door, Protocol::kHttpJson}}};
  }
}

// Null when it answered.
const HttpExportHandler::Route* HttpExportHandler::FindRoute(net::ServerRequest& request) {
  const net::RequestHead& head = request.head();
  const auto endpoint =
      std::find_if(endpoints_.begin(), endpoints_.end(), [&](const Endpoint& candidate) {
        return candidate.door != nullptr && candidate.path == head.path();
      });
  if (endpoint == endpoints_.end()) {
    AnswerText(request, 404, "404 page not found");
    return nullptr;
  }
  if (head.method() != net::HttpMethod::kPost) {
    AnswerText(request, 405, "405 method not allowed, supported: [POST]");
    return nullptr;
  }
  const auto& routes = routes_[static_cast<std::size_t>(endpoint - endpoints_.begin())];
  const std::string_view type = MediaType(head.content_type());
  if (net::EqualsIgnoringCase(type, "application/x-protobuf")) {
    return &routes[0];
  }
  if (net::EqualsIgnoringCase(type, "application/json")) {
    return &routes[1];
  }
  AnswerText(request, 415,
             "415 unsupported media type, supported: [application/json, application/x-protobuf]");
  return nullptr;
}

std::optional<std::size_t> HttpExportHandler::OnHead(net::ServerRequest& request) {
  const auto* route = static_cast<const Route*>(request.head().route());
  if (route == nullptr) {
    route = FindRoute(request);
    if (route == nullptr) {
      return std::nullopt;
    }
    request.head().set_route(route);
  }
  if (const absl::Status status = Authenticate(rules_, request); !status.ok()) {
    AnswerRefusal(request, route->protocol, RefusalOf(status), route->door->requests);
    return std::nullopt;
  }
  return rules_.body_bytes_max;
}

void HttpExportHandler::OnBody(net::ServerRequest& request, Slice body) {
  const auto& route = *static_cast<const Route*>(request.head().route());
  if (route.protocol == Protocol::kHttpJson) {
    OnJson(request, *route.door, std::move(body));
    return;
  }
  Export(request, Protocol::kHttpProtobuf, rules_, *route.door, std::move(body));
}

void HttpExportHandler::OnJson(net::ServerRequest& request, Door& door, Slice body) {
  wire::JsonToProtoResult converted = wire::JsonToProto(
      door.signal, body.view(), {.input_bytes_max = std::max(rules_.body_bytes_max, body.size())},
      &budget_);
  if (!converted.ok()) {
    AnswerRefusal(request, Protocol::kHttpJson,
                  {RefusalReason::kMalformed, net::GrpcCode::kInvalidArgument, converted.message,
                   std::nullopt},
                  door.requests);
    return;
  }
  body = Slice();  // Not needed beside its conversion.
  Export(request, Protocol::kHttpJson, rules_, door, std::move(converted.bytes));
}

void HttpExportHandler::OnBodyFault(net::ServerRequest& request, net::BodyFault fault) {
  const auto& route = *static_cast<const Route*>(request.head().route());
  AnswerFault(request, route.protocol, fault, rules_, *route.door);
}

}  // namespace weir::receivers::otlp

#include "extensions/headers_setter/extension.h"

#include <algorithm>
#include <utility>

#include "net/header_list.h"
#include "net/request_head.h"
#include "weir/base/status.h"

namespace weir::extensions::headers_setter {

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string> Find(const Pairs& pairs, std::string_view key) {
  const auto found = std::ranges::find_if(
      pairs, [&](const auto& pair) { return net::EqualsIgnoringCase(pair.first, key); });
  if (found == pairs.end()) {
    return std::nullopt;
  }
  return found->second;
}

}  // namespace

HeadersSetter::HeadersSetter(Config config, const ComponentContext& context)
    : additional_auth_(std::move(config.additional_auth)),
      logger_(context.logger),
      host_(context.host) {
  for (HeaderConfig& header : config.headers) {
    uses_context_ |= header.from_context.has_value() || header.from_attribute.has_value();
    rules_.push_back({.config = std::move(header), .file = nullptr});
  }
}

absl::Status HeadersSetter::Start() {
  for (Rule& rule : rules_) {
    if (rule.config.value_file.has_value()) {
      WEIR_ASSIGN_OR_RETURN(rule.file, WatchedFile::Open(*rule.config.value_file));
    }
  }
  if (additional_auth_.has_value()) {
    const std::string id = additional_auth_->ToString();
    Extension* const extension = host_.FindExtension(*additional_auth_);
    if (extension == nullptr) {
      return InvalidArgument("additional_auth: service::extensions lists no `{}`", id);
    }
    additional_ = dynamic_cast<const ClientAuthenticator*>(extension);
    if (additional_ == nullptr) {
      return InvalidArgument("additional_auth: `{}` is no authenticator for exporters", id);
    }
    if (additional_ == this) {
      return InvalidArgument("additional_auth: `{}` is this extension itself", id);
    }
    uses_context_ |= additional_->uses_context();
  }
  return absl::OkStatus();
}

absl::Status HeadersSetter::Shutdown(TimePoint) {
  for (Rule& rule : rules_) {
    rule.file.reset();
  }
  return absl::OkStatus();
}

std::optional<std::string> HeadersSetter::ValueOf(const Rule& rule, const RequestContext* context) {
  const HeaderConfig& config = rule.config;
  if (config.value.has_value()) {
    return config.value;
  }
  if (rule.file != nullptr) {
    return std::string(TrimSpace(*rule.file->text()));
  }
  std::optional<std::string> found;
  if (context != nullptr && config.from_context.has_value()) {
    found = Find(context->metadata, *config.from_context);
  } else if (context != nullptr && config.from_attribute.has_value()) {
    found = Find(context->auth, *config.from_attribute);
  }
  if (!found.has_value() && config.default_value.has_value()) {
    found = config.default_value->reveal();
  }
  return found;
}

absl::Status HeadersSetter::AddHeaders(const RequestContext* context, HeaderList& headers) const {
  if (additional_ != nullptr) {
    WEIR_RETURN_IF_ERROR(additional_->AddHeaders(context, headers));
  }
  for (const Rule& rule : rules_) {
    const std::string& key = rule.config.key;
    if (rule.config.action == Action::kDelete) {
      net::RemoveHeader(headers, key);
      continue;
    }
    const bool is_there = net::HasHeader(headers, key);
    if ((rule.config.action == Action::kInsert && is_there) ||
        (rule.config.action == Action::kUpdate && !is_there)) {
      continue;
    }
    std::optional<std::string> value = ValueOf(rule, context);
    if (!value.has_value()) {
      continue;
    }
    // A value from outside must not end the header and begin another.
    if (!net::IsFieldValue(*value)) {
      return InvalidArgument("headers_setter: the value for {} holds control characters", key);
    }
    net::SetHeader(headers, key, *std::move(value));
  }
  return absl::OkStatus();
}

}  // namespace weir::extensions::headers_setter

#include "extensions/bearertokenauth/extension.h"

#include <algorithm>
#include <utility>

#include "net/header_list.h"
#include "weir/base/status.h"
#include "weir/base/text.h"

namespace weir::extensions::bearertokenauth {

namespace {}  // namespace

BearerTokenAuth::BearerTokenAuth(Config config, const ComponentContext& context)
    : config_(std::move(config)),
      header_(AsciiLower(config_.header)),
      logger_(context.logger),
      values_(std::make_shared<const Values>()) {
  std::vector<std::string_view> tokens;
  for (const Secret& token : config_.tokens) {
    tokens.push_back(token.reveal());
  }
  if (tokens.empty()) {
    tokens.push_back(config_.token.reveal());
  }
  SetTokens(tokens);
}

BearerTokenAuth::~BearerTokenAuth() { file_.reset(); }

void BearerTokenAuth::SetTokens(const std::vector<std::string_view>& tokens) {
  Values values;
  for (const std::string_view token : tokens) {
    if (!token.empty()) {
      values.push_back(config_.scheme.empty() ? std::string(token)
                                              : config_.scheme + " " + std::string(token));
    }
  }
  auto shared = std::make_shared<const Values>(std::move(values));
  const std::lock_guard lock(mutex_);
  values_ = std::move(shared);
}

void BearerTokenAuth::ReadTokens(std::string_view text) {
  std::vector<std::string_view> tokens;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    tokens.push_back(TrimSpace(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  SetTokens(tokens);
}

absl::Status BearerTokenAuth::Start() {
  if (config_.filename.empty()) {
    return absl::OkStatus();
  }
  const auto on_change = [this](const absl::Status& status, std::string_view text) {
    if (status.ok()) {
      ReadTokens(text);
      logger_.Info("Read credentials", {{"file", config_.filename}});
    } else {
      logger_.Warn("Can't read credentials, keeping the last ones",
                   {{"file", config_.filename}, {"error", std::string(status.message())}});
    }
  };
  WEIR_ASSIGN_OR_RETURN(file_, WatchedFile::Open(config_.filename, on_change));
  if (values()->empty()) {
    return InvalidArgument("filename: {} holds no token", config_.filename);
  }
  return absl::OkStatus();
}

absl::Status BearerTokenAuth::Shutdown(TimePoint) {
  file_.reset();
  return absl::OkStatus();
}

absl::StatusOr<HeaderList> BearerTokenAuth::Authenticate(const HeaderLookup& headers) const {
  const std::string_view given = headers(header_);
  if (given.empty()) {
    return absl::UnauthenticatedError("missing or empty header: " + config_.header);
  }
  const std::shared_ptr<const Values> expected = values();
  bool is_right = false;
  for (const std::string& value : *expected) {
    is_right |= EqualInConstantTime(value, given);
  }
  if (!is_right) {
    return absl::UnauthenticatedError("scheme or token does not match");
  }
  return HeaderList{};
}

absl::Status BearerTokenAuth::AddHeaders(const RequestContext*, HeaderList& headers) const {
  const std::shared_ptr<const Values> own = values();
  if (own->empty()) {
    return absl::FailedPreconditionError("bearertokenauth: there is no token");
  }
  net::SetHeader(headers, header_, own->front());
  return absl::OkStatus();
}

}  // namespace weir::extensions::bearertokenauth

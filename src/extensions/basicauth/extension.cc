#include "extensions/basicauth/extension.h"

#include <openssl/sha.h>

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/escaping.h"
#include "net/header_list.h"
#include "net/request_head.h"
#include "weir/base/status.h"

namespace weir::extensions::basicauth {

namespace {

constexpr std::size_t kHtpasswdBytesMax = 4 << 20;

std::string RandomSalt() {
  std::random_device device;
  std::string salt;
  for (int i = 0; i < 8; ++i) {
    const std::uint32_t word = device();
    salt.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  return salt;
}

std::string Sha256(std::string_view salt, std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  const std::string salted = std::string(salt).append(text);
  SHA256(reinterpret_cast<const unsigned char*>(salted.data()), salted.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace

bool CheckRation::Admits(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (now > last_) {
    // Compared before it is added: the first call is ages after the epoch.
    const auto earned = std::min<std::chrono::nanoseconds>((now - last_) / kShare, kMost);
    left_ = std::min(left_ + earned, kMost);
    last_ = now;
  }
  return left_.count() > 0;
}

void CheckRation::Spend(std::chrono::nanoseconds spent) {
  const std::lock_guard lock(mutex_);
  left_ -= spent;
}

absl::StatusOr<std::unique_ptr<BasicAuth>> BasicAuth::Create(Config config,
                                                             const ComponentContext& context) {
  if (config.htpasswd.has_value()) {
    return std::make_unique<BasicAuthServer>(*std::move(config.htpasswd), context);
  }
  return std::make_unique<BasicAuthClient>(*std::move(config.client_auth), context);
}

BasicAuthServer::BasicAuthServer(HtpasswdConfig config, const ComponentContext& context)
    : config_(std::move(config)), logger_(context.logger) {}

absl::Status BasicAuthServer::Start() {
  std::string text;
  if (!config_.file.empty()) {
    WEIR_ASSIGN_OR_RETURN(text, ReadSmallFile(config_.file, kHtpasswdBytesMax));
    text += '\n';
  }
  text += config_.inline_entries.reveal();  // Last, so that it wins.
  absl::StatusOr<Htpasswd> parsed = Htpasswd::Parse(text);
  if (!parsed.ok()) {
    return Annotate(parsed.status(), "htpasswd");
  }
  htpasswd_ = *std::move(parsed);
  salt_ = RandomSalt();
  logger_.Debug("Read who may sign in", {{"users", htpasswd_.size()}});
  return absl::OkStatus();
}

absl::Status BasicAuthServer::Shutdown(TimePoint) { return absl::OkStatus(); }

absl::StatusOr<HeaderList> BasicAuthServer::Authenticate(const HeaderLookup& headers) const {
  const std::string_view header = headers("authorization");
  if (header.empty()) {
    return absl::UnauthenticatedError("no basic auth provided");
  }
  constexpr std::string_view kScheme = "Basic ";
  if (!net::EqualsIgnoringCase(header.substr(0, kScheme.size()), kScheme)) {
    return absl::UnauthenticatedError("the authorization scheme is not Basic");
  }
  const std::string_view encoded = header.substr(kScheme.size());
  std::string credentials;
  if (!absl::Base64Unescape(absl::string_view(encoded.data(), encoded.size()), &credentials)) {
    return absl::UnauthenticatedError("the credentials are not base64");
  }
  const std::size_t colon = credentials.find(':');
  if (colon == std::string::npos) {
    return absl::UnauthenticatedError("the credentials are not of the form user:password");
  }
  const std::string_view user = std::string_view(credentials).substr(0, colon);
  const std::string digest = Sha256(salt_, credentials);
  {
    const std::lock_guard lock(mutex_);
    if (remembered_.contains(digest)) {
      return HeaderList{{"username", std::string(user)}, {"raw", std::string(encoded)}};
    }
  }
  WEIR_RETURN_IF_ERROR(CheckSlowly(user, std::string_view(credentials).substr(colon + 1)));
  const std::lock_guard lock(mutex_);
  if (remembered_.size() >= kRememberedMax) {
    remembered_.erase(remembered_.begin());
  }
  remembered_.insert(digest);
  return HeaderList{{"username", std::string(user)}, {"raw", std::string(encoded)}};
}

absl::Status BasicAuthServer::CheckSlowly(std::string_view user, std::string_view password) const {
  if (!htpasswd_.Knows(user)) {
    return absl::UnauthenticatedError("invalid credentials");
  }
  const TimePoint begin = std::chrono::steady_clock::now();
  if (!ration_.Admits(begin)) {
    return absl::UnavailableError("too many passwords to check, try again");
  }
  const bool is_right = htpasswd_.Check(user, password);
  ration_.Spend(std::chrono::steady_clock::now() - begin);
  return is_right ? absl::OkStatus() : absl::UnauthenticatedError("invalid credentials");
}

BasicAuthClient::BasicAuthClient(ClientConfig config, const ComponentContext& context)
    : config_(std::move(config)), logger_(context.logger) {}

absl::StatusOr<std::unique_ptr<WatchedFile>> BasicAuthClient::Watch(const std::string& path) const {
  if (path.empty()) {
    return nullptr;
  }
  return WatchedFile::Open(path, [this, path](const absl::Status& status, std::string_view) {
    if (status.ok()) {
      logger_.Info("Read credentials", {{"file", path}});
    } else {
      logger_.Warn("Can't read credentials, keeping the last ones",
                   {{"file", path}, {"error", std::string(status.message())}});
    }
  });
}

absl::Status BasicAuthClient::Start() {
  WEIR_ASSIGN_OR_RETURN(username_file_, Watch(config_.username_file));
  WEIR_ASSIGN_OR_RETURN(password_file_, Watch(config_.password_file));
  return absl::OkStatus();
}

absl::Status BasicAuthClient::Shutdown(TimePoint) {
  username_file_.reset();
  password_file_.reset();
  return absl::OkStatus();
}

absl::Status BasicAuthClient::AddHeaders(const RequestContext*, HeaderList& headers) const {
  std::string credentials = username_file_ == nullptr
                                ? config_.username
                                : std::string(TrimSpace(*username_file_->text()));
  if (credentials.find(':') != std::string::npos) {
    return absl::InvalidArgumentError("basicauth: the user name holds a colon");
  }
  credentials += ':';
  credentials += password_file_ == nullptr ? config_.password.reveal()
                                           : std::string(TrimSpace(*password_file_->text()));
  net::SetHeader(headers, "authorization", "Basic " + absl::Base64Escape(credentials));
  return absl::OkStatus();
}

}  // namespace weir::extensions::basicauth

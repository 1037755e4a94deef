// BasicAuthServer checks `authorization: Basic ...` of requests against htpasswd lines;
// BasicAuthClient adds it to what an exporter sends.
//
// A password that was right once is remembered by its digest, because the hashes are slow on
// purpose and agents send the same header all day. The time that further checks may take is
// rationed, so that wrong passwords can't keep a listener from its work.
//
// Threads: Authenticate and AddHeaders are for any thread.

#ifndef WEIR_EXTENSIONS_BASICAUTH_EXTENSION_H_
#define WEIR_EXTENSIONS_BASICAUTH_EXTENSION_H_

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "extensions/basicauth/config.h"
#include "extensions/basicauth/htpasswd.h"
#include "weir/base/watched_file.h"
#include "weir/component/extension.h"

namespace weir::extensions::basicauth {

// How long all checks together may take: a fifth of the time, and up to two seconds at once.
class CheckRation {
 public:
  // False when nothing is left at `now`.
  bool Admits(TimePoint now);
  void Spend(std::chrono::nanoseconds spent);

 private:
  static constexpr std::chrono::nanoseconds kMost = std::chrono::seconds(2);
  static constexpr int kShare = 5;

  std::mutex mutex_;  // Guards all below.
  std::chrono::nanoseconds left_ = kMost;
  TimePoint last_{};
};

// Either of the two below, as the configuration says.
class BasicAuth : public Extension {
 public:
  static absl::StatusOr<std::unique_ptr<BasicAuth>> Create(Config config,
                                                           const ComponentContext& context);
};

class BasicAuthServer final : public BasicAuth, public ServerAuthenticator {
 public:
  BasicAuthServer(HtpasswdConfig config, const ComponentContext& context);

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  absl::StatusOr<HeaderList> Authenticate(const HeaderLookup& headers) const override;

 private:
  static constexpr std::size_t kRememberedMax = 4096;

  absl::Status CheckSlowly(std::string_view user, std::string_view password) const;

  const HtpasswdConfig config_;
  const Logger logger_;
  Htpasswd htpasswd_;  // Constant after Start.

  mutable CheckRation ration_;
  mutable std::mutex mutex_;  // Guards remembered_.
  // Salted digests of "user:password" that were right. Which one goes when it is full is left to
  // chance: digests have no order that a peer could know.
  mutable std::set<std::string, std::less<>> remembered_;
  std::string salt_;  // Constant after Start.
};

class BasicAuthClient final : public BasicAuth, public ClientAuthenticator {
 public:
  BasicAuthClient(ClientConfig config, const ComponentContext& context);

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  absl::Status AddHeaders(const RequestContext* context, HeaderList& headers) const override;

 private:
  absl::StatusOr<std::unique_ptr<WatchedFile>> Watch(const std::string& path) const;

  const ClientConfig config_;
  const Logger logger_;
  std::unique_ptr<WatchedFile> username_file_;
  std::unique_ptr<WatchedFile> password_file_;
};

}  // namespace weir::extensions::basicauth

#endif  // WEIR_EXTENSIONS_BASICAUTH_EXTENSION_H_

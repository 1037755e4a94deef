// BearerTokenAuth checks a token in a header of requests, and adds it to what an exporter sends.
//
// Threads: Authenticate and AddHeaders are for any thread.

#ifndef WEIR_EXTENSIONS_BEARERTOKENAUTH_EXTENSION_H_
#define WEIR_EXTENSIONS_BEARERTOKENAUTH_EXTENSION_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "extensions/bearertokenauth/config.h"
#include "weir/base/watched_file.h"
#include "weir/component/extension.h"

namespace weir::extensions::bearertokenauth {

class BearerTokenAuth final : public Extension,
                              public ServerAuthenticator,
                              public ClientAuthenticator {
 public:
  BearerTokenAuth(Config config, const ComponentContext& context);
  ~BearerTokenAuth() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  absl::StatusOr<HeaderList> Authenticate(const HeaderLookup& headers) const override;
  absl::Status AddHeaders(const RequestContext* context, HeaderList& headers) const override;

 private:
  // Header values, scheme included; never an empty token.
  using Values = std::vector<std::string>;

  void SetTokens(const std::vector<std::string_view>& tokens);
  void ReadTokens(std::string_view text);
  std::shared_ptr<const Values> values() const {
    const std::lock_guard lock(mutex_);
    return values_;
  }

  const Config config_;
  const std::string header_;  // In lower case.
  const Logger logger_;

  mutable std::mutex mutex_;  // Guards values_.
  std::shared_ptr<const Values> values_;

  std::unique_ptr<WatchedFile> file_;  // Last: its thread calls ReadTokens.
};

}  // namespace weir::extensions::bearertokenauth

#endif  // WEIR_EXTENSIONS_BEARERTOKENAUTH_EXTENSION_H_

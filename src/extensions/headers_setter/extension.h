// HeadersSetter sets, changes and removes headers of what an exporter sends, with values from the
// configuration, a file, or the request that the data came with.
//
// Threads: AddHeaders is for any thread.

#ifndef WEIR_EXTENSIONS_HEADERS_SETTER_EXTENSION_H_
#define WEIR_EXTENSIONS_HEADERS_SETTER_EXTENSION_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extensions/headers_setter/config.h"
#include "weir/base/watched_file.h"
#include "weir/component/extension.h"

namespace weir::extensions::headers_setter {

class HeadersSetter final : public Extension, public ClientAuthenticator {
 public:
  HeadersSetter(Config config, const ComponentContext& context);

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  absl::Status AddHeaders(const RequestContext* context, HeaderList& headers) const override;
  bool uses_context() const override { return uses_context_; }

 private:
  struct Rule {
    HeaderConfig config;
    std::unique_ptr<WatchedFile> file;  // With `value_file`.
  };

  static std::optional<std::string> ValueOf(const Rule& rule, const RequestContext* context);

  const std::optional<ComponentId> additional_auth_;
  const Logger logger_;
  Host& host_;
  std::vector<Rule> rules_;
  bool uses_context_ = false;
  const ClientAuthenticator* additional_ = nullptr;  // Found by Start.
};

}  // namespace weir::extensions::headers_setter

#endif  // WEIR_EXTENSIONS_HEADERS_SETTER_EXTENSION_H_

#include "weir/component/extension.h"

#include "weir/base/status.h"

namespace weir {

absl::StatusOr<const ClientAuthenticator*> FindClientAuthenticator(const Host& host,
                                                                   const ComponentId& id) {
  const auto* authenticator = dynamic_cast<const ClientAuthenticator*>(host.FindExtension(id));
  if (authenticator == nullptr) {
    return InvalidArgument("auth::authenticator: {} is no running extension that adds credentials",
                           id.ToString());
  }
  return authenticator;
}

}  // namespace weir

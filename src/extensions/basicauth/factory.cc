#include "extensions/basicauth/factory.h"

#include "extensions/basicauth/config.h"
#include "extensions/basicauth/extension.h"

namespace weir::extensions::basicauth {

ExtensionFactory Factory() {
  return MakeExtensionFactory<Config, BasicAuth>(
      {.type = "basicauth", .stability = Stability::kBeta});
}

}  // namespace weir::extensions::basicauth

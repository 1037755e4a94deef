#include "extensions/bearertokenauth/factory.h"

#include "extensions/bearertokenauth/config.h"
#include "extensions/bearertokenauth/extension.h"

namespace weir::extensions::bearertokenauth {

ExtensionFactory Factory() {
  return MakeExtensionFactory<Config, BearerTokenAuth>(
      {.type = "bearertokenauth", .stability = Stability::kBeta});
}

}  // namespace weir::extensions::bearertokenauth

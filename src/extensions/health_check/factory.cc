#include "extensions/health_check/factory.h"

#include "extensions/health_check/config.h"
#include "extensions/health_check/extension.h"

namespace weir::extensions::health_check {

ExtensionFactory Factory() {
  return MakeExtensionFactory<Config, HealthCheck>(
      {.type = "health_check", .aliases = {"healthcheckv2"}, .stability = Stability::kBeta});
}

}  // namespace weir::extensions::health_check

#include "extensions/pprof/factory.h"

#include "extensions/pprof/config.h"
#include "extensions/pprof/extension.h"

namespace weir::extensions::pprof {

ExtensionFactory Factory() {
  return MakeExtensionFactory<Config, Pprof>({.type = "pprof", .stability = Stability::kBeta});
}

}  // namespace weir::extensions::pprof

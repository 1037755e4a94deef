#include "extensions/zpages/factory.h"

#include "extensions/zpages/config.h"
#include "extensions/zpages/extension.h"

namespace weir::extensions::zpages {

ExtensionFactory Factory() {
  return MakeExtensionFactory<Config, Zpages>({.type = "zpages", .stability = Stability::kBeta});
}

}  // namespace weir::extensions::zpages

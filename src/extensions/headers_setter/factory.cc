#include "extensions/headers_setter/factory.h"

#include "extensions/headers_setter/config.h"
#include "extensions/headers_setter/extension.h"

namespace weir::extensions::headers_setter {

ExtensionFactory Factory() {
  return MakeExtensionFactory<Config, HeadersSetter>(
      {.type = "headers_setter", .stability = Stability::kBeta});
}

}  // namespace weir::extensions::headers_setter

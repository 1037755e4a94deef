#include "extensions/file_storage/factory.h"

#include "extensions/file_storage/config.h"
#include "extensions/file_storage/extension.h"

namespace weir::extensions::file_storage {

ExtensionFactory Factory() {
  return MakeExtensionFactory<Config, FileStorage>(
      {.type = "file_storage", .stability = Stability::kAlpha});
}

}  // namespace weir::extensions::file_storage

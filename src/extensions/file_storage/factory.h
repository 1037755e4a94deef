// How the file_storage extension is made.

#ifndef WEIR_EXTENSIONS_FILE_STORAGE_FACTORY_H_
#define WEIR_EXTENSIONS_FILE_STORAGE_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::extensions::file_storage {

// The only symbol the rest of the program uses.
ExtensionFactory Factory();

}  // namespace weir::extensions::file_storage

#endif  // WEIR_EXTENSIONS_FILE_STORAGE_FACTORY_H_

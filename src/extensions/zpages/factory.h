// How the zpages extension is made.

#ifndef WEIR_EXTENSIONS_ZPAGES_FACTORY_H_
#define WEIR_EXTENSIONS_ZPAGES_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::extensions::zpages {

// The only symbol the rest of the program uses.
ExtensionFactory Factory();

}  // namespace weir::extensions::zpages

#endif  // WEIR_EXTENSIONS_ZPAGES_FACTORY_H_

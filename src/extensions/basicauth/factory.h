// How the basicauth extension is made.

#ifndef WEIR_EXTENSIONS_BASICAUTH_FACTORY_H_
#define WEIR_EXTENSIONS_BASICAUTH_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::extensions::basicauth {

// The only symbol the rest of the program uses.
ExtensionFactory Factory();

}  // namespace weir::extensions::basicauth

#endif  // WEIR_EXTENSIONS_BASICAUTH_FACTORY_H_

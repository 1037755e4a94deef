// How the health_check extension is made.

#ifndef WEIR_EXTENSIONS_HEALTH_CHECK_FACTORY_H_
#define WEIR_EXTENSIONS_HEALTH_CHECK_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::extensions::health_check {

// The only symbol the rest of the program uses.
ExtensionFactory Factory();

}  // namespace weir::extensions::health_check

#endif  // WEIR_EXTENSIONS_HEALTH_CHECK_FACTORY_H_

// How the pprof extension is made.

#ifndef WEIR_EXTENSIONS_PPROF_FACTORY_H_
#define WEIR_EXTENSIONS_PPROF_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::extensions::pprof {

// The only symbol the rest of the program uses.
ExtensionFactory Factory();

}  // namespace weir::extensions::pprof

#endif  // WEIR_EXTENSIONS_PPROF_FACTORY_H_

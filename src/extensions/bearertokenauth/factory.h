// How the bearertokenauth extension is made.

#ifndef WEIR_EXTENSIONS_BEARERTOKENAUTH_FACTORY_H_
#define WEIR_EXTENSIONS_BEARERTOKENAUTH_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::extensions::bearertokenauth {

// The only symbol the rest of the program uses.
ExtensionFactory Factory();

}  // namespace weir::extensions::bearertokenauth

#endif  // WEIR_EXTENSIONS_BEARERTOKENAUTH_FACTORY_H_

// How the headers_setter extension is made.

#ifndef WEIR_EXTENSIONS_HEADERS_SETTER_FACTORY_H_
#define WEIR_EXTENSIONS_HEADERS_SETTER_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::extensions::headers_setter {

// The only symbol the rest of the program uses.
ExtensionFactory Factory();

}  // namespace weir::extensions::headers_setter

#endif  // WEIR_EXTENSIONS_HEADERS_SETTER_FACTORY_H_

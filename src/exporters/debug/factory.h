#ifndef WEIR_EXPORTERS_DEBUG_FACTORY_H_
#define WEIR_EXPORTERS_DEBUG_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::exporters::debug {

// The only symbol the rest of the program uses.
ExporterFactory Factory();

}  // namespace weir::exporters::debug

#endif  // WEIR_EXPORTERS_DEBUG_FACTORY_H_

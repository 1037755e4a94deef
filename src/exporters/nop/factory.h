#ifndef WEIR_EXPORTERS_NOP_FACTORY_H_
#define WEIR_EXPORTERS_NOP_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::exporters::nop {

// The only symbol the rest of the program uses.
ExporterFactory Factory();

}  // namespace weir::exporters::nop

#endif  // WEIR_EXPORTERS_NOP_FACTORY_H_

// How the resource processor is made.

#ifndef WEIR_PROCESSORS_RESOURCE_FACTORY_H_
#define WEIR_PROCESSORS_RESOURCE_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::processors::resource {

// The only symbol the rest of the program uses.
ProcessorFactory Factory();

}  // namespace weir::processors::resource

#endif  // WEIR_PROCESSORS_RESOURCE_FACTORY_H_

// How the attributes processor is made.

#ifndef WEIR_PROCESSORS_ATTRIBUTES_FACTORY_H_
#define WEIR_PROCESSORS_ATTRIBUTES_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::processors::attributes {

// The only symbol the rest of the program uses.
ProcessorFactory Factory();

}  // namespace weir::processors::attributes

#endif  // WEIR_PROCESSORS_ATTRIBUTES_FACTORY_H_

#ifndef WEIR_PROCESSORS_BATCH_FACTORY_H_
#define WEIR_PROCESSORS_BATCH_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::processors::batch {

// The only symbol the rest of the program uses.
ProcessorFactory Factory();

}  // namespace weir::processors::batch

#endif  // WEIR_PROCESSORS_BATCH_FACTORY_H_

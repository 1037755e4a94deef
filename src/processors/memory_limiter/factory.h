#ifndef WEIR_PROCESSORS_MEMORY_LIMITER_FACTORY_H_
#define WEIR_PROCESSORS_MEMORY_LIMITER_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::processors::memory_limiter {

// The only symbol the rest of the program uses.
ProcessorFactory Factory();

}  // namespace weir::processors::memory_limiter

#endif  // WEIR_PROCESSORS_MEMORY_LIMITER_FACTORY_H_

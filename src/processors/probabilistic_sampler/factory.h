// How the probabilistic_sampler processor is made.

#ifndef WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_FACTORY_H_
#define WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::processors::probabilistic_sampler {

// The only symbol the rest of the program uses.
ProcessorFactory Factory();

}  // namespace weir::processors::probabilistic_sampler

#endif  // WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_FACTORY_H_

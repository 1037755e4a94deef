#ifndef WEIR_RECEIVERS_OTLP_FACTORY_H_
#define WEIR_RECEIVERS_OTLP_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::receivers::otlp {

// The only symbol the rest of the program uses.
ReceiverFactory Factory();

}  // namespace weir::receivers::otlp

#endif  // WEIR_RECEIVERS_OTLP_FACTORY_H_

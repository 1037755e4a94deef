#ifndef WEIR_RECEIVERS_KAFKA_FACTORY_H_
#define WEIR_RECEIVERS_KAFKA_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::receivers::kafka {

// The only symbol the rest of the program uses.
ReceiverFactory Factory();

}  // namespace weir::receivers::kafka

#endif  // WEIR_RECEIVERS_KAFKA_FACTORY_H_

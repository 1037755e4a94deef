#ifndef WEIR_EXPORTERS_KAFKA_FACTORY_H_
#define WEIR_EXPORTERS_KAFKA_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::exporters::kafka {

// The only symbol the rest of the program uses.
ExporterFactory Factory();

}  // namespace weir::exporters::kafka

#endif  // WEIR_EXPORTERS_KAFKA_FACTORY_H_

// The otlp_grpc exporter's only symbol for the rest of the program.

#ifndef WEIR_EXPORTERS_OTLP_FACTORY_H_
#define WEIR_EXPORTERS_OTLP_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::exporters::otlp {

ExporterFactory Factory();

}  // namespace weir::exporters::otlp

#endif  // WEIR_EXPORTERS_OTLP_FACTORY_H_

#ifndef WEIR_EXPORTERS_OTLPHTTP_FACTORY_H_
#define WEIR_EXPORTERS_OTLPHTTP_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::exporters::otlphttp {

// The only symbol the rest of the program uses.
ExporterFactory Factory();

}  // namespace weir::exporters::otlphttp

#endif  // WEIR_EXPORTERS_OTLPHTTP_FACTORY_H_

#ifndef WEIR_EXPORTERS_FILE_FACTORY_H_
#define WEIR_EXPORTERS_FILE_FACTORY_H_

#include "weir/component/factory.h"

namespace weir::exporters::file {

// The only symbol the rest of the program uses.
ExporterFactory Factory();

}  // namespace weir::exporters::file

#endif  // WEIR_EXPORTERS_FILE_FACTORY_H_

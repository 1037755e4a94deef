// The checks that need to see how pipelines hang together.

#ifndef WEIR_SRC_CONFIG_SERVICE_GRAPH_H_
#define WEIR_SRC_CONFIG_SERVICE_GRAPH_H_

#include "weir/config/errors.h"
#include "weir/config/service_config.h"

namespace weir {

// Reports connectors that are used on one side only or between signals they do not convert, and
// pipelines that feed themselves. REQUIRES: every id of a pipeline is one of `config`.
void CheckConnectors(const ServiceConfig& config, const KnownComponents& known,
                     ConfigErrors& errors);

}  // namespace weir

#endif  // WEIR_SRC_CONFIG_SERVICE_GRAPH_H_

// NopExporter delivers everything nowhere: a pipeline's end for tests and measurements.

#ifndef WEIR_EXPORTERS_NOP_EXPORTER_H_
#define WEIR_EXPORTERS_NOP_EXPORTER_H_

#include "exporters/nop/config.h"
#include "weir/component/exporter.h"

namespace weir::exporters::nop {

class NopExporter final : public Exporter {
 public:
  NopExporter(const Config& config, const ExporterContext& context);

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  void Send(const Batch& batch, TimePoint deadline, SendDone done) override;
};

}  // namespace weir::exporters::nop

#endif  // WEIR_EXPORTERS_NOP_EXPORTER_H_

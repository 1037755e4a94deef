#include "exporters/nop/exporter.h"

namespace weir::exporters::nop {

NopExporter::NopExporter(const Config&, const ExporterContext&) {}

absl::Status NopExporter::Start() { return absl::OkStatus(); }
absl::Status NopExporter::Shutdown(TimePoint) { return absl::OkStatus(); }

void NopExporter::Send(const Batch&, TimePoint, SendDone done) { done({}); }

}  // namespace weir::exporters::nop

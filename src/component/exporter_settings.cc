#include "weir/component/exporter_settings.h"

namespace weir {

void QueueBatchSettings::Validate(FieldCheck& check) const {
  if (sizer == QueueSizer::kRequests) {
    check.Error("sizer", "must be items or bytes: a batch is one request");
  }
  if (max_size != 0 && max_size < min_size) {
    check.Error("max_size", "must be 0 or at least min_size ({})", min_size);
  }
}

void QueueSettings::Validate(FieldCheck& check) const {
  if (batch.has_value() && sizer != QueueSizer::kRequests && batch->sizer == sizer &&
      batch->min_size > queue_size) {
    check.Error("batch", "min_size ({}) can never be reached: it is above queue_size ({})",
                batch->min_size, queue_size);
  }
}

void RetrySettings::Validate(FieldCheck& check) const {
  if (max_elapsed_time != Duration::zero() && max_elapsed_time < initial_interval) {
    check.Error("max_elapsed_time", "must be 0 or at least initial_interval ({})",
                FormatDuration(initial_interval));
  }
  if (max_elapsed_time != Duration::zero() && max_elapsed_time < max_interval) {
    check.Error("max_elapsed_time", "must be 0 or at least max_interval ({})",
                FormatDuration(max_interval));
  }
}

}  // namespace weir

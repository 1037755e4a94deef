// Options of the batch processor, with the Collector's keys and defaults.

#ifndef WEIR_PROCESSORS_BATCH_CONFIG_H_
#define WEIR_PROCESSORS_BATCH_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "weir/component/batcher.h"
#include "weir/config/fields.h"

namespace weir::processors::batch {

struct Config {
  std::uint32_t send_batch_size = 8192;
  std::uint32_t send_batch_max_size = 0;
  Duration timeout = std::chrono::milliseconds(200);
  std::vector<std::string> metadata_keys;
  std::uint32_t metadata_cardinality_limit = 1000;

  static void VisitFields(auto& self, auto& visit) {
    visit(
        "send_batch_size", self.send_batch_size,
        "Items (spans, data points, log records) after which a batch leaves whatever the timeout; "
        "0 leaves at once.");
    visit("send_batch_max_size", self.send_batch_max_size,
          "Most items of a batch; larger ones are cut on item boundaries. 0 never cuts.");
    visit("timeout", self.timeout,
          "A batch leaves at this age whatever its size; 0 leaves at once.", AtLeast(0));
    visit("metadata_keys", self.metadata_keys,
          "Request metadata whose values keep batches apart. The receiver needs "
          "`include_metadata: true`.");
    visit("metadata_cardinality_limit", self.metadata_cardinality_limit,
          "Most distinct values of `metadata_keys`; data with further ones is refused. 0 is no "
          "limit.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;

  BatcherSettings ToSettings() const;
};

}  // namespace weir::processors::batch

#endif  // WEIR_PROCESSORS_BATCH_CONFIG_H_

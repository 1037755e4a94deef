#include "processors/batch/config.h"

#include <set>

#include "weir/base/text.h"

namespace weir::processors::batch {
void Config::Validate(FieldCheck& check) const {
  if (send_batch_max_size != 0 && send_batch_max_size < send_batch_size) {
    check.Error("send_batch_max_size", "must be 0 or at least send_batch_size ({})",
                send_batch_size);
  }
  std::set<std::string> seen;
  for (const std::string& key : metadata_keys) {
    if (!seen.insert(AsciiLower(key)).second) {
      check.Error("metadata_keys", "names `{}` twice (case does not matter)", key);
    }
  }
}

BatcherSettings Config::ToSettings() const {
  BatcherSettings settings;
  settings.items_min = send_batch_size;
  settings.items_max = send_batch_max_size;
  settings.timeout = timeout;
  settings.metadata_cardinality_max = metadata_cardinality_limit;
  for (const std::string& key : metadata_keys) {
    settings.metadata_keys.push_back(AsciiLower(key));
  }
  return settings;
}

}  // namespace weir::processors::batch

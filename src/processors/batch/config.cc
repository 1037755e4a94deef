#include "processors/batch/config.h"

#include <cctype>
#include <set>

namespace weir::processors::batch {
namespace {

std::string ToLower(std::string text) {
  for (char& c : text) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

}  // namespace

void Config::Validate(FieldCheck& check) const {
  if (send_batch_max_size != 0 && send_batch_max_size < send_batch_size) {
    check.Error("send_batch_max_size", "must be 0 or at least send_batch_size ({})",
                send_batch_size);
  }
  std::set<std::string> seen;
  for (const std::string& key : metadata_keys) {
    if (!seen.insert(ToLower(key)).second) {
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
    settings.metadata_keys.push_back(ToLower(key));
  }
  return settings;
}

}  // namespace weir::processors::batch

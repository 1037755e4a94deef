#include "app/config_watch.h"

#include <utility>

namespace weir::app {

void ConfigWatch::Loaded(const FileVersions& files, bool good) {
  if (good) {
    known_ = files;
  } else {
    // What was not read this time counts as seen, or it would be reported for ever.
    for (auto& [path, version] : known_) {
      version = look_(path);
    }
    for (const auto& [path, version] : files) {
      known_[path] = version;
    }
  }
  last_ = known_;
}

bool ConfigWatch::Changed() {
  FileVersions now;
  for (const auto& [path, version] : known_) {
    now.emplace(path, look_(path));
  }
  const bool at_rest = now == last_;
  last_ = std::move(now);
  if (!at_rest || last_ == known_) {
    return false;
  }
  known_ = last_;
  return true;
}

}  // namespace weir::app

// ConfigWatch tells when the files of a configuration have changed and come to rest.
//
// It compares what the paths lead to, so it sees a file that is written, one that is replaced, and
// a symbolic link that is switched over, as a Kubernetes ConfigMap is. A file that is still being
// written changes from look to look: only two equal looks count. What was tried once is not tried
// again until it changes.
//
// Threads: one.

#ifndef WEIR_APP_CONFIG_WATCH_H_
#define WEIR_APP_CONFIG_WATCH_H_

#include <functional>
#include <string>

#include "app/config_source.h"

namespace weir::app {

class ConfigWatch {
 public:
  using Look = std::function<FileVersion(const std::string& path)>;

  explicit ConfigWatch(Look look = FileVersion::Of) : look_(std::move(look)) {}

  // What a load read, good or bad. A bad one may have read less than the running configuration
  // consists of; those files are watched on.
  void Loaded(const FileVersions& files, bool good);

  // Called time and again; true once for each change that has come to rest.
  bool Changed();

 private:
  const Look look_;
  FileVersions known_;  // As they were read.
  FileVersions last_;   // As they were at the last look.
};

}  // namespace weir::app

#endif  // WEIR_APP_CONFIG_WATCH_H_

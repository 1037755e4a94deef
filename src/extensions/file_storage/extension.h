// FileStorage provides the folder in which exporters' queues and other components keep what has to
// outlive the process. Start makes sure of the folder and holds its lock until Shutdown.
//
// Threads: the service's; settings() is for any.

#ifndef WEIR_EXTENSIONS_FILE_STORAGE_EXTENSION_H_
#define WEIR_EXTENSIONS_FILE_STORAGE_EXTENSION_H_

#include <string>

#include "extensions/file_storage/config.h"
#include "weir/component/extension.h"

namespace weir::extensions::file_storage {

class FileStorage final : public Extension, public StorageProvider {
 public:
  FileStorage(Config config, const ComponentContext& context);
  ~FileStorage() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  StorageSettings settings() const override;

 private:
  absl::Status EnsureDirectory() const;
  absl::Status Lock();

  const Config config_;
  const Logger logger_;
  int lock_fd_ = -1;  // Owned; -1 when not locked.
};

}  // namespace weir::extensions::file_storage

#endif  // WEIR_EXTENSIONS_FILE_STORAGE_EXTENSION_H_

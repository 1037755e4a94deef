// Options of the file_storage extension, with the Collector's keys and defaults.

#ifndef WEIR_EXTENSIONS_FILE_STORAGE_CONFIG_H_
#define WEIR_EXTENSIONS_FILE_STORAGE_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "weir/component/extension.h"
#include "weir/config/fields.h"

namespace weir {

template <>
struct EnumNames<StorageSettings::Fsync> {
  static constexpr std::pair<std::string_view, StorageSettings::Fsync> kNames[] = {
      {"true", StorageSettings::Fsync::kAlways},
      {"interval", StorageSettings::Fsync::kInterval},
      {"false", StorageSettings::Fsync::kNever}};
};

}  // namespace weir

namespace weir::extensions::file_storage {

struct CompactionConfig {
  std::string directory;
  bool on_start = false;
  bool on_rebound = false;
  std::uint64_t rebound_needed_threshold_mib = 100;
  std::uint64_t rebound_trigger_threshold_mib = 10;
  std::uint64_t max_transaction_size = 65536;
  Duration check_interval = std::chrono::seconds(5);
  bool cleanup_on_start = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("directory", self.directory, "Read for compatibility, as all of `compaction`.");
    visit("on_start", self.on_start, "Read for compatibility.");
    visit("on_rebound", self.on_rebound, "Read for compatibility.");
    visit("rebound_needed_threshold_mib", self.rebound_needed_threshold_mib,
          "Read for compatibility.");
    visit("rebound_trigger_threshold_mib", self.rebound_trigger_threshold_mib,
          "Read for compatibility.");
    visit("max_transaction_size", self.max_transaction_size, "Read for compatibility.");
    visit("check_interval", self.check_interval, "Read for compatibility.", AtLeast(0));
    visit("cleanup_on_start", self.cleanup_on_start, "Read for compatibility.");
  }
  bool operator==(const CompactionConfig&) const = default;
};

struct Config {
  std::string directory = "/var/lib/otelcol/file_storage";
  Duration timeout = std::chrono::seconds(1);
  std::optional<CompactionConfig> compaction = CompactionConfig{};
  StorageSettings::Fsync fsync = StorageSettings::Fsync::kAlways;
  Duration fsync_interval = std::chrono::seconds(1);
  bool create_directory = false;
  std::string directory_permissions = "0750";
  bool recreate = false;
  std::uint64_t max_size = 0;

  static void VisitFields(auto& self, auto& visit) {
    visit("directory", self.directory,
          "Folder of the durable state; one process at a time uses it.");
    visit("timeout", self.timeout, "Longest wait for the folder's lock.", AtLeast(0));
    visit("compaction", self.compaction,
          "Read for compatibility: there is no database to compact.");
    visit("fsync", self.fsync,
          "Whether a request is answered once its bytes are on the disk (true), or once the kernel "
          "has them and the disk gets them at intervals (interval) or as it pleases (false).");
    visit("fsync_interval", self.fsync_interval, "With `fsync: interval`: how often.", AtLeast(0));
    visit("create_directory", self.create_directory, "Make `directory` where it is missing.");
    visit("directory_permissions", self.directory_permissions,
          "Its permissions in octal when it is made, less the umask.");
    visit("recreate", self.recreate,
          "Put state that can't be read aside and begin anew, rather than refuse to start.");
    visit("max_size", self.max_size, "Most bytes on disk of each queue; 0 sets no limit.");
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

// nullopt when it is no octal number of permission bits.
std::optional<std::uint32_t> ParsePermissions(const std::string& text);

}  // namespace weir::extensions::file_storage

#endif  // WEIR_EXTENSIONS_FILE_STORAGE_CONFIG_H_

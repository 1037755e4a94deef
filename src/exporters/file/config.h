// Options of the file exporter, with the Collector's keys and defaults.

#ifndef WEIR_EXPORTERS_FILE_CONFIG_H_
#define WEIR_EXPORTERS_FILE_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "weir/component/exporter_settings.h"
#include "weir/config/fields.h"

namespace weir::exporters::file {

enum class Format : std::uint8_t { kJson, kProto };
enum class Codec : std::uint8_t { kNone, kZstd };

struct Rotation {
  std::uint32_t max_megabytes = 100;
  std::uint32_t max_days = 0;
  std::uint32_t max_backups = 100;
  bool localtime = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("max_megabytes", self.max_megabytes,
          "A file that a batch would grow past this many MiB is set aside first; 0 means 100.");
    visit("max_days", self.max_days, "Files set aside are removed at this age; 0 keeps them.");
    visit("max_backups", self.max_backups,
          "Of the files set aside the newest so many are kept; 0 keeps all.");
    visit("localtime", self.localtime,
          "Whether the time in the names of files set aside is local, rather than UTC.");
  }
  bool operator==(const Rotation&) const = default;
};

struct GroupBy {
  bool enabled = false;
  std::string resource_attribute = "fileexporter.path_segment";
  std::uint32_t max_open_files = 100;

  static void VisitFields(auto& self, auto& visit) {
    visit(
        "enabled", self.enabled,
        "Whether each resource goes to the file that its attribute names; `path` then has one `*` "
        "in the place of the attribute's value.");
    visit(
        "resource_attribute", self.resource_attribute,
        "The attribute. Resources without it (or where it is no string) are rejected and counted.");
    visit("max_open_files", self.max_open_files,
          "Files kept open; of more, the one not written to for longest is closed.", AtLeast(1));
  }
  bool operator==(const GroupBy&) const = default;
};

struct Config {
  std::string path;
  Format format = Format::kJson;
  Codec compression = Codec::kNone;
  bool append = false;
  std::optional<Rotation> rotation;
  bool create_directory = false;
  std::string directory_permissions = "0755";
  GroupBy group_by;
  Duration flush_interval = std::chrono::seconds(1);
  std::optional<ComponentId> encoding;
  ExporterSettings settings;

  static void VisitFields(auto& self, auto& visit) {
    visit("path", self.path, "The file to write; relative to the working directory.");
    visit("format", self.format,
          "`json`: one OTLP/JSON request a line; `proto`: OTLP protobuf, each request behind its "
          "length in four bytes, big-endian.");
    visit("compression", self.compression,
          "`zstd` compresses each request and puts its length in front of it, in both formats.");
    visit("append", self.append,
          "Whether a file that exists is continued; otherwise it is emptied at start. With "
          "`rotation` or `group_by` files are always continued.");
    visit("rotation", self.rotation, "Sets files aside as they grow; absent: one file for ever.");
    visit("create_directory", self.create_directory,
          "Whether missing directories of `path` are created.");
    visit("directory_permissions", self.directory_permissions,
          "Permissions of directories that are created, octal.");
    visit("group_by", self.group_by, "Spreads resources over files.");
    visit("flush_interval", self.flush_interval,
          "Read for compatibility: what is acknowledged has been written, so nothing is left to "
          "flush.",
          AtLeast(0));
    visit("encoding", self.encoding, "Not supported: use `format`.");
    visit.Squash(self.settings);
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::exporters::file

namespace weir {

template <>
struct EnumNames<exporters::file::Format> {
  static constexpr std::pair<std::string_view, exporters::file::Format> kNames[] = {
      {"json", exporters::file::Format::kJson}, {"proto", exporters::file::Format::kProto}};
};

template <>
struct EnumNames<exporters::file::Codec> {
  static constexpr std::pair<std::string_view, exporters::file::Codec> kNames[] = {
      {"", exporters::file::Codec::kNone},
      {"none", exporters::file::Codec::kNone},
      {"zstd", exporters::file::Codec::kZstd}};
};

}  // namespace weir

#endif  // WEIR_EXPORTERS_FILE_CONFIG_H_

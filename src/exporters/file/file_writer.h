// FileWriter appends records to one file, sets it aside when it has grown, and never leaves a torn
// record in its middle.
//
//   backup name = stem "-" YYYY-MM-DD "T" hh-mm-ss.mmm extension, beside the file
//
// Threads: one thread at a time.
// Loss: a record is on file (in the system's cache) when Append returns OK; it is not synced.
// Invariants: after a failed Append the file ends with the record before it, or, where it could not
// be cut back, the next Append cuts it first. Opening a file to continue it cuts a torn last record
// that a crash left.

#ifndef WEIR_EXPORTERS_FILE_FILE_WRITER_H_
#define WEIR_EXPORTERS_FILE_FILE_WRITER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "exporters/file/config.h"

namespace weir::exporters::file {

// How one record ends where the next begins.
enum class Framing : std::uint8_t {
  kLines,          // A newline behind each.
  kLengthPrefixed  // Four bytes, big-endian, in front of each.
};

struct WriterOptions {
  Framing framing = Framing::kLines;
  bool continue_file = false;  // Otherwise emptied.
  std::optional<Rotation> rotation;
  // When a file was set aside; for its name and its age.
  std::function<std::chrono::system_clock::time_point()> clock = [] {
    return std::chrono::system_clock::now();
  };
};

class FileWriter {
 public:
  static absl::StatusOr<std::unique_ptr<FileWriter>> Open(const std::string& path,
                                                          WriterOptions options);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  // All of `records`, or nothing.
  absl::Status Append(std::string_view records);

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

 private:
  FileWriter(std::string path, WriterOptions options);

  absl::Status OpenFile(bool continue_file);
  absl::Status CutTo(std::uint64_t size);
  absl::Status Rotate();
  void RemoveOldBackups() const;

  const std::string path_;
  const WriterOptions options_;
  int fd_ = -1;             // -1 when a rotation could not open the next file.
  bool regular_ = true;     // A pipe or a device is neither cut nor rotated.
  bool torn_ = false;       // Bytes past size_ are to be cut.
  std::uint64_t size_ = 0;  // End of the last whole record.
  std::chrono::system_clock::time_point last_backup_{};
};

}  // namespace weir::exporters::file

#endif  // WEIR_EXPORTERS_FILE_FILE_WRITER_H_

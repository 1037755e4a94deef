// FileExporter writes batches to files, one record for each request that a batch is made of.
//
// Threads: Send runs on the exporter's loop and writes before it returns; a slow disk slows this
// exporter's queue and nothing else.
// Ownership: owns its open files.
// Loss: a write that fails (a full disk) is answered kRetry and leaves no part of the batch in the
// file; with group_by, files of the same batch written before keep their records, so a retry may
// repeat them. Resources without the group's attribute are rejected and counted.

#ifndef WEIR_EXPORTERS_FILE_EXPORTER_H_
#define WEIR_EXPORTERS_FILE_EXPORTER_H_

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "exporters/file/config.h"
#include "exporters/file/file_writer.h"
#include "weir/component/exporter.h"
#include "weir/wire/json_buffer.h"

namespace weir::exporters::file {

// Where a resource goes whose attribute is `segment`: `pattern` with its `*` replaced, and never
// outside the folder in front of the `*`.
std::string GroupPath(std::string_view pattern, std::string_view segment);

class FileExporter final : public Exporter {
 public:
  FileExporter(Config config, const ExporterContext& context);
  ~FileExporter() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  void Send(const Batch& batch, TimePoint deadline, SendDone done) override;

 private:
  using Groups = std::map<std::string, std::string, std::less<>>;

  SendResult SendOne(const Batch& batch);
  SendResult SendGrouped(const Batch& batch);
  // Sorts the resources of `request` by their path; adds those that have none to `rejected`.
  // False when the request is malformed.
  bool Group(Signal signal, std::string_view request, Groups& groups, std::uint64_t& rejected);
  // Appends one record to records_; false when the request is malformed.
  bool AppendRecord(Signal signal, std::string_view request, std::uint64_t& rejected);
  absl::StatusOr<FileWriter*> WriterFor(const std::string& path);
  absl::StatusOr<std::unique_ptr<FileWriter>> OpenWriter(const std::string& path,
                                                         bool continue_file);

  const Config config_;
  const ExporterContext context_;

  // Loop thread only, between Start and Shutdown.
  std::unique_ptr<FileWriter> writer_;  // Without group_by.
  // The file written to last in front; paths point into the list.
  std::list<std::unique_ptr<FileWriter>> open_;
  std::unordered_map<std::string_view, std::list<std::unique_ptr<FileWriter>>::iterator> by_path_;
  wire::JsonBuffer records_;
};

}  // namespace weir::exporters::file

#endif  // WEIR_EXPORTERS_FILE_EXPORTER_H_

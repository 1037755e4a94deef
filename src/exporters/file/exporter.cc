#include "exporters/file/exporter.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "net/compression.h"
#include "weir/base/status.h"
#include "weir/wire/json.h"
#include "weir/wire/otlp.h"
#include "weir/wire/scanner.h"
#include "weir/wire/view.h"

namespace weir::exporters::file {
namespace {

namespace fs = std::filesystem;

// Above this a batch's memory is given back after it was written.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20;
constexpr std::size_t kPrefixBytes = 4;

Framing FramingOf(const Config& config) {
  return config.format == Format::kJson && config.compression == Codec::kNone
             ? Framing::kLines
             : Framing::kLengthPrefixed;
}

// Makes the folder of `path` and those above it.
absl::Status CreateFolders(const std::string& path, mode_t mode) {
  fs::path folder;
  for (const fs::path& part : fs::path(path).parent_path()) {
    folder /= part;
    if (mkdir(folder.c_str(), mode) != 0 && errno != EEXIST && errno != EISDIR) {
      return FromErrno(errno, "cannot create {}", folder.string());
    }
  }
  return absl::OkStatus();
}

void AppendPrefixed(std::string_view record, wire::JsonBuffer& out) {
  const auto size = static_cast<std::uint32_t>(record.size());
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.Append(static_cast<char>(size >> shift));
  }
  out.Append(record);
}

SendResult Failed(const absl::Status& status) {
  return {.kind = SendResult::Kind::kRetry, .message = std::string(status.message())};
}

SendResult Malformed() {
  return {.kind = SendResult::Kind::kMalformed, .message = "not legal protobuf"};
}

}  // namespace

std::string GroupPath(std::string_view pattern, std::string_view segment) {
  const std::size_t star = pattern.find('*');
  const std::string prefix = fs::path(pattern.substr(0, star)).lexically_normal().string();
  const std::string rest = std::string(segment) + std::string(pattern.substr(star + 1));
  const std::string path = fs::path(prefix + rest).lexically_normal().string();
  if (path.starts_with(prefix)) {
    return path;
  }
  // The segment climbs out; from a root it cannot.
  const fs::path inside = fs::path("/" + rest).lexically_normal().relative_path();
  return (fs::path(prefix) / inside).string();
}

FileExporter::FileExporter(Config config, const ExporterContext& context)
    : config_(std::move(config)), context_(context) {}

FileExporter::~FileExporter() = default;

absl::Status FileExporter::Start() {
  if (config_.group_by.enabled) {
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<FileWriter>> writer = OpenWriter(config_.path, config_.append);
  if (!writer.ok()) {
    return writer.status();
  }
  writer_ = *std::move(writer);
  return absl::OkStatus();
}

absl::Status FileExporter::Shutdown(TimePoint) {
  writer_.reset();
  by_path_.clear();
  open_.clear();
  return absl::OkStatus();
}

void FileExporter::Send(const Batch& batch, TimePoint deadline, SendDone done) {
  if (context_.loop.Now() > deadline) {
    done({.kind = SendResult::Kind::kRetry, .message = "no time left"});
    return;
  }
  const SendResult result = config_.group_by.enabled ? SendGrouped(batch) : SendOne(batch);
  records_.ClearAndKeepAtMost(kKeptBytes);
  done(result);
}

absl::StatusOr<std::unique_ptr<FileWriter>> FileExporter::OpenWriter(const std::string& path,
                                                                     bool continue_file) {
  if (config_.create_directory || config_.group_by.enabled) {
    const auto mode =
        static_cast<mode_t>(std::strtoul(config_.directory_permissions.c_str(), nullptr, 8));
    WEIR_RETURN_IF_ERROR(CreateFolders(path, mode));
  }
  return FileWriter::Open(path, {.framing = FramingOf(config_),
                                 .continue_file = continue_file,
                                 .rotation = config_.rotation});
}

SendResult FileExporter::SendOne(const Batch& batch) {
  if (writer_ == nullptr) {
    return {.kind = SendResult::Kind::kRetry, .message = "the file is not open"};
  }
  SendResult result;
  for (const Part& part : batch.parts()) {
    if (!AppendRecord(batch.signal(), part.payload.view(), result.items_rejected)) {
      return Malformed();
    }
  }
  const absl::Status status = writer_->Append(records_.view());
  return status.ok() ? result : Failed(status);
}

SendResult FileExporter::SendGrouped(const Batch& batch) {
  SendResult result;
  Groups groups;
  for (const Part& part : batch.parts()) {
    if (!Group(batch.signal(), part.payload.view(), groups, result.items_rejected)) {
      return Malformed();
    }
  }
  for (const auto& [path, request] : groups) {
    records_.Clear();
    if (!AppendRecord(batch.signal(), request, result.items_rejected)) {
      return Malformed();
    }
    const absl::StatusOr<FileWriter*> writer = WriterFor(path);
    const absl::Status status = writer.ok() ? (*writer)->Append(records_.view()) : writer.status();
    if (!status.ok()) {
      return Failed(status);
    }
  }
  return result;
}

bool FileExporter::Group(Signal signal, std::string_view request, Groups& groups,
                         std::uint64_t& rejected) {
  wire::FieldReader fields(request);
  while (fields.Next()) {
    if (!fields.Is(wire::otlp::kRequestResources, wire::WireType::kLength)) {
      continue;
    }
    wire::MergedMessage resource;
    wire::AnyValueView value;
    const bool named =
        wire::FindMessage(fields.bytes(), wire::otlp::kResourceResource, resource) &&
        wire::FindAttribute(resource.view(), wire::otlp::kResourceAttributes,
                            config_.group_by.resource_attribute, value) == wire::Lookup::kFound &&
        value.type() == wire::ValueType::kString &&
        value.string().find('\0') == std::string_view::npos;
    if (named) {
      groups[GroupPath(config_.path, value.string())] += fields.field();
      continue;
    }
    const wire::ScanResult scan = wire::Scan(signal, fields.field(), wire::ScanDepth::kStructure);
    if (!scan.ok()) {
      return false;
    }
    rejected += scan.items;
  }
  return !fields.malformed();
}

bool FileExporter::AppendRecord(Signal signal, std::string_view request, std::uint64_t& rejected) {
  const bool compressed = config_.compression == Codec::kZstd;
  Slice record;
  wire::JsonBuffer json;
  if (config_.format == Format::kJson) {
    wire::JsonBuffer& out = compressed ? json : records_;
    const wire::ProtoToJsonResult written = wire::ProtoToJson(signal, request, out);
    if (!written.ok()) {
      return false;
    }
    rejected += written.dropped_items;
    if (!compressed) {
      records_.Append('\n');
      return true;
    }
    request = json.view();
  }
  if (compressed) {
    record = Slice::Static(request);  // Read within the call only.
    record = net::Compress(net::Compression::kZstd, {&record, 1}, {.budget = &context_.budget});
    request = record.view();
  }
  AppendPrefixed(request, records_);
  return true;
}

absl::StatusOr<FileWriter*> FileExporter::WriterFor(const std::string& path) {
  if (const auto found = by_path_.find(path); found != by_path_.end()) {
    open_.splice(open_.begin(), open_, found->second);
    return open_.front().get();
  }
  absl::StatusOr<std::unique_ptr<FileWriter>> writer = OpenWriter(path, /*continue_file=*/true);
  if (!writer.ok()) {
    return writer.status();
  }
  if (open_.size() >= config_.group_by.max_open_files) {
    by_path_.erase(open_.back()->path());
    open_.pop_back();
  }
  open_.push_front(*std::move(writer));
  by_path_.emplace(open_.front()->path(), open_.begin());
  return open_.front().get();
}

}  // namespace weir::exporters::file

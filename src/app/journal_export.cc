#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "app/commands.h"
#include "app/journal_command.h"
#include "fmt/format.h"
#include "journal/file_io.h"
#include "weir/base/status.h"
#include "weir/wire/json.h"

namespace weir::app {
namespace {

using journal::Place;
using journal::PosixDisk;

// Where requests go, in one of the formats that the file exporter writes.
class RequestWriter {
 public:
  RequestWriter(std::FILE* file, bool json) : file_(file), json_(json) {}

  // Items that could not be written.
  std::uint64_t Write(const journal::Record& record) {
    std::vector<std::string_view> parts;
    for (const journal::Part& part : record.parts) {
      parts.push_back(part.bytes.view());
    }
    if (!json_) {
      Put(LengthPrefix(record.payload_bytes()));
      std::ranges::for_each(parts, [this](std::string_view part) { Put(part); });
      return 0;
    }
    buffer_.Clear();
    const wire::ProtoToJsonResult result = wire::ProtoToJson(record.signal, parts, buffer_);
    if (!result.ok()) {
      return record.items();
    }
    Put(buffer_.view());
    Put("\n");
    return result.dropped_items;
  }

  bool Flush() { return std::fflush(file_) == 0 && std::ferror(file_) == 0; }

 private:
  static std::string LengthPrefix(std::size_t size) {
    std::string prefix;
    for (const int shift : {24, 16, 8, 0}) {
      prefix.push_back(static_cast<char>(size >> shift));
    }
    return prefix;
  }
  void Put(std::string_view bytes) { std::fwrite(bytes.data(), 1, bytes.size(), file_); }

  std::FILE* const file_;
  const bool json_;
  wire::JsonBuffer buffer_;
};

// What waits for `reader`, or for anybody, in order.
absl::StatusOr<std::map<journal::Sequence, Place>> Waiting(IdleJournal& idle,
                                                           const JournalArguments& arguments) {
  std::map<journal::Sequence, Place> waiting;
  const std::vector<std::string> names = idle.catalog->ReaderNames();
  if (!arguments.reader.empty() && std::ranges::find(names, arguments.reader) == names.end()) {
    return absl::NotFoundError(fmt::format("the journal knows no reader \"{}\"", arguments.reader));
  }
  for (std::size_t r = 0; r < names.size(); ++r) {
    if (!arguments.reader.empty() && names[r] != arguments.reader) {
      continue;
    }
    for (const Place& place : idle.catalog->Claim(r, SIZE_MAX)) {
      if (arguments.signal.empty() || SignalName(place.entry.signal) == arguments.signal) {
        waiting.emplace(place.sequence, place);
      }
    }
  }
  return waiting;
}

// kExitOk, or kExitDamaged where records could not be read.
int WriteAll(const std::map<journal::Sequence, Place>& waiting, const std::string& directory,
             RequestWriter& writer) {
  std::unique_ptr<journal::File> file;
  std::uint64_t segment = 0;
  std::uint64_t damaged = 0;
  std::uint64_t unwritten = 0;
  for (const auto& [sequence, place] : waiting) {
    if (file == nullptr || segment != place.segment) {
      auto opened =
          PosixDisk().Open(journal::JoinPath(directory, journal::SegmentName(place.segment)),
                           journal::OpenMode::kRead);
      if (!opened.ok()) {
        ++damaged;
        continue;
      }
      file = *std::move(opened);
      segment = place.segment;
    }
    const auto stored = journal::ReadRecord(*file, place.entry, sequence, nullptr);
    if (stored.ok()) {
      unwritten += writer.Write(stored->record);
    } else {
      ++damaged;
    }
  }
  if (unwritten > 0) {
    fmt::print(stderr, "warning: {} items are malformed and have no JSON; otlp_proto has them\n",
               unwritten);
  }
  if (damaged > 0) {
    fmt::print(stderr, "error: {} records are damaged and left out\n", damaged);
  }
  fmt::print(stderr, "{} requests\n", waiting.size() - damaged);
  return damaged > 0 ? kExitDamaged : kExitOk;
}

}  // namespace

int ExportJournal(const JournalArguments& arguments) {
  absl::StatusOr<IdleJournal> idle =
      OpenIdleJournal(arguments.directory, journal::ScanDepth::kFooter);
  if (!idle.ok()) {
    return Failed(idle.status());
  }
  const auto waiting = Waiting(*idle, arguments);
  if (!waiting.ok()) {
    return Failed(waiting.status());
  }
  const bool json = arguments.format == "otlp_json";
  std::set<Signal> signals;
  for (const auto& [sequence, place] : *waiting) {
    signals.insert(place.entry.signal);
  }
  if (!json && signals.size() > 1) {
    fmt::print(stderr,
               "error: there are {} signals, which protobuf does not tell apart: use --signal\n",
               signals.size());
    return kExitUsage;
  }
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(nullptr, &std::fclose);
  if (!arguments.output.empty()) {
    output.reset(std::fopen(arguments.output.c_str(), "wb"));
    if (output == nullptr) {
      return Failed(FromErrno(errno, "open {}", arguments.output));
    }
  }
  RequestWriter writer(output == nullptr ? stdout : output.get(), json);
  const int code = WriteAll(*waiting, arguments.directory, writer);
  if (!writer.Flush()) {
    return Failed(FromErrno(errno, "write {}", arguments.output));
  }
  return code;
}

}  // namespace weir::app

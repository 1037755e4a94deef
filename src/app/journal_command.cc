#include "app/journal_command.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <map>
#include <utility>

#include "CLI/CLI.hpp"
#include "app/commands.h"
#include "fmt/chrono.h"
#include "fmt/format.h"
#include "journal/file_io.h"
#include "journal/journal.h"
#include "weir/base/status.h"

namespace weir::app {
namespace {

using journal::Backlog;
using journal::DirectoryImage;
using journal::HeaderState;
using journal::JoinPath;
using journal::PosixDisk;
using journal::SegmentImage;

// Segments or positions; anything else is not to be touched, not even by a lock file.
absl::Status CheckIsJournal(const std::string& directory) {
  WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> names, PosixDisk().List(directory));
  const bool found = std::ranges::any_of(names, [](const std::string& name) {
    return name == journal::kPositionsName || journal::SegmentNumber(name).has_value();
  });
  return found ? absl::OkStatus() : InvalidArgument("{} holds no journal", directory);
}

std::uint64_t CountRecords(const SegmentImage& segment) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      segment.scan.entries, [](const journal::Entry& entry) { return !entry.hole(); }));
}

std::string Age(const Backlog& backlog) {
  if (!backlog.oldest.has_value()) {
    return "";
  }
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now() - *backlog.oldest);
  return fmt::format(", oldest {:%Y-%m-%dT%H:%M:%SZ} ({}h {}m {}s ago)",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(*backlog.oldest)),
                     age.count() / 3600, age.count() / 60 % 60, age.count() % 60);
}

int Inspect(const std::string& directory) {
  const absl::StatusOr<IdleJournal> idle = OpenIdleJournal(directory, journal::ScanDepth::kFooter);
  if (!idle.ok()) {
    return Failed(idle.status());
  }
  fmt::print("segments:\n");
  for (const SegmentImage& segment : idle->image.segments) {
    std::uint64_t items = 0;
    for (const journal::Entry& entry : segment.scan.entries) {
      items += entry.items;
    }
    fmt::print("  {}: {} records, {} items, {} bytes, {}\n", journal::SegmentName(segment.number),
               CountRecords(segment), items, segment.scan.file_bytes,
               segment.scan.sealed ? "closed" : "not closed");
  }
  for (const std::string& name : idle->image.ignored_files) {
    fmt::print("  {}: not of a version that this one knows\n", name);
  }
  fmt::print("readers:\n");
  for (const auto& [name, backlog] : idle->catalog->AbsentBacklogs()) {
    fmt::print("  {}: {} records, {} items, {} bytes wait{}\n", name, backlog.records,
               backlog.items, backlog.bytes, Age(backlog));
  }
  if (idle->image.positions.positions.has_value() &&
      !idle->image.positions.positions->totals.empty()) {
    fmt::print("totals:\n");
    for (const auto& [name, value] : idle->image.positions.positions->totals) {
      fmt::print("  {}: {}\n", name, value);
    }
  }
  return kExitOk;
}

int Verify(const std::string& directory) {
  const absl::StatusOr<IdleJournal> idle = OpenIdleJournal(directory, journal::ScanDepth::kFull);
  if (!idle.ok()) {
    return Failed(idle.status());
  }
  bool damaged = false;
  std::uint64_t records = 0;
  const journal::Sequence synced = idle->image.synced();
  for (const SegmentImage& segment : idle->image.segments) {
    const journal::SegmentScan& scan = segment.scan;
    const std::string name = journal::SegmentName(segment.number);
    records += CountRecords(segment);
    std::uint64_t lost = 0;
    for (std::size_t i = 0; i < scan.entries.size(); ++i) {
      lost += scan.entries[i].hole() && scan.first + i <= synced ? 1 : 0;
    }
    if (lost > 0) {
      fmt::print("{}: {} records are damaged\n", name, lost);
    }
    if (scan.header_state == HeaderState::kDamaged) {
      fmt::print("{}: the header is damaged\n", name);
    }
    if (!scan.sealed && scan.end_offset < scan.file_bytes) {
      fmt::print("{}: {} bytes behind the last whole record, cut off at the next start\n", name,
                 scan.file_bytes - scan.end_offset);
    }
    damaged = damaged || lost > 0 || scan.header_state == HeaderState::kDamaged;
  }
  for (const std::string& name : idle->image.ignored_files) {
    fmt::print("{}: not of a version that this one knows\n", name);
  }
  if (idle->losses.damage.segments_missing > 0) {
    fmt::print("{} segments are missing\n", idle->losses.damage.segments_missing);
  }
  if (idle->image.positions_lost()) {
    fmt::print("positions: damaged or missing; everything would be delivered again\n");
  }
  damaged = damaged || idle->losses.damage != journal::Damage{} || idle->image.positions_lost() ||
            !idle->image.ignored_files.empty();
  fmt::print("{} segments, {} whole records: {}\n", idle->image.segments.size(), records,
             damaged ? "damaged" : "no damage");
  return damaged ? kExitDamaged : kExitOk;
}

int Forget(const std::string& directory, const std::string& reader) {
  if (const absl::Status status = CheckIsJournal(directory); !status.ok()) {
    return Failed(status);
  }
  const auto opened =
      journal::Journal::Open({.directory = directory, .own_thread = false}, PosixDisk(), {});
  if (!opened.ok()) {
    return Failed(opened.status());
  }
  absl::Status status = (*opened)->Forget(reader);
  status.Update((*opened)->Close());
  return status.ok() ? kExitOk : Failed(status);
}

}  // namespace

int Failed(const absl::Status& status) {
  fmt::print(stderr, "error: {}\n", std::string(status.message()));
  return kExitStart;
}

absl::StatusOr<IdleJournal> OpenIdleJournal(const std::string& directory,
                                            journal::ScanDepth depth) {
  WEIR_RETURN_IF_ERROR(CheckIsJournal(directory));
  IdleJournal idle;
  WEIR_ASSIGN_OR_RETURN(idle.lock, PosixDisk().Lock(JoinPath(directory, journal::kLockName)));
  WEIR_ASSIGN_OR_RETURN(idle.image, journal::LoadDirectory(PosixDisk(), directory, depth));
  idle.catalog = std::make_unique<journal::Catalog>();
  WEIR_RETURN_IF_ERROR(idle.catalog->Load(idle.image, {}, idle.losses));
  return idle;
}

void AddJournalCommands(CLI::App& command, JournalArguments& arguments) {
  command.require_subcommand(1);
  arguments.inspect =
      command.add_subcommand("inspect", "Shows segments, and what waits for each exporter.");
  arguments.verify = command.add_subcommand("verify", "Reads everything; exits with 8 on damage.");
  arguments.export_records = command.add_subcommand("export", "Writes the requests that wait.");
  arguments.forget =
      command.add_subcommand("forget", "Lets go of what an exporter that is gone still holds.");
  for (CLI::App* const each :
       {arguments.inspect, arguments.verify, arguments.export_records, arguments.forget}) {
    each->add_option("directory", arguments.directory, "The journal's directory.")->required();
  }
  CLI::App& exported = *arguments.export_records;
  exported.add_option("--reader", arguments.reader, "Only what waits for this exporter.");
  exported.add_option("--signal", arguments.signal, "Only this signal.")
      ->check(CLI::IsMember({"traces", "metrics", "logs"}));
  exported
      .add_option("--format", arguments.format,
                  "otlp_json: one request a line. otlp_proto: each behind its length in four "
                  "bytes, big-endian.")
      ->check(CLI::IsMember({"otlp_json", "otlp_proto"}));
  exported.add_option("-o,--output", arguments.output, "The file; standard output without.");
  arguments.forget->add_option("reader", arguments.reader, "As `inspect` names it.")->required();
}

int RunJournalCommand(const JournalArguments& arguments) {
  if (arguments.inspect->parsed()) {
    return Inspect(arguments.directory);
  }
  if (arguments.verify->parsed()) {
    return Verify(arguments.directory);
  }
  if (arguments.export_records->parsed()) {
    return ExportJournal(arguments);
  }
  return Forget(arguments.directory, arguments.reader);
}

}  // namespace weir::app

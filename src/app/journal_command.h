// The `journal` commands: looking into the durable queue of a daemon that does not run.
//
// Threads: the main thread.

#ifndef WEIR_APP_JOURNAL_COMMAND_H_
#define WEIR_APP_JOURNAL_COMMAND_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "journal/catalog.h"
#include "journal/directory.h"

namespace CLI {
class App;
}  // namespace CLI

namespace weir::app {

struct JournalArguments {
  std::string directory;
  std::string reader;                // forget: required; export: empty for all of them.
  std::string signal;                // export: empty for all.
  std::string format = "otlp_json";  // export.
  std::string output;                // export: empty for standard output.
  CLI::App* inspect = nullptr;
  CLI::App* verify = nullptr;
  CLI::App* export_records = nullptr;
  CLI::App* forget = nullptr;
};

void AddJournalCommands(CLI::App& command, JournalArguments& arguments);

// Runs the one that was given.
int RunJournalCommand(const JournalArguments& arguments);

// A directory that no daemon uses, for as long as this lives.
struct IdleJournal {
  std::unique_ptr<journal::DirectoryLock> lock;
  journal::DirectoryImage image;
  std::unique_ptr<journal::Catalog> catalog;
  journal::Catalog::Losses losses;
};
absl::StatusOr<IdleJournal> OpenIdleJournal(const std::string& directory, journal::ScanDepth depth);

// Says on standard error why a command could not begin; its exit code.
int Failed(const absl::Status& status);

int ExportJournal(const JournalArguments& arguments);

}  // namespace weir::app

#endif  // WEIR_APP_JOURNAL_COMMAND_H_

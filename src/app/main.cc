#include "weir/app/main.h"

#include <malloc.h>

#include <functional>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/synchronization/mutex.h"
#include "app/commands.h"
#include "app/journal_command.h"
#include "app/load.h"

namespace weir::app {
namespace {

void AddConfigOptions(CLI::App& app, ConfigOptions& options) {
  app.add_option("--config", options.locations,
                 "Where the configuration is: a path, or file:, env:, yaml:, http:, https: with "
                 "what follows. May be given several times; later ones win.");
  app.add_option("--set", options.overrides,
                 "Overrides one value: --set processors.batch.timeout=2s. May be given several "
                 "times.");
  app.add_option("--feature-gates", options.feature_gates, "Accepted for compatibility.");
}

CLI::App* AddDiff(CLI::App& app, DiffOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "diff", "Shows what a reload from one configuration to another would touch.");
  command.add_option("before", options.before, "The configuration that runs.")->required();
  command.add_option("after", options.after, "The one to compare it with.")->required();
  command.add_flag("--json", options.json, "Print the difference as JSON.");
  return &command;
}

void AddRunOptions(CLI::App& command, RunOptions& options) {
  command.add_flag("--watch", options.watch,
                   "Reload the configuration when one of its files changes.");
}

int Dispatch(int argc, char** argv, const Registry& registry) {
  CLI::App app("weir collects metrics, logs and traces and passes them on.", "weir");
  app.require_subcommand(0, 1);
  app.set_version_flag("--version,-v", std::string(Version()));
  ConfigOptions options;
  std::string shell;
  AddConfigOptions(app, options);
  CLI::App* const run = app.add_subcommand("run", "Runs the daemon (the default).");
  CLI::App* const validate = app.add_subcommand("validate", "Checks a configuration.");
  CLI::App* const print = app.add_subcommand(
      "print-config", "Shows the merged configuration, each value with its origin.");
  for (CLI::App* const command : {run, validate, print}) {
    AddConfigOptions(*command, options);
  }
  RunOptions run_options;
  AddRunOptions(app, run_options);
  AddRunOptions(*run, run_options);
  DiffOptions diff_options;
  CLI::App* const diff = AddDiff(app, diff_options);
  CLI::App* const components =
      app.add_subcommand("components", "Lists the components of this build.");
  CLI::App* const schema =
      app.add_subcommand("schema", "Prints the JSON Schema of the configuration, for editors.");
  CLI::App* const generate = app.add_subcommand("load", "Sends generated telemetry over OTLP.");
  LoadArguments load_arguments;
  AddLoadOptions(*generate, load_arguments);
  CLI::App* const journal =
      app.add_subcommand("journal", "Looks into the durable queue of a daemon that does not run.");
  JournalArguments journal_arguments;
  AddJournalCommands(*journal, journal_arguments);
  CLI::App* const version = app.add_subcommand("version", "Prints the version.");
  CLI::App* const completion =
      app.add_subcommand("completion", "Prints a completion script for bash or zsh.");
  completion->add_option("shell", shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  const std::pair<CLI::App*, std::function<int()>> actions[] = {
      {validate, [&] { return Validate(registry, options); }},
      {print, [&] { return PrintConfig(registry, options); }},
      {diff, [&] { return Diff(registry, diff_options); }},
      {components, [&] { return ListComponents(registry); }},
      {schema, [&] { return PrintSchema(registry); }},
      {generate, [&] { return Load(load_arguments); }},
      {journal, [&] { return RunJournalCommand(journal_arguments); }},
      {version, [] { return PrintVersion(); }},
      {completion, [&] { return PrintCompletion(shell); }}};
  for (const auto& [command, act] : actions) {
    if (command->parsed()) {
      return act();
    }
  }
  return Run(registry, options, run_options);
}

}  // namespace
}  // namespace weir::app

int weir::Main(int argc, char** argv, const Registry& registry) {
  // Debian builds Abseil with deadlock detection on, which costs several percent on gRPC's locks.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Request buffers come and go by the thousand a second. By default glibc returns such memory to
  // the kernel each time and faults it in again, which costs more than all of our own work; so up
  // to 64 MiB of it stay ours.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  return app::Dispatch(argc, argv, registry);
}

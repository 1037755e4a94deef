#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <stop_token>
#include <thread>
#include <utility>

#include "app/commands.h"
#include "app/config_source.h"
#include "app/reloader.h"
#include "fmt/format.h"
#include "service/service.h"

namespace weir::app {
namespace {

// Signals that end or steer the daemon. They are blocked in every thread and read by the main one,
// so no handler ever runs.
sigset_t SteeringSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    ::sigaddset(&signals, signal);
  }
  return signals;
}

// While the drain runs: true once a further signal asks to end it, false once it has ended.
bool WaitForSecondSignal(const std::stop_token& stop) {
  const sigset_t signals = SteeringSignals();
  constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 20'000'000};  // How long the exit may be late.
  while (!stop.stop_requested()) {
    const int signal = ::sigtimedwait(&signals, nullptr, &kLook);
    if (signal > 0 && signal != SIGHUP) {
      return true;
    }
  }
  return false;
}

}  // namespace

int Run(const Registry& registry, const ConfigOptions& options, const RunOptions& run) {
  ConfigLoad load = LoadAndCheck(registry, options);
  fmt::print(stderr, "{}", load.report);
  if (!load.config.has_value()) {
    return kExitConfig;
  }
  const sigset_t signals = SteeringSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // A peer that is gone is an error of the write, not of the process.

  Reloader reloader(registry, options);
  reloader.watch().Loaded(load.files, /*good=*/true);
  absl::StatusOr<std::unique_ptr<service::Service>> service =
      service::Service::Create({.config = std::move(load.config->service),
                                .root = std::move(load.config->root),
                                .registry = &registry,
                                .version = Version(),
                                .revision = Revision(),
                                .on_fatal = [] { ::kill(::getpid(), SIGTERM); },
                                .request_reload = reloader.Requests(),
                                .on_retired = reloader.Reaping()});
  if (!service.ok()) {
    fmt::print(stderr, "error: {}\n", std::string(service.status().message()));
    return kExitConfig;
  }
  if (const absl::Status status = (*service)->Start(); !status.ok()) {
    fmt::print(stderr, "error: {}\n", std::string(status.message()));
    return kExitStart;
  }
  reloader.RunUntilEnd(**service, signals, run.watch);
  std::jthread impatience([&](const std::stop_token& stop) {
    if (WaitForSecondSignal(stop)) {
      (*service)->EndDrain();
    }
  });
  const std::uint64_t abandoned = (*service)->Shutdown();
  if (!(*service)->fatal().ok()) {
    return kExitFatal;
  }
  return abandoned > 0 ? kExitDataLost : kExitOk;
}

}  // namespace weir::app

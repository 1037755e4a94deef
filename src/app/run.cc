#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <stop_token>
#include <thread>
#include <utility>

#include "app/commands.h"
#include "app/config_source.h"
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

// Waits for a signal that ends the daemon. SIGTERM stands for itself and for a fatal component.
void WaitForEnd(const service::Service& service) {
  const sigset_t signals = SteeringSignals();
  for (;;) {
    int signal = 0;
    if (::sigwait(&signals, &signal) != 0) {
      continue;
    }
    if (signal != SIGHUP) {
      service.logger().Info("Received signal, shutting down", {{"signal", std::int64_t{signal}}});
      return;
    }
    service.logger().Warn("Received SIGHUP; the configuration is read at start only", {});
  }
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

int Run(const Registry& registry, const ConfigOptions& options) {
  std::optional<CheckedConfig> config = LoadChecked(registry, options);
  if (!config.has_value()) {
    return kExitConfig;
  }
  const sigset_t signals = SteeringSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // A peer that is gone is an error of the write, not of the process.

  absl::StatusOr<std::unique_ptr<service::Service>> service =
      service::Service::Create({.config = std::move(config->service),
                                .root = std::move(config->root),
                                .registry = &registry,
                                .version = Version(),
                                .revision = Revision(),
                                .on_fatal = [] { ::kill(::getpid(), SIGTERM); }});
  if (!service.ok()) {
    fmt::print(stderr, "error: {}\n", std::string(service.status().message()));
    return kExitConfig;
  }
  if (const absl::Status status = (*service)->Start(); !status.ok()) {
    fmt::print(stderr, "error: {}\n", std::string(status.message()));
    return kExitStart;
  }
  WaitForEnd(**service);
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

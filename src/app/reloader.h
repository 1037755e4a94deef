// Reloader is the main thread between start and end: a loop that waits for signals, for requests
// over HTTP and for changed files, and reloads the service's configuration when one of them asks.
//
//   Reloader reloader(registry, options);
//   ... Service::Create({..., .request_reload = reloader.Requests(), ...});
//   reloader.RunUntilEnd(*service, signals, /*watch_files=*/true);
//
// Threads: the service thread. What Requests and Reaping give may be called from any thread, also
// before and after RunUntilEnd; what comes after it is dropped.
// Ownership: outlives the service that was given its functions.

#ifndef WEIR_APP_RELOADER_H_
#define WEIR_APP_RELOADER_H_

#include <signal.h>

#include <functional>
#include <memory>
#include <string_view>

#include "app/commands.h"
#include "app/config_watch.h"
#include "service/service.h"
#include "weir/base/event_loop.h"

namespace weir::app {

class Reloader final : public FdHandler {
 public:
  Reloader(const Registry& registry, const ConfigOptions& options);
  ~Reloader() override;

  service::RequestReload Requests();
  std::function<void()> Reaping();
  ConfigWatch& watch() { return watch_; }

  // Returns when SIGTERM or SIGINT came. REQUIRES: `signals` are blocked in every thread.
  void RunUntilEnd(service::Service& service, const sigset_t& signals, bool watch_files);

 private:
  void OnEvents(std::uint32_t events) override;  // Signals.
  service::ReloadOutcome Reload(std::string_view cause);
  void LookAtFiles();

  const Registry& registry_;
  const ConfigOptions& options_;
  ConfigWatch watch_;
  const std::unique_ptr<EventLoop> loop_;
  service::Service* service_ = nullptr;  // While RunUntilEnd runs.
  int signal_fd_ = -1;
};

}  // namespace weir::app

#endif  // WEIR_APP_RELOADER_H_

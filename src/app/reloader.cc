#include "app/reloader.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include "fmt/format.h"

namespace weir::app {
namespace {

// Two equal looks make a change, so a file that came to rest is taken up within half a second.
constexpr std::chrono::milliseconds kLookPeriod{250};

}  // namespace

Reloader::Reloader(const Registry& registry, const ConfigOptions& options)
    : registry_(registry), options_(options), loop_(NewEpollLoop()) {}

Reloader::~Reloader() {
  if (signal_fd_ >= 0) {
    ::close(signal_fd_);
  }
}

service::RequestReload Reloader::Requests() {
  return [this](std::function<void(const service::ReloadOutcome&)> done) {
    loop_->Post([this, done = std::move(done)] {
      done(service_ == nullptr ? service::ReloadOutcome{service::ReloadOutcome::Result::kFailed,
                                                        "the service is about to end\n"}
                               : Reload("request"));
    });
  };
}

std::function<void()> Reloader::Reaping() {
  return [this] {
    loop_->Post([this] {
      if (service_ != nullptr) {
        service_->Reap();
      }
    });
  };
}

void Reloader::RunUntilEnd(service::Service& service, const sigset_t& signals, bool watch_files) {
  service_ = &service;
  signal_fd_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signal_fd_ < 0) {
    service.logger().Error("Cannot wait for signals", {{"errno", std::int64_t{errno}}});
    return;
  }
  loop_->Watch(signal_fd_, EPOLLIN, *this);
  if (watch_files) {
    LookAtFiles();
  }
  loop_->Run();
  loop_->Unwatch(signal_fd_);
  service_ = nullptr;
}

void Reloader::OnEvents(std::uint32_t) {
  signalfd_siginfo signal;
  while (::read(signal_fd_, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGHUP) {
      Reload("SIGHUP");
      continue;
    }
    service_->logger().Info("Received signal, shutting down",
                            {{"signal", std::int64_t{signal.ssi_signo}}});
    loop_->Stop();
    return;  // A second one ends the drain.
  }
}

service::ReloadOutcome Reloader::Reload(std::string_view cause) {
  using Result = service::ReloadOutcome::Result;
  service_->logger().Info("Reloading the configuration", {{"cause", cause}});
  ConfigLoad load = LoadAndCheck(registry_, options_);
  watch_.Loaded(load.files, load.config.has_value());
  fmt::print(stderr, "{}", load.report);
  if (!load.config.has_value()) {
    service_->CountFailedReload();
    service_->logger().Error("The configuration is wrong; the old one runs on",
                             {{"cause", cause}, {"problems", load.report}});
    return {Result::kInvalid, load.report};
  }
  const absl::StatusOr<service::ConfigDiff> diff =
      service_->Reload(std::move(load.config->service), std::move(load.config->root));
  // Behind the answer, which a metrics server that is to go may still have to send.
  loop_->Post([this] {
    if (service_ != nullptr) {
      service_->Reap();
    }
  });
  if (!diff.ok()) {
    service_->logger().Error("The configuration cannot be taken up; the old one runs on",
                             {{"cause", cause}, {"error", std::string(diff.status().message())}});
    return {Result::kFailed,
            fmt::format("{}error: {}\n", load.report, std::string(diff.status().message()))};
  }
  return {Result::kDone,
          load.report + (diff->empty() ? std::string("nothing changed\n") : diff->ToText())};
}

void Reloader::LookAtFiles() {
  if (watch_.Changed()) {
    Reload("changed file");
  }
  loop_->ScheduleAfter(kLookPeriod, [this] { LookAtFiles(); });
}

}  // namespace weir::app

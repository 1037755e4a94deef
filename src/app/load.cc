#include "app/load.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <memory>
#include <utility>

#include "CLI/CLI.hpp"
#include "app/commands.h"
#include "fmt/format.h"
#include "load/load_run.h"
#include "load/report.h"
#include "load/transport.h"
#include "weir/base/event_loop.h"
#include "weir/base/status.h"
#include "weir/config/values.h"

namespace weir::app {
namespace {

constexpr std::chrono::seconds kDefaultDuration{10};
constexpr std::chrono::seconds kProgressInterval{1};

absl::Status ReadDuration(const char* option, const std::string& text, Duration& duration) {
  const std::optional<Duration> parsed = ParseDuration(text);
  if (!parsed.has_value()) {
    return InvalidArgument("{}: {} is no duration, such as 10s or 1m30s", option, text);
  }
  duration = *parsed;
  return absl::OkStatus();
}

absl::Status ReadHeaders(const std::vector<std::string>& texts, load::LoadOptions& options) {
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return InvalidArgument("--header: {} has no value: name=value", text);
    }
    options.headers.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return absl::OkStatus();
}

// TLS where anything asks for it; an endpoint with https:// does, too.
absl::Status ReadTls(const LoadArguments& arguments, net::TlsClientConfig& tls) {
  const bool wanted = arguments.tls || tls.insecure_skip_verify || !tls.common.ca_file.empty() ||
                      !tls.common.cert_file.empty() || !tls.common.key_file.empty() ||
                      !tls.server_name_override.empty();
  if (arguments.insecure && (wanted || arguments.options.endpoint.starts_with("https://"))) {
    return InvalidArgument(
        "--insecure and an option or endpoint that asks for TLS exclude another");
  }
  tls.insecure = !wanted;
  return absl::OkStatus();
}

absl::StatusOr<load::LoadOptions> ReadOptions(const LoadArguments& arguments) {
  load::LoadOptions options = arguments.options;
  options.protocol = arguments.protocol == "http" ? load::Protocol::kHttp : load::Protocol::kGrpc;
  if (arguments.signal == "all") {
    options.signals = {kSignals.begin(), kSignals.end()};
  } else {
    options.signals.clear();
    std::ranges::copy_if(kSignals, std::back_inserter(options.signals),
                         [&](Signal signal) { return SignalName(signal) == arguments.signal; });
  }
  const std::optional<ByteSize> item_size = ParseByteSize(arguments.item_size);
  if (!item_size.has_value() || item_size->bytes > std::numeric_limits<std::uint32_t>::max()) {
    return InvalidArgument("--item-size: {} is no size, such as 200 or 4KiB", arguments.item_size);
  }
  options.item_bytes = static_cast<std::uint32_t>(item_size->bytes);
  const std::optional<net::Compression> compression = net::ParseCompression(arguments.compression);
  if (!compression.has_value()) {
    return InvalidArgument("--compression: {} is unknown", arguments.compression);
  }
  options.compression = *compression;
  options.duration = options.count > 0 ? Duration(0) : Duration(kDefaultDuration);
  if (!arguments.duration.empty()) {
    WEIR_RETURN_IF_ERROR(ReadDuration("--duration", arguments.duration, options.duration));
  }
  WEIR_RETURN_IF_ERROR(ReadDuration("--timeout", arguments.timeout, options.timeout));
  WEIR_RETURN_IF_ERROR(
      ReadDuration("--drain-timeout", arguments.drain_timeout, options.drain_timeout));
  WEIR_RETURN_IF_ERROR(ReadHeaders(arguments.headers, options));
  WEIR_RETURN_IF_ERROR(ReadTls(arguments, options.tls));
  options.seed = arguments.seed.value_or(load::LoadRun::SystemTime());
  WEIR_RETURN_IF_ERROR(options.Validate());
  return options;
}

// What ends a run. Blocked before there are threads, so that none is interrupted.
sigset_t BlockInterrupts() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// The first Ctrl-C stops a run, the second gives up what is in flight. Signals come over a
// descriptor of the loop, so no handler ever runs.
class Interrupts final : public FdHandler {
 public:
  Interrupts(EventLoop& loop, load::LoadRun& run, const sigset_t& signals)
      : loop_(loop), run_(run), fd_(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)) {
    if (fd_ >= 0) {
      loop_.Watch(fd_, EPOLLIN, *this);
    }
  }
  ~Interrupts() override {
    if (fd_ >= 0) {
      loop_.Unwatch(fd_);
      ::close(fd_);
    }
  }

 private:
  void OnEvents(std::uint32_t) override {
    signalfd_siginfo signal;
    while (::read(fd_, &signal, sizeof signal) == sizeof signal) {
      if (std::exchange(stopping_, true)) {
        run_.Abandon();
      } else {
        run_.Stop();
      }
    }
  }

  EventLoop& loop_;
  load::LoadRun& run_;
  const int fd_;
  bool stopping_ = false;
};

// One line of the terminal, written over every second.
class Progress {
 public:
  Progress(EventLoop& loop, const load::LoadRun& run, const load::Statistics& statistics)
      : loop_(loop), run_(run), statistics_(statistics), shown_at_(loop.Now()) {
    Schedule();
  }
  ~Progress() {
    loop_.Cancel(timer_);
    fmt::print(stderr, "\r\x1b[K");
  }

 private:
  void Schedule() {
    timer_ = loop_.ScheduleAfter(kProgressInterval, [this] {
      const TimePoint now = loop_.Now();
      const std::string line =
          meter_.Line(statistics_, run_.in_flight(), now - std::exchange(shown_at_, now));
      fmt::print(stderr, "\r\x1b[K{}", line);
      std::fflush(stderr);
      Schedule();
    });
  }

  EventLoop& loop_;
  const load::LoadRun& run_;
  const load::Statistics& statistics_;
  load::ProgressMeter meter_;
  TimePoint shown_at_;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace

void AddLoadOptions(CLI::App& command, LoadArguments& arguments) {
  load::LoadOptions& options = arguments.options;
  command.add_option("--endpoint", options.endpoint,
                     "Where to send: host:port, http://host:port, https://host:port (TLS), "
                     "unix:path. Default: 127.0.0.1, port 4317 for grpc and 4318 for http.");
  command.add_option("--protocol", arguments.protocol, "grpc or http (protobuf).")
      ->check(CLI::IsMember({"grpc", "http"}))
      ->capture_default_str();
  command.add_option("--signal", arguments.signal, "traces, metrics, logs, or all in turns.")
      ->check(CLI::IsMember({"traces", "metrics", "logs", "all"}))
      ->capture_default_str();
  command.add_option("--rate", options.rate, "Items a second; 0: as fast as answers come.")
      ->capture_default_str();
  command.add_option("--concurrency", options.concurrency, "Requests in flight at most.")
      ->capture_default_str();
  command
      .add_option("--connections", options.connections,
                  "Connections to send over. HTTP/1.1 opens one for each request in flight.")
      ->capture_default_str();
  command.add_option("--items-per-request", options.items_per_request, "Items in each request.")
      ->capture_default_str();
  command
      .add_option("--item-size", arguments.item_size,
                  "Bytes of an item's attributes, roughly: 200, 4KiB.")
      ->capture_default_str();
  command.add_option("--duration", arguments.duration,
                     "How long to send: 10s, 1m30s; 0 sets no bound. Default: 10s, or no bound "
                     "with --count.");
  command.add_option("--count", options.count, "Items to send; 0 sets no bound.");
  command.add_option("--compression", arguments.compression, "none, gzip, zstd or snappy.")
      ->check(CLI::IsMember({"none", "gzip", "zstd", "snappy"}))
      ->capture_default_str();
  command.add_option("--header", arguments.headers,
                     "name=value, sent with every request. May be given several times.");
  command.add_option("--timeout", arguments.timeout, "For one try of a request.")
      ->capture_default_str();
  command
      .add_option("--retries", options.retries_max,
                  "Tries after the first of a request that was pushed back or not answered.")
      ->capture_default_str();
  command
      .add_option("--drain-timeout", arguments.drain_timeout,
                  "How long to wait for answers after the last request was sent.")
      ->capture_default_str();
  command.add_option("--seed", arguments.seed, "Makes the payload repeatable.");
  command.add_flag("--numbered", options.numbered,
                   "Give each item its number, from 0, as attribute weir.load.sequence.");
  command.add_flag("--json", arguments.json, "Print the summary as JSON.");
  command.add_flag("--insecure", arguments.insecure,
                   "Send in clear text. So it is unless an option below or https:// asks for TLS.");
  command.add_flag("--tls", arguments.tls, "Use TLS.");
  command.add_option("--ca-file", options.tls.common.ca_file,
                     "Certificates to verify the server with; the system's otherwise.");
  command.add_option("--cert-file", options.tls.common.cert_file, "Own certificate.");
  command.add_option("--key-file", options.tls.common.key_file, "Its private key.");
  command.add_option("--server-name", options.tls.server_name_override,
                     "Name to verify the server's certificate against.");
  command.add_flag("--insecure-skip-verify", options.tls.insecure_skip_verify,
                   "Use TLS and take any certificate.");
}

int Load(const LoadArguments& arguments) {
  const absl::StatusOr<load::LoadOptions> options = ReadOptions(arguments);
  if (!options.ok()) {
    fmt::print(stderr, "error: {}\n", std::string(options.status().message()));
    return kExitUsage;
  }
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t interrupts = BlockInterrupts();
  const std::unique_ptr<EventLoop> loop = NewEpollLoop();
  auto transports = load::MakeTransports(*loop, *options);
  if (!transports.ok()) {
    fmt::print(stderr, "error: {}\n", std::string(transports.status().message()));
    return kExitStart;
  }
  load::Statistics statistics;
  {
    load::LoadRun run(*loop, *options, *std::move(transports), statistics,
                      [&loop] { loop->Stop(); });
    const Interrupts watcher(*loop, run, interrupts);
    std::optional<Progress> progress;
    if (::isatty(STDERR_FILENO) == 1) {
      progress.emplace(*loop, run, statistics);
    }
    loop->Post([&run] { run.Start(); });
    loop->Run();
  }
  fmt::print("{}", arguments.json ? load::SummaryJson(*options, statistics)
                                  : load::SummaryText(*options, statistics));
  return statistics.all_acknowledged() ? kExitOk : kExitUnacknowledged;
}

}  // namespace weir::app

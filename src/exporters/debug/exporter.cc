#include "exporters/debug/exporter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "fmt/format.h"
#include "weir/base/status.h"

namespace weir::exporters::debug {
namespace {

constexpr mode_t kFileMode = 0600;

// In the order of Signal.
constexpr std::array<std::string_view, kSignalCount> kTitles = {"Traces", "Metrics", "Logs"};
constexpr std::array<std::string_view, kSignalCount> kResources = {
    "resource spans", "resource metrics", "resource logs"};
constexpr std::array<std::string_view, kSignalCount> kItems = {"spans", "data points",
                                                               "log records"};

absl::Status WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote < 0) {
      return FromErrno(errno, "cannot write");
    }
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return absl::OkStatus();
}

}  // namespace

bool Sampler::Take(TimePoint now) {
  if (now - second_began_ >= std::chrono::seconds(1)) {
    second_began_ = now;
    seen_ = 0;
  }
  ++seen_;
  if (seen_ <= initial_) {
    return true;
  }
  return thereafter_ != 0 && (seen_ - initial_) % thereafter_ == 0;
}

DebugExporter::DebugExporter(Config config, const ExporterContext& context)
    : config_(std::move(config)),
      context_(context),
      samplers_{Sampler(config_.sampling_initial, config_.sampling_thereafter),
                Sampler(config_.sampling_initial, config_.sampling_thereafter),
                Sampler(config_.sampling_initial, config_.sampling_thereafter)} {}

DebugExporter::~DebugExporter() { static_cast<void>(Shutdown({})); }

absl::Status DebugExporter::Start() {
  if (config_.use_internal_logger) {
    outputs_ = {STDERR_FILENO};
    return absl::OkStatus();
  }
  if (config_.output_paths.empty()) {
    outputs_ = {STDOUT_FILENO};
  }
  for (const std::string& path : config_.output_paths) {
    if (path == "stdout") {
      outputs_.push_back(STDOUT_FILENO);
    } else if (path == "stderr") {
      outputs_.push_back(STDERR_FILENO);
    } else {
      const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
      if (fd < 0) {
        return FromErrno(errno, "cannot open {}", path);
      }
      outputs_.push_back(fd);
    }
  }
  return absl::OkStatus();
}

absl::Status DebugExporter::Shutdown(TimePoint) {
  for (const int fd : outputs_) {
    if (fd != STDOUT_FILENO && fd != STDERR_FILENO) {
      close(fd);
    }
  }
  outputs_.clear();
  return absl::OkStatus();
}

void DebugExporter::Send(const Batch& batch, TimePoint, SendDone done) {
  if (!samplers_[SignalIndex(batch.signal())].Take(context_.loop.Now())) {
    done({});
    return;
  }
  TextCounts counts;
  std::string text;
  for (const Part& part : batch.parts()) {
    const std::string_view request = part.payload.view();
    switch (config_.verbosity) {
      case Verbosity::kBasic:
        CountOnly(batch.signal(), request, counts);
        break;
      case Verbosity::kNormal:
        AppendNormal(batch.signal(), request, counts, text);
        break;
      case Verbosity::kDetailed:
        AppendDetailed(batch.signal(), request, counts, text);
        break;
    }
  }
  Show(batch, counts, text);
  done({.items_rejected = std::min(counts.malformed, batch.items())});
}

void DebugExporter::Show(const Batch& batch, const TextCounts& counts, const std::string& text) {
  const std::size_t index = SignalIndex(batch.signal());
  const bool metrics = batch.signal() == Signal::kMetrics;
  std::string lines;
  if (!config_.use_internal_logger) {
    lines = fmt::format("{}\t{{\"{}\": {}, {}\"{}\": {}}}\n", kTitles[index], kResources[index],
                        counts.resources,
                        metrics ? fmt::format("\"metrics\": {}, ", counts.metrics) : "",
                        kItems[index], batch.items());
  } else if (metrics) {
    context_.logger.Info(kTitles[index], {{kResources[index], counts.resources},
                                          {"metrics", counts.metrics},
                                          {kItems[index], batch.items()}});
  } else {
    context_.logger.Info(kTitles[index],
                         {{kResources[index], counts.resources}, {kItems[index], batch.items()}});
  }
  if (!text.empty()) {
    lines += text + "\n";
  }
  const absl::Status status = Write(lines);
  if (!status.ok() && !write_failed_) {
    context_.logger.Warn("Cannot show telemetry", {{"error", std::string(status.message())}});
  }
  write_failed_ = !status.ok();
}

absl::Status DebugExporter::Write(const std::string& text) {
  absl::Status status;
  for (const int fd : outputs_) {
    status.Update(WriteAll(fd, text));
  }
  return status;
}

}  // namespace weir::exporters::debug

#include "extensions/pprof/extension.h"

#include <dirent.h>
#include <malloc.h>
#include <unistd.h>

#include <iterator>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "weir/base/status.h"
#include "weir/base/watched_file.h"

namespace weir::extensions::pprof {

namespace {

constexpr std::string_view kPrefix = "/debug/";
constexpr std::size_t kStatBytesMax = 4096;

constexpr std::string_view kIndex =
    "weir has no Go profiles. What there is:\n\n"
    "/debug/pprof/threads   threads and their CPU time\n"
    "/debug/pprof/heap      the allocator's figures\n\n"
    "A CPU profile: perf record -g -p PID\n";

// The `number`-th field of /proc/.../stat, counted from 0 after the name in parentheses.
std::string_view StatField(std::string_view stat, std::size_t number) {
  std::size_t begin = stat.rfind(')');
  if (begin == std::string_view::npos) {
    return {};
  }
  begin += 2;
  for (; number > 0 && begin < stat.size(); --number) {
    begin = stat.find(' ', begin);
    begin = begin == std::string_view::npos ? stat.size() : begin + 1;
  }
  return begin >= stat.size() ? std::string_view()
                              : stat.substr(begin, stat.find(' ', begin) - begin);
}

std::string Seconds(std::string_view ticks) {
  std::uint64_t value = 0;
  for (const char c : ticks) {
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return fmt::format("{:.2f}",
                     static_cast<double>(value) / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

}  // namespace

std::string RenderThreads() {
  constexpr std::size_t kUserTicks = 11, kSystemTicks = 12;
  std::string page =
      fmt::format("{:<16} {:>12} {:>14}\n", "thread", "user seconds", "system seconds");
  DIR* const directory = opendir("/proc/self/task");
  if (directory == nullptr) {
    return page;
  }
  while (const dirent* entry = readdir(directory)) {
    const auto stat =
        ReadSmallFile(fmt::format("/proc/self/task/{}/stat", entry->d_name), kStatBytesMax);
    if (entry->d_name[0] == '.' || !stat.ok()) {
      continue;  // A thread may end while the folder is read.
    }
    const std::size_t open = stat->find('(');
    const std::size_t close = stat->rfind(')');
    if (open == std::string::npos || close == std::string::npos) {
      continue;
    }
    fmt::format_to(std::back_inserter(page), "{:<16} {:>12} {:>14}\n",
                   stat->substr(open + 1, close - open - 1), Seconds(StatField(*stat, kUserTicks)),
                   Seconds(StatField(*stat, kSystemTicks)));
  }
  closedir(directory);
  return page;
}

std::string RenderHeap() {
  const struct mallinfo2 info = mallinfo2();
  return fmt::format(
      "given out        {}\nfree in arenas   {}\narenas           {}\nmapped directly  {}\n",
      info.uordblks, info.fordblks, info.arena, info.hblkhd);
}

Pprof::Pprof(Config config, const ComponentContext& context)
    : config_(std::move(config)), logger_(context.logger), budget_(context.budget) {}

Pprof::~Pprof() { server_.reset(); }

absl::Status Pprof::Start() {
  WEIR_ASSIGN_OR_RETURN(
      server_, net::PageServer::Open(
                   config_.server, [this](const auto& head) { return Answer(head.path()); },
                   budget_, "pprof"));
  logger_.Info("Debug pages listen",
               {{"endpoint", config_.server.endpoint}, {"port", server_->port()}});
  return absl::OkStatus();
}

absl::Status Pprof::Shutdown(TimePoint deadline) {
  if (server_ != nullptr) {
    server_->Shutdown(deadline);
    server_.reset();
  }
  return absl::OkStatus();
}

net::Page Pprof::Answer(std::string_view path) const {
  if (path == "/debug/pprof" || path == "/debug/pprof/") {
    return {.body = std::string(kIndex)};
  }
  if (path == "/debug/pprof/threads") {
    return {.body = RenderThreads()};
  }
  if (path == "/debug/pprof/heap") {
    return {.body = RenderHeap()};
  }
  std::string body;
  if (path.starts_with(kPrefix) && render_) {
    body = render_(path.substr(kPrefix.size()));
  }
  if (body.empty()) {
    return {.status = 404, .body = "not found\n"};
  }
  const bool is_json = body.starts_with('{') || body.starts_with('[');
  return {.content_type = is_json ? "application/json" : "text/html; charset=utf-8",
          .body = std::move(body)};
}

}  // namespace weir::extensions::pprof

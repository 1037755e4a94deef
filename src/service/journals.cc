#include "service/journals.h"

#include <sys/stat.h>

#include <cerrno>

#include "weir/base/status.h"
#include "weir/component/extension.h"
#include "weir/config/service_config.h"

namespace weir::service {
namespace {

constexpr mode_t kDirectoryMode = 0750;

journal::Fsync FsyncOf(StorageSettings::Fsync fsync) {
  switch (fsync) {
    case StorageSettings::Fsync::kAlways:
      return journal::Fsync::kAlways;
    case StorageSettings::Fsync::kInterval:
      return journal::Fsync::kInterval;
    case StorageSettings::Fsync::kNever:
      break;
  }
  return journal::Fsync::kNever;
}

journal::Totals TotalsOf(const JournalNode& node) {
  journal::Totals totals;
  for (const JournalNode::Member& member : node.members) {
    const NodeBooks books = member.books->Books();
    totals[member.exporter + "/in"] = books.in;
    totals[member.exporter + "/out"] = books.out;
    for (std::size_t i = 0; i < kDropReasonCount; ++i) {
      if (books.dropped_by_reason[i] > 0) {
        totals[fmt::format("{}/dropped/{}", member.exporter,
                           DropReasonName(static_cast<DropReason>(i)))] =
            books.dropped_by_reason[i];
      }
    }
  }
  return totals;
}

// The books go on where an earlier process left them. What the totals do not explain was recovered:
// appended or sent again after they were last written.
void GoOn(const journal::Totals& totals, const JournalNode::Member& member) {
  const auto total = [&](const std::string& name) {
    const auto found = totals.find(member.exporter + "/" + name);
    return found == totals.end() ? 0 : found->second;
  };
  NodeLedger& books = *member.books;
  const std::uint64_t held = member.backlog->recovered().items;
  const std::uint64_t in = total("in");
  std::uint64_t gone = total("out");
  books.In(in);
  books.Out(gone);
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    const auto reason = static_cast<DropReason>(i);
    const std::uint64_t dropped = total(fmt::format("dropped/{}", DropReasonName(reason)));
    books.Drop(reason, dropped);
    gone += dropped;
  }
  books.Hold(static_cast<std::int64_t>(held));
  if (held + gone >= in) {
    books.Recovered(held + gone - in);
  } else {
    books.Drop(DropReason::kStorageError, in - held - gone);  // Damaged on disk, or deleted.
  }
}

}  // namespace

pipeline::DurableBacklog& Journals::Join(const ComponentId& storage, Signal signal,
                                         const std::string& exporter, NodeLedger& books,
                                         const Logger& logger, MemoryBudget& budget) {
  std::unique_ptr<JournalNode>& node = nodes_[{storage, signal}];
  if (node == nullptr) {
    node = std::make_unique<JournalNode>();
    node->logger = logger;
  }
  node->members.push_back({.exporter = exporter,
                           .books = &books,
                           .backlog = std::make_unique<pipeline::DurableBacklog>(budget)});
  return *node->members.back().backlog;
}

std::pair<JournalNode*, std::size_t> Journals::Find(Signal signal,
                                                    const std::string& exporter) const {
  for (const auto& [key, node] : nodes_) {
    for (std::size_t i = 0; key.second == signal && i < node->members.size(); ++i) {
      if (node->members[i].exporter == exporter) {
        return {node.get(), i};
      }
    }
  }
  return {nullptr, 0};
}

absl::Status Journals::Open(const Host& host) {
  for (const auto& [key, node] : nodes_) {
    WEIR_RETURN_IF_ERROR(OpenOne(host, key.first, key.second, *node));
  }
  return absl::OkStatus();
}

absl::Status Journals::OpenOne(const Host& host, const ComponentId& storage, Signal signal,
                               JournalNode& node) {
  const auto* const provider = dynamic_cast<StorageProvider*>(host.FindExtension(storage));
  if (provider == nullptr) {
    return InvalidArgument("sending_queue::storage: {} is no storage that service::extensions runs",
                           storage.ToString());
  }
  const StorageSettings settings = provider->settings();
  for (const std::string& queue :
       journal::FindForeignQueues(journal::PosixDisk(), settings.directory)) {
    node.logger.Warn(
        "The storage holds a queue of an OpenTelemetry Collector, which weir does not read: run "
        "the "
        "Collector once more until it is empty, or delete the file",
        {{"directory", settings.directory}, {"queue", queue}});
  }
  journal::Options options;
  options.directory = fmt::format("{}/journal-{}", settings.directory, SignalName(signal));
  if (mkdir(options.directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return FromErrno(errno, "{}: can't make {}", storage.ToString(), options.directory);
  }
  options.fsync = FsyncOf(settings.fsync);
  options.fsync_interval = settings.fsync_interval;
  options.max_size_bytes = settings.max_size_bytes;
  options.logger = node.logger;
  options.totals = [&node] { return TotalsOf(node); };
  std::vector<std::string> readers;
  for (const JournalNode::Member& member : node.members) {
    readers.push_back(member.exporter);
  }
  WEIR_ASSIGN_OR_RETURN(node.journal,
                        journal::Journal::Open(options, journal::PosixDisk(), readers));
  const journal::Recovered& recovered = node.journal->recovered();
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    node.members[i].backlog->Attach(node.journal->reader(i), recovered.next_sequence);
    GoOn(recovered.totals, node.members[i]);
  }
  return absl::OkStatus();
}

void Journals::Close() {
  for (const auto& [key, node] : nodes_) {
    if (node->journal == nullptr) {
      continue;
    }
    if (const absl::Status status = node->journal->Close(); !status.ok()) {
      node->logger.Error("The journal did not close cleanly", {{"error", status.ToString()}});
    }
  }
}

}  // namespace weir::service

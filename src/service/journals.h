// Journals are the queues on disk: one for each storage extension and signal, shared by the
// exporters whose `sending_queue::storage` names that extension.
//
// Threads: built, opened and closed on the service thread.
// Ownership: owns the journals and what each exporter's queue knows of them; outlives the queues.
// Loss: none; see journal.h.
// Invariants: edges and queues refer to a JournalNode while nothing is open yet; no data comes
// before Open.

#ifndef WEIR_SERVICE_JOURNALS_H_
#define WEIR_SERVICE_JOURNALS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "journal/journal.h"
#include "pipeline/durable_backlog.h"
#include "weir/component/context.h"
#include "weir/telemetry/ledger.h"

namespace weir::service {

struct JournalNode {
  struct Member {
    std::string exporter;
    NodeLedger* books;
    std::unique_ptr<pipeline::DurableBacklog> backlog;
  };

  Logger logger;
  std::vector<Member> members;
  std::unique_ptr<journal::Journal> journal;  // Last: closed before what its callbacks touch.
};

class Journals {
 public:
  // Makes `exporter` a reader of the journal of `storage`. `books` are those of its queue.
  pipeline::DurableBacklog& Join(const ComponentId& storage, Signal signal,
                                 const std::string& exporter, NodeLedger& books,
                                 const Logger& logger, MemoryBudget& budget);
  // Null where `exporter` keeps its queue in memory; else its journal and its number there.
  std::pair<JournalNode*, std::size_t> Find(Signal signal, const std::string& exporter) const;

  // Opens all. NotFound or InvalidArgument where an extension is no storage.
  absl::Status Open(const Host& host);
  // Everything appended is on disk when it returns. The journals stay readable to nobody.
  void Close();

 private:
  absl::Status OpenOne(const Host& host, const ComponentId& storage, Signal signal,
                       JournalNode& node);

  std::map<std::pair<ComponentId, Signal>, std::unique_ptr<JournalNode>> nodes_;
};

}  // namespace weir::service

#endif  // WEIR_SERVICE_JOURNALS_H_

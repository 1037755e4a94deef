// DurableBacklog is what one exporter's queue knows of its records in the journal.
//
// A record is on disk before its source is told. Its batch then goes on in memory where there is
// room for it ("live"); otherwise only the disk has it, and it is read back when its turn comes.
// While records wait on disk, new ones wait there as well, so that order is roughly kept.
//
//   appended ──live──▶ ring ─▶ batcher ─▶ sender ─▶ settled ─▶ acknowledged
//          └──▶ disk ──Read──▶┘                        └ abandoned: stays, for the next start
//
// Threads: Read on the exporter's loop; everything else from any thread.
// Ownership: hands out trackers that live until their batch has settled; outlives them.
// Loss: none. What settles as abandoned is not acknowledged; every other outcome was counted where
// it happened.

#ifndef WEIR_PIPELINE_DURABLE_BACKLOG_H_
#define WEIR_PIPELINE_DURABLE_BACKLOG_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "journal/journal.h"
#include "weir/component/batch.h"

namespace weir::pipeline {

class DurableBacklog {
 public:
  using Sources = std::vector<DeliveryToken>;  // Those that wait for the delivery itself.

  struct Stored {
    Batch batch;
    std::uint32_t slot = 0;
    bool recovered = false;  // By this start, and so in no account yet.
  };

  explicit DurableBacklog(MemoryBudget& budget) : budget_(budget) {}

  // Once, before anything else. `first_own` is the sequence that this process's first record gets.
  void Attach(journal::Reader& reader, journal::Sequence first_own);

  // What an earlier process left, at the time of Attach.
  const journal::Backlog& recovered() const { return recovered_; }
  std::uint64_t unread_records() const { return reader_->unread_records(); }
  journal::Backlog backlog() const { return reader_->backlog(); }
  journal::Dropped DropOldest(std::uint64_t bytes);

  // Reserves memory for a live copy of so many bytes. False: it is to be read from disk.
  bool ReserveLive(std::size_t bytes);
  void ReleaseLive(std::size_t bytes) { live_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  // `batch` without tokens becomes the live copy of record `sequence`. REQUIRES: reserved.
  Batch Track(Batch batch, journal::Sequence sequence, Sources sources) {
    return Track(std::move(batch), sequence, std::move(sources), /*from_disk=*/false);
  }
  // The record is on disk only; its sources are settled once it was read back and delivered, which
  // may have happened already.
  void KeepSources(journal::Sequence sequence, Sources sources);

  // True when there is something to read and memory for it.
  bool can_read() const;
  // Batches from disk, oldest first. Empty where nothing waits, or where memory or the disk says
  // no: `try_again` then tells.
  std::vector<Stored> Read(bool& try_again);

 private:
  class Tracker;

  std::size_t live_bytes_max() const;
  Batch Track(Batch batch, journal::Sequence sequence, Sources sources, bool from_disk);
  void Settled(Tracker& tracker, const Settlement& settlement);

  MemoryBudget& budget_;
  journal::Reader* reader_ = nullptr;
  journal::Sequence first_own_ = 0;
  journal::Backlog recovered_;
  std::atomic<std::size_t> live_bytes_{0};  // Of copies in memory. A limit, so relaxed.

  std::mutex mutex_;
  std::map<journal::Sequence, Sources> sources_;
  // Records that were read and settled before anybody could say who waits for them, newest last.
  std::deque<std::pair<journal::Sequence, Settlement>> settled_early_;
};

// The request's context as bytes, and back. What does not decode is no context.
Slice EncodeContext(const RequestContext& context);
std::shared_ptr<const RequestContext> DecodeContext(std::string_view bytes);

}  // namespace weir::pipeline

#endif  // WEIR_PIPELINE_DURABLE_BACKLOG_H_

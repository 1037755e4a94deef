// JournalImpl is the Journal of journal.h: a queue in front of the committer, and readers over the
// catalog.
//
// Threads: as journal.h. The queue's mutex is held to push and to take, never across a system call.

#ifndef WEIR_JOURNAL_JOURNAL_IMPL_H_
#define WEIR_JOURNAL_JOURNAL_IMPL_H_

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "journal/catalog.h"
#include "journal/committer.h"
#include "journal/directory.h"
#include "journal/journal.h"

namespace weir::journal {

class JournalImpl;

class ReaderImpl final : public Reader {
 public:
  ReaderImpl(JournalImpl& journal, std::size_t index, std::string name)
      : journal_(journal), index_(index), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  ReadResult Read(std::size_t bytes_max, MemoryBudget* budget) override;
  void Skip(Sequence sequence) override;
  void Return(Sequence sequence) override;
  void Acknowledge(Sequence sequence) override;
  Dropped DropOldest(std::uint64_t bytes) override;
  Backlog backlog() const override;
  std::uint64_t unread_records() const override;

 private:
  absl::StatusOr<StoredRecord> ReadAt(const Place& place, MemoryBudget* budget);
  void Failed(const Place& place, const absl::Status& status, ReadResult& result);

  JournalImpl& journal_;
  const std::size_t index_;
  const std::string name_;

  // Of the thread that reads: the segment that was read last.
  std::uint64_t segment_ = 0;
  std::unique_ptr<File> file_;
  // The record that the disk did not give, and how often.
  Sequence failed_ = 0;
  int failures_ = 0;
};

class JournalImpl final : public Journal {
 public:
  JournalImpl(Options options, Disk& disk, std::vector<std::string> readers);
  ~JournalImpl() override;

  // Between the constructor and everything else.
  absl::Status Recover();

  void Append(Record record, ReaderMask live, AppendDone done) override;
  Reader& reader(std::size_t index) override { return *readers_[index]; }
  std::size_t reader_count() const override { return readers_.size(); }
  absl::Status Forget(std::string_view name) override;
  std::map<std::string, Backlog> absent_backlogs() const override;
  const Recovered& recovered() const override { return recovered_; }
  Damage damage() const override;
  std::uint64_t bytes_on_disk() const override { return catalog_.FileBytes(); }
  std::uint64_t syncs() const override { return committer_->syncs(); }
  absl::Status Checkpoint() override;
  void Commit() override;
  absl::Status Close() override;

 private:
  friend class ReaderImpl;

  void Run();
  // Recover's steps.
  void KeepDamaged(const DirectoryImage& image, const Catalog::Losses& losses);
  void Describe(const DirectoryImage& image);
  void Repair(const SegmentImage& segment);
  void CloseTornSegment(const SegmentImage& segment, std::span<const Entry> entries,
                        std::uint64_t end);
  void LogRecovered() const;
  void KeepAside(std::uint64_t segment);
  // The record at `place` cannot be read. False when it is to be looked for again.
  bool Lost(const Place& place, const absl::Status& why);
  void NoteAcknowledged();
  std::string PathOf(std::uint64_t segment) const;

  // Constant after Recover.
  const Options options_;
  Disk& disk_;
  const std::vector<std::string> names_;
  std::vector<std::unique_ptr<ReaderImpl>> readers_;
  Recovered recovered_;
  std::unique_ptr<DirectoryLock> lock_;

  Catalog catalog_;                       // Synchronizes itself.
  std::unique_ptr<Committer> committer_;  // Of the committer thread, but for its figures.

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable wake_;
  std::condition_variable checkpoint_done_;
  std::vector<Pending> waiting_;
  bool acknowledged_ = false;  // Tick is to be called.
  bool closing_ = false;
  bool closed_ = false;
  std::uint64_t checkpoints_asked_ = 0;
  std::uint64_t checkpoints_done_ = 0;
  absl::Status checkpoint_status_;
  Damage damage_;
  std::set<std::uint64_t> kept_aside_;

  std::thread thread_;  // Joined by Close.
};

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_JOURNAL_IMPL_H_

// SimDisk is a Disk in memory that can do what real ones do at their worst: write less than asked,
// be full, fail, lose dirty pages when a sync fails, and, when power goes, keep any of the pages
// and any prefix of the names that were not synced.
//
//   SimDisk disk(seed);
//   disk.FailAfter(20);             // the 20th operation from here on is the last that works
//   ... use a journal on it, destroy it ...
//   disk.PowerLoss();               // or disk.Killed(): what was written stays
//
// Threads: all members are thread-safe, but a run is repeatable only on one thread.
// Invariants: what was synced stays as it is, whatever happens.

#ifndef WEIR_TESTS_JOURNAL_SIM_DISK_H_
#define WEIR_TESTS_JOURNAL_SIM_DISK_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "journal/disk.h"

namespace weir::journal::testing {

class SimDisk final : public Disk {
 public:
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

  explicit SimDisk(std::uint64_t seed = 1) : random_(seed) {}

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Link(const std::string& from, const std::string& to) override;
  absl::Status Unlink(const std::string& path) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& directory) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(const std::string& path) override;

  // What goes wrong from here on; each returns to normal by the neutral value.
  void FailAfter(std::uint64_t operations);     // All of them, until PowerLoss or Killed.
  void set_capacity(std::uint64_t bytes);       // kUnlimited.
  void set_short_writes(double probability);    // 0.
  void set_failing_writes(double probability);  // 0. EIO, after a part was written.
  void set_failing_syncs(double probability);   // 0. Dirty pages are lost then.

  void PowerLoss();
  void Killed();

  bool failing() const;  // FailAfter has been reached.
  std::uint64_t operations() const;
  std::uint64_t syncs() const;
  std::uint64_t used_bytes() const;
  std::vector<std::string> Paths() const;
  std::string Content(const std::string& path) const;
  void SetContent(const std::string& path, std::string content);  // Synced.

 private:
  friend class SimFile;
  static constexpr std::size_t kPageBytes = 512;

  struct Inode {
    std::string now;      // As read.
    std::string durable;  // As after a loss of power, but for dirty pages.
    std::set<std::size_t> dirty;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  // With mutex_ held.
  absl::Status Operation();
  bool Chance(double probability);
  std::uint64_t UsedLocked() const;
  void Changed();  // names_ did.
  void Resize(Inode& inode, std::uint64_t size);

  absl::StatusOr<std::size_t> Write(Inode& inode, std::span<const iovec> pieces,
                                    std::uint64_t offset);
  absl::Status Sync(Inode& inode);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::mt19937_64 random_;
  Names names_;
  std::vector<Names> history_ = {Names()};  // Since the last sync of the directory; back: now.
  std::set<std::string> locked_;
  std::uint64_t generation_ = 0;  // Locks of an earlier life are gone.
  std::uint64_t operations_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t fail_from_ = kUnlimited;
  std::uint64_t capacity_ = kUnlimited;
  double short_writes_ = 0;
  double failing_writes_ = 0;
  double failing_syncs_ = 0;
};

}  // namespace weir::journal::testing

#endif  // WEIR_TESTS_JOURNAL_SIM_DISK_H_

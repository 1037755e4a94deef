// Thousands of short lives of a journal on a disk that misbehaves, each from a seed:
//
//   WEIR_JOURNAL_RUNS=100000    so many, instead of five seconds' worth
//   WEIR_JOURNAL_SEED=12345     only this one

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "journal/journal.h"
#include "tests/journal/records.h"
#include "tests/journal/sim_disk.h"

namespace weir::journal::testing {
namespace {

constexpr std::uint64_t kShortRuns = 1400;
constexpr std::chrono::seconds kShortTime{5};
constexpr int kLives = 4;

// What the test knows of one record that it appended.
struct Known {
  std::size_t payload_bytes = 0;
  ReaderMask destinations = 0;
  bool safe = false;                 // Answered OK.
  ReaderMask acknowledged = 0;       // Or dropped.
  std::map<std::size_t, int> reads;  // By reader, in this life.
};

class SimulatedRun {
 public:
  explicit SimulatedRun(std::uint64_t seed) : random_(seed), disk_(seed * 31 + 7) {
    const std::uint64_t kind = Random(10);
    fsync_ = kind < 7 ? Fsync::kAlways : kind < 9 ? Fsync::kInterval : Fsync::kNever;
    readers_.resize(1 + Random(3));
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      readers_[i] = fmt::format("reader {}", i);
    }
    calm_ = Random(4) == 0;
  }

  // What went wrong, or nothing.
  std::string Play() {
    for (int life = 0; life < kLives && problem_.empty(); ++life) {
      Live(life);
    }
    if (problem_.empty()) {
      Drain();
    }
    return problem_;
  }

 private:
  // Nothing that was answered may be gone.
  bool Exact() const { return fsync_ == Fsync::kAlways || (!ever_lost_power_ && !syncs_failed_); }
  std::uint64_t Random(std::uint64_t below) { return random_() % below; }
  void Problem(std::string text) {
    if (problem_.empty()) {
      problem_ = fmt::format("{} (fsync {}, {})", text, static_cast<int>(fsync_),
                             ever_lost_power_ ? "power was lost" : "killed only");
    }
  }

  bool Open() {
    Options options;
    options.directory = "d";
    options.fsync = fsync_;
    options.fsync_interval = std::chrono::milliseconds(50);
    options.segment_bytes = 64 << 10;
    options.own_thread = false;
    options.clock = [this] { return now_; };
    if (std::getenv("WEIR_JOURNAL_SEED") != nullptr) {
      static auto log = OpenLog({.sampling_enabled = false});
      options.logger = Logger(**log);
    }
    options.totals = [this] { return Totals{{"out", total_}}; };
    auto journal = Journal::Open(options, disk_, readers_);
    if (!journal.ok()) {
      return false;
    }
    journal_ = *std::move(journal);
    held_.assign(readers_.size(), {});
    for (auto& [number, known] : known_) {
      known.reads.clear();
    }
    return true;
  }

  void Live(int life) {
    // A crash while it is opened, now and then.
    if (life > 0 && Random(3) == 0) {
      disk_.FailAfter(Random(12));
    }
    if (!Open() || disk_.failing()) {
      Crash();
      if (!Open()) {
        return Problem("does not open");
      }
    }
    disk_.FailAfter(SimDisk::kUnlimited / 2);
    if (life > 0) {
      CheckOpened();
      if (Random(2) == 0) {
        ReadAll();
        CheckAllRead();
      }
    }
    disk_.FailAfter(Random(4) == 0 ? 100000 : 5 + Random(150));
    const std::uint64_t steps = 10 + Random(60);
    for (std::uint64_t i = 0; i < steps && problem_.empty(); ++i) {
      Step();
    }
    if (Random(4) == 0) {
      journal_->Close().IgnoreError();
    }
    Crash();
  }

  void Crash() {
    disk_.FailAfter(0);
    journal_.reset();
    Calm();
    if (Random(2) == 0) {
      disk_.PowerLoss();
      ever_lost_power_ = true;
    } else {
      disk_.Killed();
    }
  }

  void Calm() {
    disk_.set_capacity(SimDisk::kUnlimited);
    disk_.set_short_writes(0);
    disk_.set_failing_writes(0);
    disk_.set_failing_syncs(0);
  }

  void Step() {
    switch (Random(calm_ ? 8 : 10)) {
      case 0:
      case 1:
      case 2:
        return AppendSome();
      case 3:
        return ReadSome(Random(readers_.size()));
      case 4:
      case 5:
        return AcknowledgeSome(Random(readers_.size()));
      case 6:
        now_ += std::chrono::milliseconds(Random(1500));
        return journal_->Commit();
      case 7:
        return Rare();
      case 8:
        return Trouble();
      default:
        return Calm();
    }
  }

  void AppendSome() {
    const std::uint64_t count = 1 + Random(6);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t number = ++last_number_;
      Known& known = known_[number];
      known.payload_bytes = Random(5) == 0 ? Random(20000) : Random(2000);
      known.destinations = 1 + Random((1U << readers_.size()) - 1);
      const ReaderMask live = known.destinations & Random(1U << readers_.size());
      journal_->Append(MakeRecord(number, known.payload_bytes, known.destinations), live,
                       [this, number, live](const absl::Status& status, Sequence sequence) {
                         if (!status.ok()) {
                           return;
                         }
                         Known& answered = known_[number];
                         answered.safe = true;
                         for (std::size_t r = 0; r < readers_.size(); ++r) {
                           if ((live >> r & 1) != 0) {
                             ++answered.reads[r];
                             held_[r].emplace_back(sequence, number);
                           }
                         }
                       });
    }
    journal_->Commit();
  }

  void ReadSome(std::size_t r) {
    for (const StoredRecord& stored : journal_->reader(r).Read(Random(20000)).records) {
      const std::uint64_t number = NumberOf(stored.record);
      const auto found = known_.find(number);
      if (found == known_.end()) {
        return Problem(fmt::format("record {} was never appended", number));
      }
      Known& known = found->second;
      // Where the head of a segment was lost, its records are given to all.
      if ((known.destinations >> r & 1) == 0 && Exact()) {
        return Problem(fmt::format("record {} is not for reader {}", number, r));
      }
      if (!SameRecord(stored.record, MakeRecord(number, known.payload_bytes))) {
        return Problem(fmt::format("record {} came back changed", number));
      }
      if (++known.reads[r] > 1) {
        return Problem(fmt::format("record {} came twice to reader {}", number, r));
      }
      held_[r].emplace_back(stored.sequence, number);
    }
  }

  void AcknowledgeSome(std::size_t r) {
    for (std::uint64_t i = Random(8); i > 0 && !held_[r].empty(); --i) {
      const std::size_t at = Random(held_[r].size());
      const auto [sequence, number] = held_[r][at];
      held_[r].erase(held_[r].begin() + static_cast<std::ptrdiff_t>(at));
      if (Random(6) == 0) {
        journal_->reader(r).Return(sequence);
        --known_[number].reads[r];
      } else {
        known_[number].acknowledged |= ReaderMask{1} << r;
        journal_->reader(r).Acknowledge(sequence);
        ++total_;
      }
    }
  }

  void Rare() {
    if (Random(3) == 0) {
      journal_->Checkpoint().IgnoreError();
    } else if (Random(8) == 0) {
      // What it drops is not said one by one, so the oldest that nobody holds are taken as dropped.
      const std::size_t r = Random(readers_.size());
      Dropped dropped = journal_->reader(r).DropOldest(1 + Random(5000));
      dropped_[r] += dropped.records;
    }
  }

  void Trouble() {
    switch (Random(4)) {
      case 0:
        return disk_.set_capacity(disk_.used_bytes() + Random(3000));
      case 1:
        // What was answered before its sync is gone when the process is killed between a failed one
        // and the next.
        syncs_failed_ = true;
        return disk_.set_failing_syncs(0.5);
      case 2:
        return disk_.set_failing_writes(0.3);
      default:
        return disk_.set_short_writes(0.5);
    }
  }

  void CheckOpened() {
    // A record that was never answered, since its sync failed, is found whole in the cache after a
    // kill; that it never was on the disk shows when power is lost, and looks like damage.
    const bool unsure = syncs_failed_ && ever_lost_power_;
    if (Exact() && !unsure && journal_->damage() != Damage{}) {
      const Damage damage = journal_->damage();
      Problem(fmt::format("damage where there is none: {} records, {} segments, {} missing",
                          damage.records, damage.segments_damaged, damage.segments_missing));
    }
    if (fsync_ != Fsync::kNever && journal_->recovered().positions_lost) {
      Problem("the positions are lost");
    }
    if (journal_->recovered().totals.count("out") != 0 &&
        journal_->recovered().totals.at("out") > total_) {
      Problem("the totals are ahead");
    }
  }

  void ReadAll() {
    for (std::size_t r = 0; r < readers_.size(); ++r) {
      while (problem_.empty() && journal_->reader(r).unread_records() > 0) {
        const std::uint64_t before = journal_->reader(r).unread_records();
        ReadSome(r);
        if (journal_->reader(r).unread_records() >= before) {
          return Problem("reading does not get on");
        }
      }
    }
  }

  // After ReadAll: whatever was safe and not acknowledged has come.
  void CheckAllRead() {
    if (!Exact()) {
      return;
    }
    for (std::size_t r = 0; r < readers_.size(); ++r) {
      std::uint64_t missing = 0;
      std::uint64_t first = 0;
      for (const auto& [number, known] : known_) {
        const bool due =
            known.safe && (known.destinations >> r & 1) != 0 && (known.acknowledged >> r & 1) == 0;
        auto reads = known.reads.find(r);
        if (due && (reads == known.reads.end() || reads->second == 0)) {
          first = missing++ == 0 ? number : first;
        }
      }
      if (missing > dropped_[r]) {
        return Problem(
            fmt::format("reader {} misses {} records, of which {} were dropped; the first "
                        "is {}",
                        r, missing, dropped_[r], first));
      }
    }
  }

  // Everything is acknowledged in the end, and then nothing is left.
  void Drain() {
    if (!Open()) {
      return Problem("does not open");
    }
    CheckOpened();
    ReadAll();
    CheckAllRead();
    for (std::size_t r = 0; r < readers_.size(); ++r) {
      for (const auto& [sequence, number] : held_[r]) {
        journal_->reader(r).Acknowledge(sequence);
      }
      const Backlog backlog = journal_->reader(r).backlog();
      if (backlog.records != 0 || backlog.items != 0 || backlog.bytes != 0 ||
          backlog.oldest.has_value()) {
        Problem("a backlog is left");
      }
    }
    if (!journal_->Close().ok() || journal_->bytes_on_disk() != 0) {
      Problem("space is left");
    }
    journal_.reset();
  }

  std::mt19937_64 random_;
  SimDisk disk_;
  Fsync fsync_ = Fsync::kAlways;
  std::vector<std::string> readers_;
  bool calm_ = false;
  std::chrono::steady_clock::time_point now_{std::chrono::seconds(1000)};
  std::unique_ptr<Journal> journal_;
  std::string problem_;
  std::uint64_t last_number_ = 0;
  std::uint64_t total_ = 0;
  std::map<std::uint64_t, Known> known_;
  std::map<std::size_t, std::uint64_t> dropped_;
  // By reader: what was read and is not settled.
  std::vector<std::vector<std::pair<Sequence, std::uint64_t>>> held_;
  bool syncs_failed_ = false;
  bool ever_lost_power_ = false;
};

std::optional<std::uint64_t> FromEnvironment(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::nullopt : std::optional(std::strtoull(text, nullptr, 10));
}

// Scenario: random appends, reads, acknowledgements and disk faults, cut off by kills and losses of
// power at any operation.
// Guarantees: what was answered as safe and not acknowledged is read after each restart, once and
// unchanged; nothing else is; damage is never seen where there is none.
TEST(JournalSimulation, NothingIsLost) {
  const std::optional<std::uint64_t> only = FromEnvironment("WEIR_JOURNAL_SEED");
  const std::uint64_t first = only.value_or(1);
  const std::uint64_t runs =
      only.has_value() ? 1 : FromEnvironment("WEIR_JOURNAL_RUNS").value_or(kShortRuns);
  // Sanitizers make it much slower, and find what they are for in the first hundred.
  const bool timed = !only.has_value() && !FromEnvironment("WEIR_JOURNAL_RUNS").has_value();
  const auto end = std::chrono::steady_clock::now() + kShortTime;
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    if (timed && std::chrono::steady_clock::now() > end) {
      break;
    }
    const std::string problem = SimulatedRun(seed).Play();
    ASSERT_EQ(problem, "") << "replay with WEIR_JOURNAL_SEED=" << seed;
  }
}

}  // namespace
}  // namespace weir::journal::testing

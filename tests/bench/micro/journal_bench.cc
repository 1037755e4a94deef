// What appending to the journal and reading it back costs.
//
//   journal_bench DIRECTORY [records] [always|interval|never]
//
// Records of 50 kB, as a request of 100 spans; 32 appends in flight. CPU time is the process's.

#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <semaphore>
#include <string>

#include "fmt/format.h"
#include "journal/journal.h"

namespace {

using weir::journal::Journal;

constexpr std::size_t kRecordBytes = 50000;
constexpr std::ptrdiff_t kInFlight = 32;

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + (static_cast<double>(time.tv_usec) * 1e-6);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Stopwatch {
 public:
  void Print(const char* what, std::uint64_t records, std::uint64_t syncs) const {
    const double cpu = CpuSeconds() - cpu_;
    const double wall =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    const double megabytes = static_cast<double>(records * kRecordBytes) / 1e6;
    fmt::print(
        "{:8} {:6} records, {:5} syncs: {:7.0f} MB/s, {:6.0f} records/s, {:7.0f} CPU ns/MB, "
        "{:6.0f} MB a CPU-second\n",
        what, records, syncs, megabytes / wall, static_cast<double>(records) / wall,
        cpu * 1e9 / megabytes, megabytes / cpu);
  }

 private:
  const double cpu_ = CpuSeconds();
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::unique_ptr<Journal> Open(const std::string& directory, weir::journal::Fsync fsync) {
  auto journal = Journal::Open({.directory = directory, .fsync = fsync}, weir::journal::PosixDisk(),
                               {"bench"});
  if (!journal.ok()) {
    fmt::print(stderr, "{}\n", journal.status().ToString());
    std::exit(1);
  }
  return *std::move(journal);
}

void AppendAll(Journal& journal, const char* what, std::uint64_t records, bool acknowledge) {
  const weir::Slice payload = weir::Slice::Copy(std::string(kRecordBytes, 'x'));
  std::counting_semaphore<kInFlight> room(kInFlight);
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < records; ++i) {
    room.acquire();
    journal.Append({.destinations = 1, .parts = {{.bytes = payload, .items = 100}}},
                   acknowledge ? 1 : 0, [&](const absl::Status&, weir::journal::Sequence sequence) {
                     if (acknowledge) {
                       journal.reader(0).Acknowledge(sequence);
                     }
                     room.release();
                   });
  }
  for (std::ptrdiff_t i = 0; i < kInFlight; ++i) {
    room.acquire();
  }
  watch.Print(what, records, journal.syncs());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "journal_bench DIRECTORY [records] [always|interval|never]\n");
    return 2;
  }
  const std::string directory = std::string(argv[1]) + "/journal_bench";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const std::uint64_t records = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20000;
  const std::string mode = argc > 3 ? argv[3] : "always";
  const auto fsync = mode == "never"      ? weir::journal::Fsync::kNever
                     : mode == "interval" ? weir::journal::Fsync::kInterval
                                          : weir::journal::Fsync::kAlways;
  // Delivered at once, as with a destination that is well; then held, as with one that is not.
  AppendAll(*Open(directory, fsync), "append", records, true);
  AppendAll(*Open(directory, fsync), "hold", records, false);
  {
    const Stopwatch open;
    const std::unique_ptr<Journal> journal = Open(directory, fsync);
    open.Print("open", records, 0);
    const Stopwatch watch;
    std::uint64_t read = 0;
    for (;;) {
      const auto result = journal->reader(0).Read(1 << 20);
      if (result.records.empty()) {
        break;
      }
      for (const auto& stored : result.records) {
        journal->reader(0).Acknowledge(stored.sequence);
        ++read;
      }
    }
    watch.Print("read", read, 0);
  }
  std::filesystem::remove_all(directory);
  return 0;
}

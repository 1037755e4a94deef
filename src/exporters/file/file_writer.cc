#include "exporters/file/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "weir/base/status.h"

namespace weir::exporters::file {
namespace {

namespace fs = std::filesystem;
using std::chrono::system_clock;

constexpr std::uint32_t kDefaultMegabytes = 100;
constexpr std::uint64_t kBytesPerMegabyte = 1024 * 1024;
constexpr mode_t kFileMode = 0600;  // Telemetry may hold secrets.
constexpr std::size_t kPrefixBytes = 4;

// Where the last whole line ends.
std::uint64_t LinesEnd(int fd, std::uint64_t size) {
  std::array<char, 64 * 1024> block;
  while (size > 0) {
    const std::uint64_t from = size > block.size() ? size - block.size() : 0;
    const ssize_t got = pread(fd, block.data(), size - from, static_cast<off_t>(from));
    if (got <= 0) {
      break;
    }
    const std::string_view text(block.data(), static_cast<std::size_t>(got));
    if (const std::size_t newline = text.rfind('\n'); newline != std::string_view::npos) {
      return from + newline + 1;
    }
    size = from;
  }
  return 0;
}

// Where the last whole record ends.
std::uint64_t RecordsEnd(int fd, std::uint64_t size) {
  std::uint64_t end = 0;
  std::array<unsigned char, kPrefixBytes> prefix;
  while (size - end >= kPrefixBytes &&
         pread(fd, prefix.data(), prefix.size(), static_cast<off_t>(end)) == kPrefixBytes) {
    const std::uint64_t length = std::uint64_t{prefix[0]} << 24 | std::uint64_t{prefix[1]} << 16 |
                                 std::uint64_t{prefix[2]} << 8 | prefix[3];
    if (length > size - end - kPrefixBytes) {
      break;
    }
    end += kPrefixBytes + length;
  }
  return end;
}

std::string BackupTime(system_clock::time_point when, bool local) {
  const std::int64_t millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
  const std::time_t seconds = millis / 1000;
  std::tm parts{};
  if (local) {
    localtime_r(&seconds, &parts);
  } else {
    gmtime_r(&seconds, &parts);
  }
  return fmt::format("{:04}-{:02}-{:02}T{:02}-{:02}-{:02}.{:03}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     millis % 1000);
}

// The time in a backup's name; nullopt when it is no name of ours.
std::optional<system_clock::time_point> ParseBackupTime(const std::string& text, bool local) {
  std::tm parts{};
  int millis = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d-%2d-%2d.%3d%n", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &millis,
                  &used) != 7 ||
      used != static_cast<int>(text.size())) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  parts.tm_isdst = -1;
  const std::time_t seconds = local ? mktime(&parts) : timegm(&parts);
  return system_clock::from_time_t(seconds) + std::chrono::milliseconds(millis);
}

}  // namespace

FileWriter::FileWriter(std::string path, WriterOptions options)
    : path_(std::move(path)), options_(std::move(options)) {}

FileWriter::~FileWriter() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

absl::StatusOr<std::unique_ptr<FileWriter>> FileWriter::Open(const std::string& path,
                                                             WriterOptions options) {
  const bool continue_file = options.continue_file || options.rotation.has_value();
  std::unique_ptr<FileWriter> writer(new FileWriter(path, std::move(options)));
  WEIR_RETURN_IF_ERROR(writer->OpenFile(continue_file));
  return writer;
}

absl::Status FileWriter::OpenFile(bool continue_file) {
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND;
  fd_ = open(path_.c_str(), flags | (continue_file ? 0 : O_TRUNC), kFileMode);
  if (fd_ < 0 && (errno == ENXIO || errno == EINVAL || errno == EACCES)) {
    fd_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_APPEND);  // What cannot be read back.
  }
  if (fd_ < 0) {
    return FromErrno(errno, "cannot open {}", path_);
  }
  struct stat info {};
  if (fstat(fd_, &info) != 0) {
    return FromErrno(errno, "cannot inspect {}", path_);
  }
  regular_ = S_ISREG(info.st_mode);
  torn_ = false;
  size_ = 0;
  if (!regular_ || info.st_size == 0) {
    return absl::OkStatus();
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  size_ = options_.framing == Framing::kLines ? LinesEnd(fd_, size) : RecordsEnd(fd_, size);
  return size_ == size ? absl::OkStatus() : CutTo(size_);
}

absl::Status FileWriter::CutTo(std::uint64_t size) {
  torn_ = ftruncate(fd_, static_cast<off_t>(size)) != 0;
  return torn_ ? FromErrno(errno, "cannot cut a torn record off {}", path_) : absl::OkStatus();
}

absl::Status FileWriter::Append(std::string_view records) {
  if (fd_ < 0) {
    WEIR_RETURN_IF_ERROR(OpenFile(/*continue_file=*/true));
  }
  if (torn_) {
    WEIR_RETURN_IF_ERROR(CutTo(size_));
  }
  if (options_.rotation.has_value() && regular_ && size_ > 0) {
    const std::uint32_t megabytes = options_.rotation->max_megabytes;
    const std::uint64_t limit =
        (megabytes == 0 ? kDefaultMegabytes : megabytes) * kBytesPerMegabyte;
    if (size_ + records.size() > limit) {
      WEIR_RETURN_IF_ERROR(Rotate());
    }
  }
  for (std::string_view left = records; !left.empty();) {
    const ssize_t wrote = write(fd_, left.data(), left.size());
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      const int error = wrote == 0 ? EIO : errno;
      if (regular_) {
        static_cast<void>(CutTo(size_));  // Where that fails, too, the next Append tries again.
      }
      return FromErrno(error, "cannot write to {}", path_);
    }
    left.remove_prefix(static_cast<std::size_t>(wrote));
  }
  size_ += records.size();
  return absl::OkStatus();
}

absl::Status FileWriter::Rotate() {
  const fs::path file(path_);
  // A later one is always named later, or the newest could be removed as the oldest.
  system_clock::time_point when =
      std::max(options_.clock(), last_backup_ + std::chrono::milliseconds(1));
  fs::path backup;
  std::error_code error;
  for (;; when += std::chrono::milliseconds(1)) {
    backup = file.parent_path() /
             (file.stem().string() + "-" + BackupTime(when, options_.rotation->localtime) +
              file.extension().string());
    if (!fs::exists(backup, error)) {
      break;
    }
  }
  last_backup_ = when;
  if (rename(path_.c_str(), backup.c_str()) != 0 && errno != ENOENT) {
    return FromErrno(errno, "cannot set {} aside", path_);
  }
  close(std::exchange(fd_, -1));
  WEIR_RETURN_IF_ERROR(OpenFile(/*continue_file=*/true));
  RemoveOldBackups();
  return absl::OkStatus();
}

// What cannot be removed now is tried again at the next rotation.
void FileWriter::RemoveOldBackups() const {
  const Rotation& rotation = *options_.rotation;
  const fs::path file(path_);
  const std::string prefix = file.stem().string() + "-";
  const std::string suffix = file.extension().string();
  std::vector<std::pair<system_clock::time_point, fs::path>> backups;
  std::error_code error;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix)) {
      continue;
    }
    const std::string time =
        name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    if (const auto when = ParseBackupTime(time, rotation.localtime)) {
      backups.emplace_back(*when, entry->path());
    }
  }
  std::ranges::sort(backups, std::greater<>());
  const system_clock::time_point oldest =
      options_.clock() - std::chrono::hours(24) * rotation.max_days;
  for (std::size_t i = 0; i < backups.size(); ++i) {
    const bool too_many = rotation.max_backups != 0 && i >= rotation.max_backups;
    const bool too_old = rotation.max_days != 0 && backups[i].first < oldest;
    if (too_many || too_old) {
      fs::remove(backups[i].second, error);
    }
  }
}

}  // namespace weir::exporters::file

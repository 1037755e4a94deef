#include "weir/base/system_memory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>

namespace weir {
namespace {

// nullopt for a file that is missing or says "max".
std::optional<std::size_t> ReadBytes(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text)) {
    return std::nullopt;
  }
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return bytes;
}

// The path of the process's cgroup in the hierarchy that names `controller` ("" for v2).
std::string CgroupPath(const std::string& root, std::string_view controller) {
  std::ifstream file(root + "/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {  // hierarchy:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string_view names = std::string_view(line).substr(first + 1, second - first - 1);
    if (controller.empty() ? names.empty() : names.find(controller) != std::string_view::npos) {
      return line.substr(second + 1);
    }
  }
  return "/";
}

// A limit of a parent binds as well, so every level up to the root is read.
void LowerToLimits(const std::string& mount, std::string path, const std::string& file,
                   std::size_t& lowest) {
  for (;;) {
    if (const auto limit = ReadBytes(mount + path + "/" + file); limit.has_value() && *limit > 0) {
      lowest = std::min(lowest, *limit);
    }
    if (path.empty() || path == "/") {
      return;
    }
    path.erase(path.rfind('/'));
  }
}

}  // namespace

std::size_t UsableMemoryBytes(const std::string& root) {
  const auto pages = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES));
  std::size_t lowest = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  LowerToLimits(root + "/sys/fs/cgroup", CgroupPath(root, ""), "memory.max", lowest);
  LowerToLimits(root + "/sys/fs/cgroup/memory", CgroupPath(root, "memory"), "memory.limit_in_bytes",
                lowest);
  return lowest;
}

}  // namespace weir

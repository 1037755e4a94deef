// How much memory this process may use: the lowest limit of its cgroups (v2 or v1), or the
// machine's memory where there is none.
//
// Threads: any.

#ifndef WEIR_BASE_SYSTEM_MEMORY_H_
#define WEIR_BASE_SYSTEM_MEMORY_H_

#include <cstddef>
#include <string>

namespace weir {

// `root` is put before /proc and /sys, for tests.
std::size_t UsableMemoryBytes(const std::string& root = "");

}  // namespace weir

#endif  // WEIR_BASE_SYSTEM_MEMORY_H_

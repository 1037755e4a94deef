// Records for tests: each made from its number, so that what comes back can be compared with what
// must have gone in.

#ifndef WEIR_TESTS_JOURNAL_RECORDS_H_
#define WEIR_TESTS_JOURNAL_RECORDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "journal/record.h"

namespace weir::journal::testing {

inline std::string Bytes(std::uint64_t seed, std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = (seed * 0x9E3779B97F4A7C15U) + 1;
  for (char& byte : bytes) {
    state = (state * 6364136223846793005U) + 1442695040888963407U;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

// `payload_bytes` in one to three parts; the context says `number`.
inline Record MakeRecord(std::uint64_t number, std::size_t payload_bytes,
                         ReaderMask destinations = 1) {
  Record record;
  record.signal = kSignals[number % kSignalCount];
  record.slot = static_cast<std::uint32_t>(number * 7);
  record.received_unix_ns = static_cast<std::int64_t>(1'700'000'000'000'000'000 + number);
  record.destinations = destinations;
  record.context = Slice::Copy("record " + std::to_string(number));
  const std::size_t parts = 1 + (number % 3);
  for (std::size_t i = 0; i < parts; ++i) {
    const std::size_t size =
        i + 1 < parts ? payload_bytes / parts : payload_bytes - (payload_bytes / parts * i);
    record.parts.push_back({.bytes = Slice::Copy(Bytes((number * 10) + i, size)), .items = i + 1});
  }
  return record;
}

inline std::uint64_t NumberOf(const Record& record) {
  return std::stoull(std::string(record.context.view().substr(7)));
}

// Everything but the destinations, which are by readers of this run.
inline bool SameRecord(const Record& a, const Record& b) {
  if (a.signal != b.signal || a.slot != b.slot || a.received_unix_ns != b.received_unix_ns ||
      a.context.view() != b.context.view() || a.parts.size() != b.parts.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    if (a.parts[i].bytes.view() != b.parts[i].bytes.view() ||
        a.parts[i].items != b.parts[i].items) {
      return false;
    }
  }
  return true;
}

}  // namespace weir::journal::testing

#endif  // WEIR_TESTS_JOURNAL_RECORDS_H_

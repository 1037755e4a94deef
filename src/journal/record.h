// Record is what the journal keeps: one batch's bytes, and what is needed to send it later.
//
// Ownership: the slices share their owners with the batch; nothing is copied on the way to disk.

#ifndef WEIR_JOURNAL_RECORD_H_
#define WEIR_JOURNAL_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/base/slice.h"
#include "weir/wire/signal.h"

namespace weir::journal {

// Counts records from 1 on, without gaps that were ever answered with success; never used again.
using Sequence = std::uint64_t;

// Bit i stands for the i-th of the readers that the journal was opened with.
using ReaderMask = std::uint64_t;

struct Part {
  Slice bytes;
  std::uint64_t items = 0;
};

struct Record {
  Signal signal = Signal::kTraces;
  std::uint32_t slot = 0;  // The caller's own; kept and given back.
  std::int64_t received_unix_ns = 0;
  ReaderMask destinations = 0;  // Whose record it is. Those are asked to acknowledge it.
  std::vector<Part> parts;      // Boundaries are kept.
  Slice context;                // Opaque: the request's metadata, as the caller serializes it.

  std::uint64_t items() const {
    std::uint64_t sum = 0;
    for (const Part& part : parts) {
      sum += part.items;
    }
    return sum;
  }
  std::size_t payload_bytes() const {
    std::size_t sum = 0;
    for (const Part& part : parts) {
      sum += part.bytes.size();
    }
    return sum;
  }
};

struct StoredRecord {
  Sequence sequence = 0;
  Record record;
};

}  // namespace weir::journal

#endif  // WEIR_JOURNAL_RECORD_H_

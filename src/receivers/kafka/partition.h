// Partition is what the consumer knows of one partition for as long as it is assigned. Another
// assignment of the same partition is another object, so a message of the old one that settles late
// finds `revoked` set and commits nothing.
//
// Threads: the consumer's. Messages under way own it, but do not look into it.

#ifndef WEIR_RECEIVERS_KAFKA_PARTITION_H_
#define WEIR_RECEIVERS_KAFKA_PARTITION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "receivers/kafka/offset_tracker.h"
#include "weir/base/event_loop.h"
#include "weir/wire/signal.h"

namespace weir::receivers::kafka {

struct Partition {
  std::string topic;
  std::int32_t id = 0;
  Signal signal = Signal::kTraces;
  std::uint64_t affinity = 0;

  bool revoked = false;
  OffsetTracker offsets;
  std::optional<std::int64_t> stored;  // The offset that was last given to librdkafka to commit.
  std::uint64_t bytes_in_flight = 0;
  std::uint64_t messages_in_flight = 0;

  // While paused, messages of the partition that still come are dropped: it reads them again from
  // where it is set back to.
  bool paused = false;
  bool waits_for_room = false;  // Goes on when enough is settled; otherwise at resume_at.
  TimePoint resume_at{};
  std::int64_t read_from = 0;
  std::uint32_t failures = 0;  // In a row.
  bool busy = false;           // The door was busy, which passes sooner than other failures.
};

}  // namespace weir::receivers::kafka

#endif  // WEIR_RECEIVERS_KAFKA_PARTITION_H_

// DropReason is the closed set of why items may leave the pipeline undelivered. It is a label value
// of weir_dropped_items_total and a column of the ledger.

#ifndef WEIR_TELEMETRY_DROP_REASON_H_
#define WEIR_TELEMETRY_DROP_REASON_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

enum class DropReason : std::uint8_t {
  kFiltered,          // A rule of the configuration leaves it out. No loss.
  kSampled,           // A sampler leaves it out. No loss.
  kMalformed,         // Not well-formed where a stage had to look into it.
  kDecodeError,       // The input can't be decoded into items.
  kInvalid,           // Well-formed, but breaks a rule of its format (a histogram without counts).
  kUnsupported,       // The target's format has no place for it.
  kQueueFull,         // The exporter's queue had no room.
  kBudgetExhausted,   // No memory left for a stage that had to copy.
  kTooLarge,          // A single item larger than the target takes.
  kRefusedPermanent,  // The target said that it will never take it.
  kRejectedPartial,   // The target took the request and rejected these of its items.
  kRetryExhausted,    // Retried until retry_on_failure::max_elapsed_time.
  kRetryDisabled,     // Failed for now, and retry_on_failure is off.
  kExpired,           // Older than it may be.
  kCardinality,       // More series, keys or metadata values than the limit.
  kUnroutable,        // No pipeline, topic or target for it.
  kUnauthenticated,   // The target does not accept our credentials.
  kStorageError,      // The journal or the disk failed.
  kStorageFull,       // The journal's limit.
  kShutdown,          // Still here when the shutdown timeout ended.
  kUnsettled,         // A stage forgot it: a defect of the program.
  kInternal,          // A stage failed for a reason of its own.
};

inline constexpr std::size_t kDropReasonCount = 22;
static_assert(static_cast<std::size_t>(DropReason::kInternal) + 1 == kDropReasonCount);

// "queue_full", "retry_exhausted", ...
constexpr std::string_view DropReasonName(DropReason reason) {
  constexpr std::array<std::string_view, kDropReasonCount> kNames = {
      "filtered",        "sampled",           "malformed",        "decode_error",
      "invalid",         "unsupported",       "queue_full",       "budget_exhausted",
      "too_large",       "refused_permanent", "rejected_partial", "retry_exhausted",
      "retry_disabled",  "expired",           "cardinality",      "unroutable",
      "unauthenticated", "storage_error",     "storage_full",     "shutdown",
      "unsettled",       "internal"};
  return kNames[static_cast<std::size_t>(reason)];
}

// What was left out because the configuration asks for it is no loss.
constexpr bool IsDropByIntent(DropReason reason) {
  return reason == DropReason::kFiltered || reason == DropReason::kSampled;
}

}  // namespace weir

#endif  // WEIR_TELEMETRY_DROP_REASON_H_

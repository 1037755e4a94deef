// The arithmetic of consistent probability sampling: an item carries 56 bits of randomness R, a
// sampler has a rejection threshold T of 0 to 2^56, and keeps the item when T <= R. The share kept
// is (2^56 - T) / 2^56.
//
// Threads: pure functions.

#ifndef WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_PROBABILITY_H_
#define WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_PROBABILITY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::processors::probabilistic_sampler {

using Threshold = std::uint64_t;   // 0 keeps all, kNeverSample none.
using Randomness = std::uint64_t;  // Below kNeverSample.

inline constexpr int kHexDigits = 14;
inline constexpr Threshold kAlwaysSample = 0;
inline constexpr Threshold kNeverSample = std::uint64_t{1} << 56;
inline constexpr Randomness kRandomnessMax = kNeverSample - 1;
inline constexpr double kProbabilityMin = 1.0 / static_cast<double>(kNeverSample);

inline bool ShouldSample(Threshold threshold, Randomness randomness) {
  return threshold <= randomness;
}
double Probability(Threshold threshold);

// nullopt when the probability is not in [2^-56, 1]. `precision` is in hexadecimal digits; 0 is
// full.
std::optional<Threshold> ToThreshold(double probability, int precision);

// As they stand in a trace state: a threshold without its trailing zeros ("0" for all, "" for
// none), a randomness in 14 digits.
std::string FormatThreshold(Threshold threshold);
std::optional<Threshold> ParseThreshold(std::string_view text);
std::string FormatRandomness(Randomness randomness);
std::optional<Randomness> ParseRandomness(std::string_view text);

// The last seven bytes of a trace id. REQUIRES: it has 16.
Randomness RandomnessOfTraceId(std::string_view trace_id);

// Mode hash_seed: FNV-1a in 14 bits, turned into a randomness on which a threshold of 14 bits
// decides as the hash itself did before there were thresholds.
inline constexpr std::uint32_t kHashBuckets = 1 << 14;
std::uint32_t Fnv1a(std::string_view bytes, std::uint32_t seed);
Randomness RandomnessByHash(std::string_view bytes, std::uint32_t seed);
// kNeverSample where the percentage is less than one bucket.
Threshold HashThreshold(float percentage);

}  // namespace weir::processors::probabilistic_sampler

#endif  // WEIR_PROCESSORS_PROBABILISTIC_SAMPLER_PROBABILITY_H_

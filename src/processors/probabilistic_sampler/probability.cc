#include "processors/probabilistic_sampler/probability.h"

#include <algorithm>
#include <cmath>

#include "weir/base/check.h"

namespace weir::processors::probabilistic_sampler {
namespace {

constexpr int kHexBits = 4;
constexpr double kScale = static_cast<double>(kNeverSample);

std::optional<std::uint64_t> ParseHex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) {
      return std::nullopt;
    }
    value = value << kHexBits | static_cast<std::uint64_t>(digit);
  }
  return value;
}

}  // namespace

double Probability(Threshold threshold) {
  return static_cast<double>(kNeverSample - threshold) / kScale;
}

std::optional<Threshold> ToThreshold(double probability, int precision) {
  if (!(probability >= kProbabilityMin && probability <= 1)) {
    return std::nullopt;
  }
  if (probability == 1) {
    return kAlwaysSample;
  }
  // Leading digits that are all 0 or all f say nothing, so they do not count as precision.
  int exponent = 0;
  int exponent_of_rest = 0;
  std::frexp(probability, &exponent);
  std::frexp(1 - probability, &exponent_of_rest);
  const int wanted = precision == 0 ? kHexDigits : precision;
  const int digits = std::min(
      kHexDigits, std::max(wanted + exponent / -kHexBits, wanted + exponent_of_rest / -kHexBits));
  Threshold threshold = kNeverSample - static_cast<std::uint64_t>(std::round(probability * kScale));
  if (const int shift = kHexBits * (kHexDigits - digits); shift != 0) {
    threshold += std::uint64_t{1} << (shift - 1);
    threshold = threshold >> shift << shift;
  }
  return threshold;
}

std::string FormatThreshold(Threshold threshold) {
  if (threshold == kAlwaysSample) {
    return "0";
  }
  if (threshold >= kNeverSample) {
    return "";
  }
  std::string digits = FormatRandomness(threshold);
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits;
}

std::optional<Threshold> ParseThreshold(std::string_view text) {
  if (text.empty() || text.size() > kHexDigits) {
    return std::nullopt;
  }
  const std::optional<std::uint64_t> value = ParseHex(text);
  if (!value.has_value()) {
    return std::nullopt;
  }
  return *value << (kHexBits * (kHexDigits - static_cast<int>(text.size())));
}

std::string FormatRandomness(Randomness randomness) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kHexDigits, '0');
  for (int i = kHexDigits - 1; i >= 0; --i, randomness >>= kHexBits) {
    text[static_cast<std::size_t>(i)] = kDigits[randomness & 15];
  }
  return text;
}

std::optional<Randomness> ParseRandomness(std::string_view text) {
  return text.size() == kHexDigits ? ParseHex(text) : std::nullopt;
}

Randomness RandomnessOfTraceId(std::string_view trace_id) {
  WEIR_DCHECK(trace_id.size() == 16);
  Randomness randomness = 0;
  for (const char byte : trace_id.substr(9)) {
    randomness = randomness << 8 | static_cast<std::uint8_t>(byte);
  }
  return randomness;
}

std::uint32_t Fnv1a(std::string_view bytes, std::uint32_t seed) {
  constexpr std::uint32_t kPrime = 16777619;
  std::uint32_t hash = 2166136261;
  for (int i = 0; i < 4; ++i) {
    hash = (hash ^ (seed >> (8 * i) & 0xff)) * kPrime;
  }
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<std::uint8_t>(byte)) * kPrime;
  }
  return hash;
}

Randomness RandomnessByHash(std::string_view bytes, std::uint32_t seed) {
  const std::uint32_t hash = Fnv1a(bytes, seed);
  const std::uint64_t bucket = hash & (kHashBuckets - 1);
  // The decision was bucket < accepted; with both counted from the other end it is T <= R.
  const std::uint64_t leading = kHashBuckets - 1 - bucket;
  const std::uint64_t rest = hash >> 18;
  const std::uint64_t mixed = rest ^ rest << 10;
  return leading << 42 | mixed << 14 | bucket;
}

Threshold HashThreshold(float percentage) {
  // In single precision and rounded down, so that decisions stay what they always were.
  const auto accepted = static_cast<std::uint32_t>(std::min(percentage, 100.0F) *
                                                   (static_cast<float>(kHashBuckets) / 100.0F));
  return accepted == 0 ? kNeverSample : static_cast<std::uint64_t>(kHashBuckets - accepted) << 42;
}

}  // namespace weir::processors::probabilistic_sampler

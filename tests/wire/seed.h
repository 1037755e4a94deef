// The seed of a randomized test: WEIR_TEST_SEED from the environment, or a fixed one.

#ifndef WEIR_TESTS_WIRE_SEED_H_
#define WEIR_TESTS_WIRE_SEED_H_

#include <cstdint>
#include <cstdlib>

namespace weir::wire::testing {

inline std::uint64_t TestSeed() {
  const char* const text = std::getenv("WEIR_TEST_SEED");
  // Base 16, so that a commit hash will do; what does not fit is cut off.
  return text == nullptr ? 20'241'124 : std::strtoull(text, nullptr, 16);
}

}  // namespace weir::wire::testing

#endif  // WEIR_TESTS_WIRE_SEED_H_

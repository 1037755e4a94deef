// A target with a planted bug: a run that does not crash within seconds says that the fuzzing
// machinery finds nothing, however long the real targets run clean.
//
// The bug lies behind four comparisons, as deep as guessing alone would not get, so that finding it
// takes coverage feedback; and it is a read past the end, so that it takes the sanitizer.

#include <cstddef>
#include <cstdint>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> copy(data, data + size);
  if (size > 3 && copy[0] == 'w' && copy[1] == 'e' && copy[2] == 'i' && copy[3] == 'r') {
    const volatile std::uint8_t past = copy.data()[size];
    static_cast<void>(past);
  }
  return 0;
}

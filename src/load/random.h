// Random is splitmix64: a few instructions a number, any seed is a good one, and the same on every
// machine. Not for secrets.
//
// Threads: one at a time.

#ifndef WEIR_LOAD_RANDOM_H_
#define WEIR_LOAD_RANDOM_H_

#include <cstdint>

namespace weir::load {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
  }
  // Under `bound`, which is small: the bias of the remainder does not matter here.
  std::uint64_t Below(std::uint64_t bound) { return Next() % bound; }
  // In [0, 1).
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace weir::load

#endif  // WEIR_LOAD_RANDOM_H_
